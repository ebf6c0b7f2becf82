"""Destinations that hand the message on as it is, or with the fields that its settings name."""

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from warmlead.destinations.base import DestinationSettings
from warmlead.messages.contract import MESSAGES, LeadInMessage
from warmlead.ports.dispatching import OutgoingMessage
from warmlead.settings import SettingFault

OF_PERSONS = "lead"
"""The field of a message's data that holds all personal data."""


class ForwardingSettings(DestinationSettings, frozen=True, kw_only=True):
    """The base of the settings of tools that get the message itself.

    ``fields`` are those of its data that are sent, by their path: ``score``, ``lead.email``,
    ``lead.traits.company``; none: all of them.
    """

    fields: tuple[str, ...] = ()

    @classmethod
    def faults(cls, given: object, where: tuple[str, ...]) -> list[SettingFault]:
        """See ``DestinationSettings``."""
        found = super().faults(given, where)
        return found or list(_faults(given, where))

    def forwarded(self, message: OutgoingMessage) -> bytes:
        """The body that is sent for a message: for one message always the same bytes."""
        return with_fields(message, self.fields) if self.fields else message.body


def _faults(given: Any, where: tuple[str, ...]) -> Iterator[SettingFault]:  # noqa: ANN401  # a section
    known = sorted(_known_fields())
    for path in given.get("fields") or ():
        if not _is_known(path, known):
            near = get_close_matches(path, known, 1, 0.5)
            meant = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
            yield SettingFault((*where, "fields"), f"{path[:80]} is no field of a message{meant}")


def _known_fields() -> set[str]:
    """The fields of all messages' data, and those of its lead."""
    of_data = {
        name
        for message in MESSAGES.values()
        for name in _fields_of(message.model_fields["data"].annotation)
    }
    return of_data | {f"{OF_PERSONS}.{name}" for name in LeadInMessage.model_fields}


def _fields_of(model: Any) -> Iterable[str]:  # noqa: ANN401  # a pydantic model
    fields: Mapping[str, object] = model.model_fields
    return fields


def _is_known(path: str, known: Iterable[str]) -> bool:
    """Whether a path is a field, or lies below one that holds further ones."""
    return any(path == name or path.startswith(f"{name}.") for name in known)


def with_fields(message: OutgoingMessage, paths: Iterable[str]) -> bytes:
    """The message with these fields of its data alone; those that it does not have are left out."""
    kept: dict[str, Any] = {}
    for path in paths:
        _keep(kept, message.data, path.split("."))
    event = msgspec.json.decode(message.body)
    return json.dumps({**event, "data": kept}, ensure_ascii=False, separators=(",", ":")).encode()


def _keep(kept: dict[str, Any], data: Mapping[str, Any], names: list[str]) -> None:
    """Takes the value at a path over."""
    name, *below = names
    if name not in data:
        return
    if not below:
        kept[name] = data[name]
    elif isinstance(inner := data[name], dict):
        already = kept.get(name)
        into = already if isinstance(already, dict) else {}
        if already is not inner:  # the whole of it is kept already
            _keep(into, inner, below)
            kept[name] = into
