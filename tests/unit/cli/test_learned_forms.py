"""What commands that learn write, and over what they never write."""

from pathlib import Path

import pytest
import typer

from warmlead.cli.features import _writer
from warmlead.cli.learned_forms import (
    MOST_UNKNOWN,
    demand_folder,
    told_of_unknown,
    weeks_of,
    written,
)

PAGE = "<!doctype html>\n<title>old</title>"


@pytest.mark.parametrize("there", [None, "", PAGE, PAGE.upper()])
def test_a_page_is_written_over_another_page(tmp_path: Path, there: str | None) -> None:
    page = tmp_path / "page.html"
    if there is not None:
        page.write_text(there)
    written(page, PAGE.replace("old", "new"))
    assert "new" in page.read_text()


@pytest.mark.parametrize("act", [demand_folder, lambda page: written(page, PAGE)])
def test_a_page_is_not_written_over_a_model(tmp_path: Path, act: object) -> None:
    model = tmp_path / "model.yaml"
    model.write_text("signals: {}")
    with pytest.raises(typer.Exit):
        act(model)  # type: ignore[operator]  # one of the two above
    assert model.read_text() == "signals: {}"


@pytest.mark.parametrize("name", ["leads.csv", "leads.parquet"])
def test_features_are_not_written_over_an_export(tmp_path: Path, name: str) -> None:
    export = tmp_path / name
    export.write_text("Email,Created\nada@example.com,2026-01-01\n")
    with pytest.raises(typer.Exit):
        _writer(export)
    export.unlink()
    _writer(export.with_suffix(".csv"))


def test_features_are_written_over_features(tmp_path: Path) -> None:
    table = tmp_path / "leads.csv"
    table.write_text("lead_id,known_at,at,won\n")
    _writer(table)


def test_of_what_is_not_known_the_most_is_told_and_the_rest_counted() -> None:
    assert told_of_unknown({"a": 1, "b": 1_200}) == "b (1200 leads), a (1 lead)"
    many = told_of_unknown({f"s{n}": 1 for n in range(MOST_UNKNOWN + 988)})
    assert many.endswith(" (1 lead), and 988 more")
    assert not told_of_unknown({})


def test_weeks_are_told_in_words() -> None:
    assert [weeks_of(1), weeks_of(1.5)] == ["1 week", "1.5 weeks"]
