"""YAML with its places: every style of text keeps the line and column of what is in it."""

import pytest

from warmlead.model.positions import read

# (a document, the path of a text in it, a word whose place is looked for)
TEXTS = [
    ("a: one two", ("a",), "two"),
    ("a: {b: one two}", ("a", "b"), "two"),
    ("a: 'one two'", ("a",), "two"),
    ("a: 'it''s two'", ("a",), "two"),
    ('a: "one \\"two\\" three"', ("a",), "three"),
    ('a: "\\u00e9\\x41 two"', ("a",), "two"),
    ("a: |\n  one\n  two\n", ("a",), "two"),
    ("a: |\n  one\n    two\n", ("a",), "two"),
    ("a: >-  # why\n  one\n  two\n\n  three\n", ("a",), "three"),
    ("a: one\n  two\n", ("a",), "two"),
    ("a: 'one\n\n   two'", ("a",), "two"),
    ("a: one\r\n  two\r\n", ("a",), "two"),
    ("- x\n- [y, one two]", (1, 1), "two"),
    ("a: é one two", ("a",), "two"),
    ("é: [ö, é two]", ("é", 1), "two"),
]


@pytest.mark.parametrize(("text", "path", "word"), TEXTS, ids=[repr(case[0]) for case in TEXTS])
def test_the_place_of_a_word_within_a_text(
    text: str, path: tuple[str | int, ...], word: str
) -> None:
    document = read(text)
    value: object = document.value
    for part in path:
        value = value[part]  # type: ignore[index]  # the test's own documents have these parts
    assert isinstance(value, str)
    lines = text.splitlines()
    line = next(i for i, content in enumerate(lines, start=1) if word in content)

    found = document.inside(path, value.index(word))

    assert found == (line, lines[line - 1].index(word) + 1)


def test_values_follow_the_core_schema_of_yaml_1_2() -> None:
    text = "[yes, on, NO, true, False, null, ~, 5, -3, 1.5, 1:30, 010, '5', 2024-01-01, 1e3]"

    assert read(text).value == [
        *("yes", "on", "NO", True, False, None, None, 5, -3, 1.5, "1:30", 10, "5"),
        *("2024-01-01", 1000.0),
    ]


def test_brackets_in_unquoted_text_are_text() -> None:
    document = read('{a: stage in ["x, y", "z"] && b, c: [1, [2]], d: p in ["q"]}')

    assert document.value == {
        "a": 'stage in ["x, y", "z"] && b',
        "c": [1, [2]],
        "d": 'p in ["q"]',
    }
    assert document.unquoted == ((1, 14), (1, 55))


def test_an_unclosed_bracket_stays_a_fault() -> None:
    assert read('{a: stage in ["x}').faults


def test_every_duplicate_key_is_found_and_the_first_value_stays() -> None:
    document = read("a: 1\nb: {c: 1, c: 2}\na: 3\n")

    assert document.value == {"a": 1, "b": {"c": 1}}
    assert [fault.position for fault in document.faults] == [(2, 11), (3, 1)]
