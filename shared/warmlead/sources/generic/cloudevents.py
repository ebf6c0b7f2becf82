"""Submissions that come as CloudEvents: their ids and times are those of the events.

After https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md:
in binary mode the attributes are headers, in structured mode the body is the envelope.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote

from warmlead.domain.errors import RejectedError
from warmlead.sources.fields import MAX_TEXT_BYTES, event_id
from warmlead.web.strict_json import parse

Mend: TypeAlias = Callable[[Any], Any]
"""Makes a value of which the JSON has local faults usable."""

_REQUIRED = ("specversion", "id", "source", "type")
_DATA = ("data", "data_base64")


class Opened(NamedTuple):
    """A submission out of its envelope; without one it has neither id nor time."""

    fields: Any
    id: str | None = None
    time: Any = None


def in_envelopes(items: Sequence[Any], headers: Mapping[str, str]) -> Sequence[Any]:
    """The submissions of a request in binary mode, each in an envelope; any others as they are."""
    if "ce-specversion" not in headers or not headers.get("ce-id"):
        return items
    names = (*_REQUIRED, "time")
    said = {name: unquote(headers.get(f"ce-{name}", ""))[:MAX_TEXT_BYTES] for name in names}
    return [
        {**said, "id": f"{said['id']}-{index}" if index else said["id"], "data": item}
        for index, item in enumerate(items)
    ]


def opened(item: Any, mend: Mend) -> Opened:  # noqa: ANN401  # whatever JSON holds
    """A submission out of its envelope, if it is in one; ``mend`` does so to data in base64."""
    if not is_envelope(item):
        return Opened(item)
    data = item["data"] if "data" in item else _decoded(item["data_base64"], mend)
    # Two sources may give the same id: it counts only with its source.
    id_ = " ".join(str(item[name]) for name in ("source", "id") if item[name])
    try:
        return Opened(data, event_id(id_, "The id"), item.get("time"))
    except RejectedError:
        return Opened(data, None, item.get("time"))


def is_envelope(item: Any) -> bool:  # noqa: ANN401  # whatever JSON holds
    """Whether it is a CloudEvent in JSON, with data."""
    return (
        isinstance(item, dict)
        and all(isinstance(item.get(name), str) for name in _REQUIRED)
        and any(name in item for name in _DATA)
    )


def _decoded(encoded: Any, mend: Mend) -> Any:  # noqa: ANN401  # whatever JSON holds
    try:
        document = parse(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError, TypeError, RejectedError):
        return None
    return mend(document.value) if document.suspect else document.value
