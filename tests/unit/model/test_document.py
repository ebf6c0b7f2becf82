"""YAML with its places: every style of text keeps the line and column of what is in it."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from warmlead.model.document import Severity, read, with_quotes
from warmlead.model.loading import ready_names, ready_text

ROOT = Path(__file__).parents[3]
MODELS = [ready_text(name) for name in ready_names()]

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


# (a document, the line and column of what YAML misreads, what to write there instead)
CUT_SHORT = [
    ('{a: stage in ["x, y", "z"] && b, c: 1}', (1, 5), """'stage in ["x, y", "z"] && b'"""),
    ("{a: stage in ['x'], c: 1}", (1, 5), """"stage in ['x']\""""),
    ("""{a: x in ["a"] || y == 'b'}""", (1, 5), """'x in ["a"] || y == ''b'''"""),
    ("s:\n  m: {on: x, when: !robot && (a in [1])}", (2, 20), "'!robot && (a in [1])'"),
    ('- {a: b in\n    ["x",\n     "y"] && c,\n   d: 1}', (1, 7), """'b in ["x", "y"] && c'"""),
    ('{a: f(b in ["x"], c) && d} # why', (1, 5), """'f(b in ["x"], c) && d'"""),
    ('{a: b in ["x"] # why\n}', (1, 5), """'b in ["x"]'"""),
    ('{a: b["c"] == "d"}', (1, 5), """'b["c"] == "d"'"""),
    ('a: "x" in tags && b  # why', (1, 4), """'"x" in tags && b'"""),
    ('{a: "x" in tags, c: 1}', (1, 5), """'"x" in tags'"""),
    ('a: title == "Head: Sales"', (1, 4), """'title == "Head: Sales"'"""),
    ("a: !robot && b", (1, 4), "'!robot && b'"),
    ("{a: !robot && b, c: 1}", (1, 5), "'!robot && b'"),
]


@pytest.mark.parametrize(("text", "place", "write"), CUT_SHORT, ids=[c[0] for c in CUT_SHORT])
def test_a_condition_that_yaml_misreads_is_a_fault_with_what_to_write(
    text: str, place: tuple[int, int], write: str
) -> None:
    (fault,) = read(text).faults

    assert (fault.line, fault.column, fault.severity) == (*place, Severity.ERROR)
    assert fault.suggestion == f"write {write}"
    with pytest.raises(yaml.YAMLError):
        yaml.compose(text)


@pytest.mark.parametrize(("text", "write"), [(case[0], case[2]) for case in CUT_SHORT])
def test_what_is_to_be_written_is_the_same_condition_to_every_reader(text: str, write: str) -> None:
    condition = yaml.safe_load(write)
    parts = [re.escape(part) for part in condition.split()]
    written = re.sub(r"\s+".join(parts), lambda _: write, text, count=1)

    assert written != text
    assert not read(written).faults
    assert condition in str(yaml.safe_load(written)).replace("\\'", "'")


def test_all_conditions_without_quotes_are_found_in_one_run() -> None:
    document = read('{a: p in ["q"], b: [1, [2]], c: {d: x in ["y"], e: 5}, e: 1, e: 2}')

    assert document.value == {
        "a": 'p in ["q"]',
        "b": [1, [2]],
        "c": {"d": 'x in ["y"]', "e": 5},
        "e": 1,
    }
    assert [(fault.column, fault.path) for fault in document.faults] == [
        *((5, "a"), (37, "c.d"), (62, "e")),
    ]


@pytest.mark.slow
def test_a_model_of_before_is_made_plain_yaml_by_quotes_alone() -> None:
    before = 'a: [1]\nb: {c: p in ["q"] && r,\n  d: x[0] == "it\'s"}\ne: 5  # [\n'

    assert with_quotes(before) == (
        "a: [1]\nb: {c: 'p in [\"q\"] && r',\n  d: 'x[0] == \"it''s\"'}\ne: 5  # [\n"
    )
    for model in (*MODELS, "a: [", "[" * 20_000):
        assert with_quotes(model) == model


@pytest.mark.parametrize(
    "text", ['{a: stage in ["x}', "{a: it's [x], b: 'c'}", '{f(a, b) in ["x"]}']
)
def test_a_bracket_whose_text_has_no_certain_end_is_a_fault_without_a_guess(text: str) -> None:
    faults = read(text).faults

    assert faults
    assert not any("write" in fault.suggestion for fault in faults)


def test_a_missing_comma_is_not_taken_for_missing_quotes() -> None:
    (fault,) = read('{on: viewed, when: path == "/a" points: 2}').faults

    assert (fault.line, fault.column) == (1, 39)
    assert fault.suggestion == "put a comma before each key but the first"


PIECES = [
    '["x"]',
    "[",
    "]",
    "{",
    "}",
    ",",
    ": ",
    " #",
    '"',
    "'",
    "!",
    "&",
    "*",
    "- ",
    "\n",
    "\t",
    "?",
]


@pytest.mark.slow
@settings(max_examples=200)
@given(st.sampled_from(MODELS), st.data())
def test_what_another_reader_refuses_is_a_fault_here(model: str, data: st.DataObject) -> None:
    lines = model.splitlines()
    start = data.draw(st.integers(0, len(lines) - 1))
    text = "\n".join(lines[start : start + data.draw(st.integers(1, 12))])
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.sampled_from(PIECES)) + text[at:]

    try:
        yaml.compose(text)
    except yaml.YAMLError:
        assert read(text).faults, text


def yaml_in_the_repository() -> Iterator[tuple[str, str]]:
    """Each YAML file, and each example of a page, with its place."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    )  # the path's own git
    for name in filter(None, listed.stdout.decode().split("\0")):
        file = ROOT / name
        if file.suffix in (".yaml", ".yml"):
            yield name, file.read_text(encoding="utf-8")
        elif file.suffix == ".md" and file.is_file():
            examples = re.findall(
                r"```ya?ml\n(.*?)```", file.read_text(encoding="utf-8"), re.DOTALL
            )
            yield from ((f"{name}, example {i}", text) for i, text in enumerate(examples, start=1))


@pytest.mark.slow
def test_every_model_and_example_in_the_repository_can_be_read_by_every_reader_of_yaml() -> None:
    found = dict(yaml_in_the_repository())
    assert len(found) > 20
    for place, text in found.items():
        assert yaml.safe_load(text), place


def test_every_duplicate_key_is_found_and_the_first_value_stays() -> None:
    document = read("a: 1\nb: {c: 1, c: 2}\na: 3\n")

    assert document.value == {"a": 1, "b": {"c": 1}}
    assert [(each.line, each.column) for each in document.faults] == [(2, 11), (3, 1)]
