"""Rows of files in any usual dialect and encoding, and what becomes of those that are damaged."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from warmlead.domain.errors import ConfigurationError
from warmlead.importing.reading import (
    MAX_COLUMNS,
    MAX_FIELD,
    MAX_NAME,
    MAX_ROW,
    Row,
    digest_of,
    open_table,
)


def rows_of(path: Path) -> list[Row]:
    return list(open_table(path).rows())


def written(folder: Path, text: str | bytes, name: str = "leads.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "name,city\nAda,Köln\n",
        "name;city\r\nAda;Köln\r\n",
        "name\tcity\nAda\tKöln",
        'name|city\n"Ada"|Köln\n',
        "sep=;\nname;city\nAda;Köln\n",
        'name,city\n\n"Ada","Köln"\n , \n',
    ],
    ids=["comma", "excel", "tab", "pipe", "sep", "blank-lines"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_is_read_in_any_usual_dialect_and_encoding(
    tmp_path: Path, text: str, encoding: str
) -> None:
    path = written(tmp_path, text.encode(encoding))
    assert [row.values for row in rows_of(path)] == [{"name": "Ada", "city": "Köln"}]


def test_a_field_may_hold_line_ends_and_quotes(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n"one\ntwo","say ""hi"""\nx,y\n')
    assert [row.values for row in rows_of(path)] == [
        {"a": "one\ntwo", "b": 'say "hi"'},
        {"a": "x", "b": "y"},
    ]


def test_a_row_of_another_width_has_a_fault_and_costs_no_neighbour(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, "a,b\n1\n1,2,3\n1,2\n"))
    assert [bool(row.fault) for row in rows] == [True, True, False]
    assert rows[1].fault == "the row has 3 fields, the header 2"
    assert rows[1].number == 3


def test_a_quote_that_is_never_closed_is_told(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, 'a,b\n"' + "x" * (MAX_FIELD + 1) + "\n1,2\n"))
    assert "is a quote open?" in rows[0].fault


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        ("a,a\n1,2\n", 'two columns are named "a"'),
        (",".join(map(str, range(1_001))), "more than 1000 columns"),
        ("PK\x03\x04 and so on", "save the sheet as CSV"),
    ],
)
def test_a_file_without_a_usable_header_says_what_to_do(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        open_table(written(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.csv cannot be imported"):
        open_table(tmp_path / "nowhere.csv")


def test_json_lines_are_flat_by_their_path(tmp_path: Path) -> None:
    text = '{"event": "page_view", "geo": {"country": "DE"}, "n": 1}\n\n{"event": "login"}\n'
    path = written(tmp_path, text, "events.jsonl")
    table = open_table(path)
    assert table.columns == ("event", "geo.country", "n")
    assert [row.values for row in table.rows()] == [
        {"event": "page_view", "geo.country": "DE", "n": 1},
        {"event": "login"},
    ]


def test_a_bad_line_of_json_costs_no_other(tmp_path: Path) -> None:
    text = b'{"a": 1}\n{"a": \n[1]\n{"a": "' + b"x" * 1_100_000 + b'"}\n{"a": 2}\n'
    rows = rows_of(written(tmp_path, text, "events.jsonl"))
    assert [row.number for row in rows] == [1, 2, 3, 4, 5]
    assert [bool(row.fault) for row in rows] == [False, True, True, True, False]


def test_parquet_is_read_like_json(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="an optional package")
    parquet = pytest.importorskip("pyarrow.parquet", reason="an optional package")
    path = tmp_path / "events.parquet"
    values = [{"event": "login", "geo": {"country": "DE"}}]
    parquet.write_table(pyarrow.Table.from_pylist(values), path)
    assert [row.values for row in rows_of(path)] == [{"event": "login", "geo.country": "DE"}]


# --- files that a stranger made ------------------------------------------------------------


@pytest.mark.parametrize("sign", ['"', "", "\r", "\0"], ids=["quote", "none", "return", "nul"])
def test_a_file_cannot_name_a_delimiter_that_divides_nothing(tmp_path: Path, sign: str) -> None:
    path = written(tmp_path, f"sep={sign}\nname,city\nAda,Rome\n")
    assert [row.values for row in rows_of(path)] == [{"name": "Ada", "city": "Rome"}]


def test_a_row_of_nothing_but_delimiters_is_not_read_whole_and_costs_no_neighbour(
    tmp_path: Path,
) -> None:
    rows = rows_of(written(tmp_path, "a,b\n1,2\n" + "," * (MAX_ROW * 2) + "\n3,4\n"))
    assert [(row.number, bool(row.fault)) for row in rows] == [(2, False), (3, True), (4, False)]
    assert f"the row more than {MAX_ROW}" in rows[1].fault


def test_a_row_that_goes_on_over_many_lines_has_the_same_limit(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, "a,b\n" + '"\n",' * (MAX_ROW // 4 + 10) + "\n1,2\n"))
    assert f"the row more than {MAX_ROW}" in rows[0].fault


def test_a_header_of_nothing_but_delimiters_is_not_read_whole(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no header"):
        open_table(written(tmp_path, "," * (MAX_ROW * 2)))


def test_a_header_with_a_name_too_long_to_be_one_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"more than {MAX_NAME} characters"):
        open_table(written(tmp_path, "a," + "b" * (MAX_NAME + 1)))


def test_a_long_name_above_many_values_does_not_multiply(tmp_path: Path) -> None:
    inner = ",".join(f'"{n}":1' for n in range(3_000))
    text = '{"a":1}\n{"' + "k" * 100_000 + '":{' + inner + "}}\n"
    path = written(tmp_path, text, "events.jsonl")
    tracemalloc.start()
    try:
        rows = rows_of(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "the name of a column" in rows[1].fault
    assert most < 20 * len(text)


def test_a_line_with_too_many_values_says_so_instead_of_losing_some(tmp_path: Path) -> None:
    text = '{"a":1}\n{' + ",".join(f'"{n}":1' for n in range(MAX_COLUMNS + 1)) + "}\n"
    first, second = rows_of(written(tmp_path, text, "events.jsonl"))
    assert (first.fault, second.fault) == ("", f"the row has more than {MAX_COLUMNS} columns")


def test_a_short_parquet_file_does_not_take_as_much_room_as_its_texts(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="an optional package")
    parquet = pytest.importorskip("pyarrow.parquet", reason="an optional package")
    path, times = tmp_path / "bomb.parquet", 300
    texts = arrow.array(["x" * 1_000_000])
    column = arrow.DictionaryArray.from_arrays(arrow.array([0] * times, arrow.int32()), texts)
    nested = arrow.StructArray.from_arrays([column], names=["text"])
    parquet.write_table(arrow.table({"a": column, "b": nested}), path, compression="zstd")
    assert path.stat().st_size < 10_000
    usual = arrow.default_memory_pool()
    pool = arrow.proxy_memory_pool(usual)
    arrow.set_memory_pool(pool)
    try:
        rows = rows_of(path)
    finally:
        arrow.set_memory_pool(usual)
    assert len(rows) == times
    assert all(row.fault == f"a has more than {MAX_FIELD} characters" for row in rows)
    assert all(row.values == {} for row in rows)
    assert pool.max_memory() < 50_000_000


def test_a_value_of_parquet_that_cannot_be_read_costs_no_other_row(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="an optional package")
    parquet = pytest.importorskip("pyarrow.parquet", reason="an optional package")
    path = tmp_path / "events.parquet"
    times = arrow.array([2**62, 0], arrow.timestamp("us"))  # the first in the year 148,108
    parquet.write_table(arrow.table({"at": times}), path)
    assert [row.fault for row in rows_of(path)] == ["a value cannot be read", ""]


def test_a_damaged_parquet_file_is_told_in_words(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="an optional package")
    parquet = pytest.importorskip("pyarrow.parquet", reason="an optional package")
    path = tmp_path / "events.parquet"
    table = arrow.table({"email": [f"a{n}@example.com" for n in range(5_000)]})
    parquet.write_table(table, path, compression="gzip")
    whole = path.read_bytes()
    path.write_bytes(whole[:300] + b"\xff" * 100 + whole[400:])
    with pytest.raises(ConfigurationError, match="cannot be imported"):
        rows_of(path)
    path.write_bytes(b"PAR1" + b"\x15\x99" * 50 + b"\x40\0\0\0PAR1")
    with pytest.raises(ConfigurationError, match="not a Parquet file"):
        rows_of(path)


def test_two_columns_of_parquet_with_one_name_are_a_fault(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="an optional package")
    parquet = pytest.importorskip("pyarrow.parquet", reason="an optional package")
    path = tmp_path / "leads.parquet"
    both = arrow.Table.from_arrays([arrow.array(["a"]), arrow.array(["b"])], names=["id", "id"])
    parquet.write_table(both, path)
    with pytest.raises(ConfigurationError, match='two columns are named "id"'):
        open_table(path)


def test_a_file_is_known_by_its_content(tmp_path: Path) -> None:
    one, other = written(tmp_path, "a\n1\n"), written(tmp_path, "a\n1\n", "copy.csv")
    assert digest_of(one) == digest_of(other) != digest_of(written(tmp_path, "a\n2\n"))


@pytest.mark.parametrize(
    ("listed", "flat"),
    [
        (
            [
                {"key": "page", "value": {"string_value": "/p", "int_value": None}},
                {"key": "seconds", "value": {"int_value": "7"}},
                {"key": "plan", "value": "pro"},
                {"key": "none", "value": {}},
            ],
            {"p.page": "/p", "p.seconds": "7", "p.plan": "pro", "p.none": None},
        ),
        ([{"key": "a", "value": 1, "more": 2}], None),
        ([{"key": "a", "value": 1}, 7], None),
        ([{"key": 1, "value": 1}], None),
        ([], None),
    ],
)
def test_a_list_of_keys_with_values_is_read_by_key(
    tmp_path: Path, listed: list[Any], flat: dict[str, Any] | None
) -> None:
    (row,) = rows_of(written(tmp_path, json.dumps({"p": listed}), "events.jsonl"))
    assert row.values == ({"p": listed} if flat is None else flat)
