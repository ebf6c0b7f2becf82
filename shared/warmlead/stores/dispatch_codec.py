"""How a dispatch and a circuit lie in a store: a text without the message, and the message."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from warmlead.domain.dispatch import Circuit, Dispatch
from warmlead.ports.dispatching import DispatchKey, UnreadableDispatch, UnreadableDispatchError

_FIELDS = frozenset(Dispatch.__struct_fields__)
_CIRCUIT_FIELDS = frozenset(Circuit.__struct_fields__)


def write_dispatch(dispatch: Dispatch, before: str | None = None) -> str:
    """The text of a dispatch without its message.

    Of the text that is replaced, ``before``, the fields of a newer release stay as they are.
    """
    text = msgspec.json.encode(replace(dispatch, body=b"")).decode()
    return _with_extra(text, before, _FIELDS)


def read_dispatch(record: str, body: bytes) -> Dispatch:
    """The dispatch of a text and its message, without the fields of a newer release.

    Raises ``ValueError`` if only a newer release can read it, or if it is damaged.
    """
    return replace(msgspec.json.decode(record, type=Dispatch), body=body)


def read_dispatch_at(key: DispatchKey, record: str, body: bytes) -> Dispatch | UnreadableDispatch:
    """The dispatch that lies at a key, or what is wrong with it."""
    try:
        dispatch = read_dispatch(record, body)
    except (ValueError, RecursionError) as error:
        known = isinstance(error, msgspec.ValidationError)
        problem = "written by another release, or damaged" if known else "damaged"
        return UnreadableDispatch(key.destination, key.id, problem)
    if (dispatch.destination, dispatch.id) != (key.destination, key.id):
        return UnreadableDispatch(key.destination, key.id, "damaged: it is another dispatch")
    return dispatch


def readable(read: Dispatch | UnreadableDispatch) -> Dispatch:
    """The dispatch; raises ``UnreadableDispatchError`` if it cannot be read."""
    if isinstance(read, UnreadableDispatch):
        raise UnreadableDispatchError(read)
    return read


def write_circuit(circuit: Circuit, before: str | None = None) -> str:
    """The text of a circuit; of ``before`` the fields of a newer release stay as they are."""
    return _with_extra(msgspec.json.encode(circuit).decode(), before, _CIRCUIT_FIELDS)


def read_circuit(record: str | None) -> Circuit:
    """The circuit of a text; of none a new one, and of one that cannot be read.

    Then a destination is asked too early at worst: what it answers makes the circuit anew.
    """
    try:
        return msgspec.json.decode(record, type=Circuit) if record else Circuit()
    except (ValueError, RecursionError):
        return Circuit()


def _with_extra(text: str, before: str | None, ours: frozenset[str]) -> str:
    """The text with those fields of another that are not ours."""
    try:
        known: Mapping[str, Any] = msgspec.json.decode(before) if before else {}
    except (ValueError, RecursionError):
        return text
    extra = {name: known[name] for name in known if name not in ours}
    if not extra:
        return text
    return msgspec.json.encode({**extra, **msgspec.json.decode(text)}).decode()
