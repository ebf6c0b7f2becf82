"""The fixtures of all senders, and the senders as the fixtures say that they are configured.

A fixture may hold ``settings``: a part of the settings file of its sender's function. All parts
together are the file. One fixture of a sender states its section, whichever it is.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warmlead.domain.event import Trust
from warmlead.runtime.table import FORMS, SALES
from warmlead.senders.base import Sender
from warmlead.senders.generic import FormSettings
from warmlead.senders.registry import REGISTRY, by_name, sections_of, senders_in
from warmlead.settings import Settings

HERE = Path(__file__).parent
FIXTURES = sorted(HERE.glob("*/fixtures/*.json"))
USING = Settings(write_keys={"pub": Trust.PUBLIC, "server": Trust.SIGNED})


def sender_of(fixture: Path) -> str:
    """The name of a fixture's sender."""
    return fixture.parent.parent.name


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


def sales_senders(content: object, *, production: bool = False) -> list[Sender]:
    """The senders of ``sales`` in a file of this content."""
    return senders_in(SALES.name, content, _settings(production)).all()


def forms_in(content: object, *, production: bool = False) -> Mapping[str, FormSettings]:
    """The forms in a file of this content."""
    sections = sections_of(FORMS.name, content, production=production)
    return {name: one for name, one in sections.items() if isinstance(one, FormSettings)}


def _settings(production: bool) -> Settings:
    return Settings(env="production") if production else Settings()
