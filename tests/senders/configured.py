"""The fixtures of all senders, and the senders as the fixtures say that they are configured.

A fixture may hold ``settings``: a part of the settings file of its sender's function. All parts
together are the file. One fixture of a sender states its section, whichever it is.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from warmlead.domain.event import Trust
from warmlead.ports import RawRequest, Translation
from warmlead.runtime.table import FORMS, SALES
from warmlead.senders.base import Sender
from warmlead.senders.generic import FormSettings
from warmlead.senders.registry import REGISTRY, by_name, section_name, sections_of, senders_in
from warmlead.settings import Settings

NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)
"""The moment at which every fixture is received."""

HERE = Path(__file__).parent
FIXTURES = sorted(HERE.glob("*/fixtures/*.json"))
USING = Settings(write_keys={"pub": Trust.PUBLIC, "server": Trust.SIGNED})


def sender_of(fixture: Path) -> str:
    """The name of a fixture's sender."""
    return fixture.parent.parent.name


def request_in(said: Mapping[str, Any]) -> RawRequest:
    """The request that a fixture holds."""
    assert isinstance(said["body"], str), "the body is not text yet: make fixtures SENDER=name"
    return RawRequest(
        method=said["method"],
        path=said["path"],
        query=said["query"],
        headers=said["headers"],
        body=said["body"].encode(),
        received_at=NOW,
        request_id="req",
    )


def meant(translation: Translation) -> list[dict[str, Any]]:
    """The events as ``expected`` of a fixture holds them."""
    return [
        {
            "index": index,
            **{
                name: value
                for name, value in json.loads(msgspec.json.encode(event)).items()
                if name not in ("received_at", "source")
            },
        }
        for index, event in translation.events
    ]


def sampled(paths: Iterable[Path]) -> list[Any]:
    """The fixtures for a test that says the same of all of a sender: most of them are slow."""
    firsts: dict[str, Path] = {}
    return [
        pytest.param(
            path,
            id=f"{sender_of(path)}/{path.stem}",
            marks=() if firsts.setdefault(sender_of(path), path) == path else pytest.mark.slow,
        )
        for path in paths
    ]


@cache
def file_of(function: str) -> dict[str, Any]:
    """The settings file of a function; a section that is stated twice is an error."""
    stated = [
        section
        for path in FIXTURES
        if by_name(sender_of(path)).function == function
        for section in json.loads(path.read_text()).get("settings", {}).items()
    ]
    file = dict(stated)
    assert len(file) == len(stated), f"two fixtures state the same section of {function}"
    return file


def configured_senders() -> Mapping[str, Sender]:
    """Every sender by its name."""
    functions = dict.fromkeys(each.function for each in REGISTRY)
    return {
        sender.name: sender
        for function in functions
        for sender in senders_in(function, file_of(function), USING).all()
    }


def started_anew(name: str) -> Sender:
    """A sender as it is after a start, when it remembers nothing of requests before."""
    registration = by_name(name)
    if registration.takes_rest or not registration.settings:
        return _all()[name]
    section = section_name(registration)
    file = {section: _files(registration.function)[section]}
    return senders_in(registration.function, file, USING).by_path[registration.path]


_all = cache(configured_senders)
_files = cache(file_of)


def sales_senders(content: object, *, production: bool = False) -> list[Sender]:
    """The senders of ``sales`` in a file of this content."""
    return senders_in(SALES.name, content, _settings(production)).all()


def forms_in(content: object, *, production: bool = False) -> Mapping[str, FormSettings]:
    """The forms in a file of this content."""
    sections = sections_of(FORMS.name, content, production=production)
    return {name: one for name, one in sections.items() if isinstance(one, FormSettings)}


def _settings(production: bool) -> Settings:
    return Settings(env="production") if production else Settings()
