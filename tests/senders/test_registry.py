"""Which sender a function has for a path, as the settings and the sales file say."""

import json
from pathlib import Path

import pytest

from senders.configured import file_of
from warmlead.runtime.table import FORMS, SALES, TRACK
from warmlead.senders.registry import Senders, senders_of
from warmlead.settings import Settings

CONFIGURED = file_of(SALES.name)


@pytest.fixture
def sales_file(tmp_path: Path) -> Path:
    file = tmp_path / "sales.json"
    file.write_text(json.dumps({name: CONFIGURED[name] for name in ("generic", "hubspot")}))
    return file


def name_at(senders: Senders, path: str) -> str | None:
    found = senders.at(path)
    return found.name if found else None


@pytest.mark.parametrize("path", ["/generic", "/generic/contact/", "/", "/typeform"])
def test_forms_has_one_sender_that_answers_every_path(path: str) -> None:
    assert name_at(senders_of(FORMS.name, Settings(), {}), path) == "generic"


@pytest.mark.parametrize("path", ["/v1/batch", "/generic", "/"])
def test_track_has_one_sender_that_answers_every_path(path: str) -> None:
    assert name_at(senders_of(TRACK.name, Settings(), {}), path) == "segment"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/generic", "sales"),
        ("/hubspot/", "hubspot"),
        ("/hubspot/x", "hubspot"),
        ("/pipedrive", None),
        ("/", None),
    ],
)
def test_sales_has_the_senders_that_its_file_names(
    sales_file: Path, path: str, name: str | None
) -> None:
    assert name_at(senders_of(SALES.name, Settings(sales=sales_file), {}), path) == name


def test_sales_without_a_file_has_no_sender() -> None:
    assert senders_of(SALES.name, Settings(), {}).all() == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/ga4/mp/collect", "ga4"),
        ("/ga4/export/", "ga4"),
        ("/v1/batch", "segment"),
        ("/", "segment"),
    ],
)
def test_track_has_its_clients_besides_the_senders_that_its_file_names(
    tmp_path: Path, path: str, name: str
) -> None:
    file = tmp_path / "track.json"
    file.write_text(json.dumps(file_of(TRACK.name)))
    assert name_at(senders_of(TRACK.name, Settings(track=file), {}), path) == name


def test_each_sender_is_listed_once_though_it_answers_several_paths(sales_file: Path) -> None:
    using = Settings(sales=sales_file)
    listed = {name: senders_of(name, using, {}).all() for name in (FORMS.name, SALES.name)}
    assert [each.name for each in listed[FORMS.name]] == ["generic"]
    assert [each.name for each in listed[SALES.name]] == ["sales", "hubspot"]
