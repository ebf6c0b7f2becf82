"""Answers that form builders send as a list of records, each a label and a value, as fields.

Typeform, Tally, Google's lead forms, HubSpot's forms, Meta's lead ads; and the lists of addresses
that CRMs and address books send. Any other value stays as it is.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from warmlead.senders.labels import trait_of_name

MAX_UNDERSTOOD = 500
"""Records of an item that are searched for a known label; of others the first counts."""

MAX_LABEL = 200
MAX_LABELS = 3
"""Number of labels of a record that are tried."""

_LABELS = ("label", "question", "title", "column_name", "name", "column_id", "key", "ref")
_VALUES = ("value", "values", "string_value", "answer", "text")
_VALUES_ALONE = (*_VALUES, "address", "email", "email_address", "phone_number", "phone", "number")
_SEVERAL = {
    "emails": "email",
    "email_addresses": "email",
    "phones": "phone",
    "phone_numbers": "phone",
}
_KINDS = ("email", "phone_number", "phone")
_MISSING = object()


class Unfolded(NamedTuple):
    """A name, and what it holds: a group of fields by label, a list of values, or a value."""

    name: str
    value: Any


class Answers:
    """Unfolds the lists of one item. All work is linear in their size."""

    def __init__(self, field_name: Callable[[str], str]) -> None:
        self._field_name = field_name
        self._room = MAX_UNDERSTOOD

    def unfolded(self, name: str, records: list[Any], group: Mapping[str, Any]) -> Unfolded | None:
        """A list of records as fields; ``None`` if it is not such a list.

        ``name`` is its flat name in its own ``group``, which may hold the titles of its questions.
        """
        if not all(isinstance(record, dict) for record in records):
            return None
        if name in _SEVERAL or trait_of_name(name) in ("email", "phone"):
            return _alone(_SEVERAL.get(name, name), records)
        titles = _titles(group.get("definition"))
        fields: dict[str, Any] = {}
        for record in records:
            labels, value = labels_of(record, titles), _value(record)
            if not labels or value is _MISSING:
                return None
            label = self._label(labels, record)
            if fields.get(label) in (None, "", []):
                fields[label] = value
        return Unfolded(name, fields)

    def value_of_field(self, name: str, record: Mapping[str, Any]) -> Unfolded | None:
        """A field that a form builder describes by id, type and title, as its value.

        Elementor's webhook: ``fields[email][title]``, ``fields[email][value]``. ``None`` if it is
        not described. Its own name wins over its title, if the name is known.
        """
        said = (record.get("title"), record.get("id"), record.get("type"))
        if "value" not in record or not all(isinstance(one, str) for one in said):
            return None
        labels = [name, *labels_of(record, {})]
        return Unfolded(self._label(labels, record), record["value"])

    def _label(self, labels: list[str], record: Mapping[str, Any]) -> str:
        """The first known label; else that of a kind with a meaning; else the first.

        Labels of other scripts are traits as soon as they are field names.
        """
        if self._room <= 0:
            return labels[0]
        self._room -= 1
        known = (one for one in labels[:MAX_LABELS] if trait_of_name(self._field_name(one)))
        return next(known, None) or _kind(record) or labels[0]


def labels_of(record: Mapping[str, Any], titles: Mapping[str, str]) -> list[str]:
    """What a record calls itself, the words that people see first."""
    field = record.get("field")
    inner = field if isinstance(field, dict) else {}
    title = titles.get(inner["id"]) if isinstance(inner.get("id"), str) else None
    asked = (inner.get("title"), inner.get("ref"), inner.get("id"))
    texts: Iterable[object] = (title, *(record.get(name) for name in _LABELS), *asked)
    return [text[:MAX_LABEL] for text in texts if isinstance(text, str) and text.strip()]


def _titles(definition: object) -> dict[str, str]:
    """Typeform's questions by their ids; the answers hold the ids alone."""
    fields = definition.get("fields") if isinstance(definition, dict) else None
    questions = fields[:MAX_UNDERSTOOD] if isinstance(fields, list) else []
    return {
        one["id"]: one["title"]
        for one in questions
        if isinstance(one, dict)
        and isinstance(one.get("id"), str)
        and isinstance(one.get("title"), str)
    }


def _kind(record: Mapping[str, Any]) -> str | None:
    """``email`` of Typeform's type ``email`` and Tally's ``INPUT_EMAIL``."""
    stated = record.get("type")
    kind = stated[:MAX_LABEL].lower().removeprefix("input_") if isinstance(stated, str) else ""
    return kind if kind in _KINDS else None


def _value(record: Mapping[str, Any]) -> Any:  # noqa: ANN401  # whatever JSON holds
    kind = record.get("type")
    names = (*_VALUES, kind) if isinstance(kind, str) else _VALUES
    found = next((record[name] for name in names if name in record), _MISSING)
    if isinstance(found, dict):  # Typeform's choices
        found = next((found[name] for name in ("label", "labels") if name in found), found)
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def _alone(name: str, records: list[Any]) -> Unfolded | None:
    """A list of addresses or telephones, the primary ones first."""
    ordered = sorted(records, key=lambda record: record.get("primary") is not True)
    values = [
        next((record[name] for name in _VALUES_ALONE if name in record), _MISSING)
        for record in ordered
    ]
    scalars = (value is not _MISSING and not isinstance(value, dict | list) for value in values)
    return Unfolded(name, values) if all(scalars) else None
