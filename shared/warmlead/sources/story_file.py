"""Reads the file of a story, and names everything in it that is wrong, with its line and column."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from importlib import resources
from typing import NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from warmlead.domain.errors import ConfigurationError
from warmlead.domain.published import our_name
from warmlead.model.findings import Finding, Severity, did_you_mean
from warmlead.model.positions import Document, Path, Position, read
from warmlead.model.structure import path_text
from warmlead.model.vocabulary import STANDARD_EVENTS
from warmlead.model.wording import in_words
from warmlead.sources.story import Happening, Person, StoryFile, Told, tell

GOLDEN_MONTH = "golden-month"
"""The story that is told if none is asked for."""

_MANY = 2  # the parts of the path of an item: events, and its number


class Read(NamedTuple):
    """What a file tells, unless it has faults; and what was found in it."""

    told: Told | None
    findings: list[Finding]


def ready_stories() -> list[str]:
    """The names of the stories that come with Warmlead."""
    files = (file.name for file in (resources.files("warmlead.model") / "ready/stories").iterdir())
    return sorted(file.removesuffix(".yaml") for file in files if file.endswith(".yaml"))


def ready_story(name: str) -> str:
    """A story as it is written; raises ``ConfigurationError`` if there is none of this name."""
    if name not in ready_stories():
        known = ", ".join(ready_stories())
        raise ConfigurationError.one(f"No story is called {name}:", f"there are {known}")
    file = resources.files("warmlead.model") / "ready/stories" / f"{name}.yaml"
    return file.read_text(encoding="utf-8")


def read_story(text: str, *, known_events: Collection[str] = ()) -> Read:
    """The story in the text (YAML or JSON); nothing is told if anything in it is wrong.

    ``known_events`` are those that the model takes for signals: others are doubted.
    """
    document = read(text)
    if document.faults:
        misread = [_at(each.position, each.path, each.message) for each in document.faults]
        return Read(None, misread)
    if not isinstance(document.value, dict):
        return Read(None, [_at(Position(1, 1), (), "a story is a mapping: lead:, events: …")])
    try:
        file = StoryFile.model_validate(document.value)
    except ValidationError as error:
        return Read(None, [_misshapen(document, each) for each in error.errors(include_url=False)])
    told, faults = tell(file)
    found = [_at(document.of_value(path), path, message) for path, message in faults]
    doubts = _doubts(document, file, {*known_events, *STANDARD_EVENTS})
    return Read(None if found else told, found + doubts)


def _at(place: Position, path: Path, message: str, suggestion: str = "") -> Finding:
    return Finding(Severity.ERROR, *place, path_text(path), message, suggestion)


def _misshapen(document: Document, fault: ErrorDetails) -> Finding:
    """A complaint of the schema, at the key if it is the key that is wrong or lacking."""
    path = _of_file(fault["loc"])
    model = _model_at(path[:-1])
    message, suggestion = in_words({**fault, "loc": path}, model.model_fields if model else ())
    if fault["type"] == "missing":
        place = document.of_key(path[:-1])
    elif fault["type"] == "extra_forbidden":
        place = document.of_key(path)
    else:
        place = document.of_value(path)
    return _at(place, path, message, suggestion)


def _of_file(path: Path) -> Path:
    """The path without the alternatives that the schema has for a value."""
    return path[: _MANY + 1] if path[:1] == ("events",) else path[:_MANY]


def _model_at(path: Path) -> type[BaseModel] | None:
    match path:
        case ():
            return StoryFile
        case ("lead",):
            return Person
        case ("events", int()):
            return Happening
    return None


def _doubts(document: Document, file: StoryFile, known: AbstractSet[str]) -> list[Finding]:
    """Events that no signal of the model could be."""
    return [
        Finding(
            Severity.WARNING,
            *document.of_value(("events", i, "event")),
            path_text(("events", i, "event")),
            f'no signal of the model is a "{item.event}": it is worth nothing',
            did_you_mean(item.event, known),
        )
        for i, item in enumerate(file.events)
        if item.event is not None and not known & {item.event, our_name(item.event)}
    ]
