"""Rows that could not be imported: a file that can be corrected and imported."""

import tracemalloc
from pathlib import Path

import pytest

from warmlead.domain.errors import ConfigurationError
from warmlead.importing.error_files import ErrorFile
from warmlead.importing.reading import Row, Table, open_table


def table_of(folder: Path, text: str, name: str = "leads.csv") -> Table:
    path = folder / name
    path.write_text(text)
    return open_table(path)


def test_a_file_of_errors_is_a_table_again_without_its_reasons(tmp_path: Path) -> None:
    table = table_of(tmp_path, 'a,b\n1,"x, y"\n3,4\n')
    first, _ = table.rows()
    with ErrorFile(table, tmp_path / "scratch") as errors:
        errors.add(first, "a: is not good")
    errors.write()
    assert errors.path.name == "leads.csv.errors.csv"
    assert errors.path.read_text() == 'a,b,import_error\n1,"x, y",a: is not good\n'
    again = open_table(errors.path)
    assert again.columns == table.columns
    assert [row.values for row in again.rows()] == [first.values]
    assert ErrorFile(again, tmp_path / "scratch").path == errors.path


def test_without_errors_no_file_is_written(tmp_path: Path) -> None:
    with ErrorFile(table_of(tmp_path, "a\n1\n"), tmp_path / "scratch") as errors:
        pass
    errors.write()
    assert [each.name for each in tmp_path.iterdir()] == ["leads.csv"]


def test_a_row_of_json_keeps_what_the_first_lines_do_not_have(tmp_path: Path) -> None:
    table = table_of(tmp_path, '{"a": 1}\n', "leads.jsonl")
    with ErrorFile(table, tmp_path / "scratch", columns=("a", "b.c")) as errors:
        errors.add(Row(2, {"a": True, "b.c": ["x"]}), "no")
    errors.write()
    assert errors.path.read_text() == 'a,b.c,import_error\ntrue,"[""x""]",no\n'


def test_no_row_stays_in_memory(tmp_path: Path) -> None:
    table, row = table_of(tmp_path, "a\n1\n"), Row(2, {"a": "x" * 10_000})
    with ErrorFile(table, tmp_path / "scratch") as errors:
        errors.add(row, "no")
        tracemalloc.start()
        try:
            for _ in range(100):
                errors.add(row, "no")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 500_000
    assert errors.count == 101


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with ErrorFile(table_of(tmp_path, "a\n1\n"), tmp_path / "s", tmp_path / "none") as errors:
        errors.add(Row(2, {"a": "1"}), "no")
    with pytest.raises(ConfigurationError, match="--errors FOLDER"):
        errors.write()
