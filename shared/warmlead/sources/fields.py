"""What any sender's payload is made of, brought to one form: flat names, scalars, ids.

Refuses values that storage would refuse later, with a reason, and knows no field by name.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Property, snake_case
from warmlead.domain.identity import normalise_id
from warmlead.web.strict_json import text_of

MAX_FIELDS = 100
MAX_NAME = 64
MAX_KEY = 200  # what is beyond it does not distinguish names
MAX_TEXT_BYTES = 8 * 1024
MAX_LIST = 100
MAX_ID = 200

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def flatten(payload: Mapping[str, Any]) -> dict[str, Property]:
    """Nested fields as flat ones: ``{"company": {"size": 5}}`` is ``{"company_size": 5}``.

    Names become snake_case and are cut at 64 characters; of two that become the same the first
    is kept. A list with objects in it becomes JSON text. Raises ``RejectedError`` for more than
    100 fields, for texts above 8 KB and for lists of more than 100.
    """
    flat: dict[str, Property] = {}
    _flatten(payload, "", flat)
    if len(flat) > MAX_FIELDS:
        raise RejectedError(Reason.TOO_MANY_FIELDS, f"There are more than {MAX_FIELDS} fields.")
    return flat


def _flatten(payload: Mapping[str, Any], prefix: str, flat: dict[str, Property]) -> None:
    for key, value in payload.items():
        name = field_name(key[:MAX_KEY])
        if prefix:
            name = f"{prefix}_{name}"[:MAX_NAME].rstrip("_")
        if isinstance(value, dict):
            _flatten(value, name, flat)
        elif name not in flat:
            flat[name] = _value(value)


@lru_cache(maxsize=1024)
def field_name(text: str) -> str:
    """A field's name in snake_case, a letter first; a name without ASCII gets a stable stand-in."""
    name = snake_case(text)[:MAX_NAME].rstrip("_")
    if not name:
        return f"field_{short_hash(text)}"
    return name if name[0].isalpha() else f"field_{name}"[:MAX_NAME]


def _value(value: Any) -> Property:  # noqa: ANN401  # whatever JSON holds
    if isinstance(value, str):
        return _checked(value)
    if isinstance(value, list):
        if len(value) > MAX_LIST:
            raise RejectedError(Reason.FIELD_INVALID, f"A list has more than {MAX_LIST} entries.")
        if any(isinstance(entry, dict | list) for entry in value):
            return _checked(text_of(value))
        _checked("".join(entry for entry in value if isinstance(entry, str)))
        return value
    return value  # type: ignore[no-any-return]  # a number, a boolean or null


def _checked(text: str) -> str:
    # No character takes more than four bytes, so most texts need no counting.
    if len(text) * 4 > MAX_TEXT_BYTES and len(text.encode()) > MAX_TEXT_BYTES:
        raise RejectedError(Reason.FIELD_INVALID, f"A text is larger than {MAX_TEXT_BYTES} bytes.")
    return text


def person_id(value: Any, field: str) -> str | None:  # noqa: ANN401  # whatever JSON holds
    """A user or anonymous id; ``None`` for none and for placeholders such as ``"null"``.

    Whole numbers are taken as text. Raises ``RejectedError`` for what can be no id.
    """
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise RejectedError(Reason.IDENTITY_INVALID, f"{field} is neither a text nor a number.")
    found = normalise_id(value)
    if found and (len(found) > MAX_ID or _CONTROL.search(found)):
        raise RejectedError(
            Reason.IDENTITY_INVALID,
            f"{field} is longer than {MAX_ID} characters or holds control characters.",
        )
    return found


def event_id(value: Any, field: str) -> str | None:  # noqa: ANN401  # whatever JSON holds
    """A sender's id of an event; ``None`` for none. One above 200 characters is hashed.

    Raises ``RejectedError`` for what can be no id.
    """
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or _CONTROL.search(value):
        raise RejectedError(Reason.EVENT_ID_INVALID, f"{field} is not a plain text.")
    return value if len(value) <= MAX_ID else f"hash-{long_hash(value)}"


def event_name(text: str) -> str:
    """A sender's name of an event as ours: snake_case, a letter first, 64 characters at most.

    A name without ASCII letters or digits gets a stable stand-in, ``event_`` and eight digits.
    """
    name = snake_case(text[:MAX_KEY])
    if not name:
        return f"event_{short_hash(text)}"
    return (name if name[0].isalpha() else f"event_{name}")[:MAX_NAME].rstrip("_")


def short_hash(text: str) -> str:
    """Eight hexadecimal digits that stand for a text."""
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def long_hash(text: str) -> str:
    """32 hexadecimal digits that stand for a text; two texts never share them."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
