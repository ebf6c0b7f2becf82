"""The one way from a sender's fields to names, traits, ids and addresses."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import unquote

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import (
    MAX_AGE,
    MAX_NOTE_LENGTH,
    MAX_NOTES,
    Property,
    Trust,
    settle_time,
    snake_case,
)
from warmlead.domain.identity import is_damaged_address, normalise_email, normalise_id
from warmlead.domain.text import visible
from warmlead.parsing.charsets import Tell
from warmlead.parsing.form_bodies import MAX_BETWEEN, IsNeeded, nothing_is_needed
from warmlead.parsing.strict_json import text_of
from warmlead.senders.countries import country_code
from warmlead.senders.labels import Answers, is_salutation, name_of_label, trait_of_name
from warmlead.senders.tool_ids import is_of_another

MAX_FIELDS = 100
MAX_NAME = 64
MAX_KEY = 200  # the rest does not distinguish names
MAX_TEXT_BYTES = 8 * 1024
MAX_LIST = 100
MAX_ID = 200
MAX_LOOKED_AT = 500
"""The most fields of an item that are looked at: of a large group the first and the last ones."""

MAX_ADDRESS_TEXT = 1_000
"""The longest text, in characters, that is searched for an e-mail address."""

MAX_ADDRESSES = 10
"""The most values of a field, or parts of a text, that are tried as email addresses."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
EMPTY: tuple[object, ...] = ("", None, [])
"""Values of a field that say nothing."""

_ENTITY = re.compile("&#?[0-9A-Za-z]{1,31};")
_AROUND_ADDRESS = " \t\r\n\"'<>()[].,;:"


def flatten(
    payload: Mapping[str, Any],
    tell: Tell,
    *,
    matters: Callable[[str], object] = bool,
    in_lists: Callable[[str], bool] = lambda _: True,
    is_needed: IsNeeded = nothing_is_needed,
) -> dict[str, Property]:
    """Nested fields as flat ones: ``{"company": {"size": 5}}`` is ``{"company_size": 5}``.

    Names become snake_case and are cut at 64 characters. Texts are cut at 8 KB, lists at 100
    values and 8 KB; a list of labelled values becomes a group, any other list with objects in it
    JSON text. Of two names that become the
    same the first with a value is kept, an outer before an inner one. Of more than 100 fields
    those are kept whose name ``matters``, then the first ones. ``tell`` notes
    what is left out. Of very many fields the needed ones are looked at, wherever they stand. Of
    objects in a list only the fields are kept for whose own name ``in_lists`` holds.
    """
    flat: dict[str, Property] = {}
    for name, value in _fields(payload, tell, is_needed):
        present = flat.get(name)
        if name not in flat or present in EMPTY:
            flat[name] = _value(value, name, tell, in_lists)
        elif value not in EMPTY and _value(value, name, tell, in_lists) != present:
            tell(name, "another field of this name was left out")
    if (excess := len(flat) - MAX_FIELDS) <= 0:
        return flat
    tell("", f"fields left out: {excess}; at most {MAX_FIELDS} are kept")
    kept = set(sorted(flat, key=lambda name: not matters(name))[:MAX_FIELDS])
    return {name: value for name, value in flat.items() if name in kept}


def _fields(
    payload: Mapping[str, Any], tell: Tell, is_needed: IsNeeded
) -> Iterator[tuple[str, Any]]:
    """The fields by their flat names, outer ones before inner ones: 500, and 100 needed ones."""
    level: list[tuple[str, Mapping[str, Any]]] = [("", payload)]
    room = MAX_LOOKED_AT
    more = MAX_BETWEEN
    answers = Answers(field_name)
    left_out = 0
    while level:
        below: list[tuple[str, Mapping[str, Any]]] = []
        for prefix, group in level:
            items = _some(group, room)
            room -= len(items)
            between = list(islice(_needed(group, prefix, len(items), is_needed), more))
            more -= len(between)
            items += between
            left_out += len(group) - len(items)
            for key, value in items:
                own = field_name(key[:MAX_KEY])
                if _has_groups(value):
                    found = answers.unfolded(own, value, group)
                else:
                    found = answers.value_of_field(own, value) if isinstance(value, dict) else None
                own, inner = (field_name(found.name), found.value) if found else (own, value)
                name = f"{prefix}_{own}"[:MAX_NAME].rstrip("_") if prefix else own
                if isinstance(inner, dict):
                    below.append((name, inner))
                else:
                    yield name, inner
        level = below
    if left_out:
        tell("", f"fields left out: {left_out}; at most {MAX_LOOKED_AT} are read")


def _some(group: Mapping[str, Any], most: int) -> list[tuple[str, Any]]:
    """The items of a group: all, or the first four fifths and the last fifth of ``most``."""
    if len(group) <= most:
        return list(group.items())
    items = list(group.items())
    last = most // 5
    return [*items[: most - last], *items[len(items) - last :]]


def _needed(
    group: Mapping[str, Any], prefix: str, taken: int, is_needed: IsNeeded
) -> Iterator[tuple[str, Any]]:
    """The needed items and the groups among those that ``_some`` left out."""
    last = taken // 5
    for key, value in islice(group.items(), taken - last, len(group) - last):
        if isinstance(value, dict) or _has_groups(value):
            yield key, value
        else:
            name = f"{prefix}_{key[:MAX_KEY]}".encode(errors="replace")
            text = value[:MAX_ADDRESS_TEXT] if isinstance(value, str) else ""
            if is_needed(name, text.encode(errors="replace")):
                yield key, value


def _has_groups(value: Any) -> bool:  # noqa: ANN401  # whatever JSON holds
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


@lru_cache(maxsize=1024)
def field_name(text: str) -> str:
    """A field's name in snake_case, a letter first; a name without ASCII gets a stable stand-in.

    A label of another script or of several parts that means a standard trait becomes its name.
    """
    if not text.isascii():
        text = visible(text)
    if known := name_of_label(text[:MAX_KEY]):
        return known
    name = snake_case(text)[:MAX_NAME].rstrip("_")
    if not name:
        return f"field_{short_hash(text)}"
    return name if name[0].isalpha() else f"field_{name}"[:MAX_NAME]


def _value(value: Any, name: str, tell: Tell, in_lists: Callable[[str], bool]) -> Property:  # noqa: ANN401  # whatever JSON holds
    if isinstance(value, str):
        return _cut(value, name, tell)
    if not isinstance(value, list):
        return value  # type: ignore[no-any-return]  # a number, a boolean or null
    if len(value) > MAX_LIST:
        tell(name, f"was cut to {MAX_LIST} values")
        value = value[:MAX_LIST]
    if any(isinstance(entry, dict | list) for entry in value):
        return _cut(text_of(_filtered(value, in_lists)), name, tell)
    return _cut_list(value, name, tell)


def _filtered(value: Any, wanted: Callable[[str], bool]) -> Any:  # noqa: ANN401  # whatever JSON holds
    if isinstance(value, list):
        return [_filtered(each, wanted) for each in value]
    if isinstance(value, dict):
        fields = value.items()
        return {key: _filtered(v, wanted) for key, v in fields if wanted(field_name(key[:MAX_KEY]))}
    return value


def _cut(text: str, name: str, tell: Tell) -> str:
    """The text, or as many whole characters of it as 8 KB hold."""
    # No character takes more than four bytes, so most texts need no counting.
    if len(text) * 4 <= MAX_TEXT_BYTES:
        return text
    start = text[: MAX_TEXT_BYTES + 1].encode()
    if len(start) <= MAX_TEXT_BYTES:
        return text
    tell(name, f"was cut to {MAX_TEXT_BYTES} bytes")
    return start[:MAX_TEXT_BYTES].decode(errors="ignore")


def _cut_list(values: list[Any], name: str, tell: Tell) -> Property:
    """The values, or the first of them that 8 KB hold."""
    room = MAX_TEXT_BYTES
    for place, value in enumerate(values):
        if isinstance(value, str):
            room -= len(value[: MAX_TEXT_BYTES + 1].encode())
            if room < 0:
                tell(name, f"was cut to {MAX_TEXT_BYTES} bytes")
                return values[:place] or [_cut(value, name, tell)]
    return values


def email_of(value: object) -> str | None:
    """The first usable address in a field: a text, or a list of them; ``None`` for none.

    ``Ada <ada@example.com>``, ``mailto:ada@example.com``, ``E-mail: ada@example.com``, a remark in
    parentheses, quotes and brackets around an address, and several addresses divided by commas or
    semicolons are read.
    """
    values = value if isinstance(value, list) else [value]
    texts = [text for text in values[:MAX_ADDRESSES] if isinstance(text, str)]
    return next((found for text in texts if (found := _email_in(text))), None)


def _email_in(text: str) -> str | None:
    text = text.strip()
    if len(text) > MAX_ADDRESS_TEXT:
        return None
    text = _unescaped(text)
    if found := normalise_email(text):
        return found
    parts = text.replace(";", ",").split(",", MAX_ADDRESSES)[:MAX_ADDRESSES]
    others = (bare for part in parts if (bare := _bare(part)) != text)  # that was tried
    return next((found for other in others if (found := normalise_email(other))), None)


def _unescaped(text: str) -> str:
    """The text without HTML's entities and the backslashes that PHP puts before quotes.

    ``o&#039;brien@example.com`` divided at its semicolon would be ``brien@example.com``.
    """
    if "&" in text and ";" in text:
        from html import unescape  # noqa: PLC0415  # few addresses need its long table of names

        text = _ENTITY.sub(lambda found: unescape(found[0]), text)
    return text.replace("\\'", "'").replace('\\"', '"').strip()


def _bare(text: str) -> str:
    """The text without what mail programs and people write around an address."""
    text = text.strip()
    if "<" in text and text.endswith(">"):
        text = text[text.rindex("<") + 1 : -1]
    text = _without_remark(text).strip(_AROUND_ADDRESS)
    label, colon, behind = text.rpartition(":")
    if label[-6:].lower() == "mailto" and colon:
        text = unquote(behind.partition("?")[0]).lstrip("/")
    elif "@" in behind and "@" not in label:
        text = behind.lstrip("/")  # http://ada@example.com
    elif "@" not in text:
        text = unquote(text)  # encoded once too often
    return text.strip(_AROUND_ADDRESS)


def _without_remark(text: str) -> str:
    """The text without what stands in parentheses before or behind an address."""
    if text.endswith(")") and "@" in text[: (start := text.rfind("("))]:
        return text[:start]
    if text.startswith("(") and "@" in text[(end := text.find(")")) + 1 :] and end >= 0:
        return text[end + 1 :]
    return text


MAX_NAMES = 20
"""Limit of fields that a message to a sender names."""


def names_of(fields: Iterable[str]) -> str:
    """The names of some fields, for a message to their sender."""
    names = list(islice(dict.fromkeys(fields), MAX_NAMES + 1))
    return ", ".join(names[:MAX_NAMES]) + (" …" if len(names) > MAX_NAMES else "")


def person_id(value: Any, field: str, *, is_user: bool = False) -> str | None:  # noqa: ANN401  # whatever JSON holds
    """A user or anonymous id; ``None`` for none and for placeholders such as ``"null"``.

    Spelt as ``normalise_id`` spells it. Whole numbers are taken as text. Raises
    ``RejectedError`` for an invalid id; for a user id (``is_user``) also for a damaged address,
    with blanks in it.
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
    if found and is_user and is_damaged_address(found):
        message = f'{field} is an e-mail address with a blank in it. Encode "+" as "%2B" in URLs.'
        raise RejectedError(Reason.IDENTITY_INVALID, message)
    return found


def event_id(value: Any, field: str) -> str | None:  # noqa: ANN401  # whatever JSON holds
    """A sender's id of an event, or ``None``. An id of more than 200 characters is hashed.

    Raises ``RejectedError`` for an invalid id.
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
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=4).hexdigest()


def long_hash(text: str) -> str:
    """32 hexadecimal digits that stand for a text; two texts never share them."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


_NAMES = ("name", "first_name", "last_name")

_OF_APPLICATIONS = frozenset(("role",))
"""In a user's record these are permissions in an application; in a form, the job."""


@lru_cache(maxsize=1024)
def standard_name(name: str) -> str | None:
    """The trait that a field of this label or flat name means; ``None`` for an unknown one.

    Groups around it are ignored, as in ``contact[email]``, Jotform's ``q4_email`` and ``What is
    your email?``. ``friend_email`` and ``email_subject`` mean no trait.
    """
    return trait_of_name(field_name(name[:MAX_KEY]))


def as_traits(flat: Mapping[str, Property]) -> dict[str, Property]:
    """All fields as traits: known ones under their standard names, others under their own.

    A standard name wins over its other spellings. Those of ``consent`` are kept too, since one box
    may say yes and another no. Empty texts are unknown, not values.
    """
    traits: dict[str, Property] = {}
    for field, value in flat.items():
        name = field if field in _OF_APPLICATIONS else standard_name(field) or field
        if value in ("", []):
            continue
        if only_addresses(name, value):
            traits.setdefault("salutation", value)
            continue
        if name == field or name not in flat:
            taken = name in traits and name == "consent"  # two boxes are asked two things
            traits.setdefault(field if taken else name, trait_value(name, value))
        elif name == "consent":
            traits.setdefault(field, value)
    return traits


def only_addresses(trait: str, value: Property) -> bool:
    """Whether a title or a name is only a form of address, such as ``Mr``."""
    if not isinstance(value, str):
        return False
    if trait in _NAMES:
        return is_salutation(value, may_be_a_name=False)
    return trait == "title" and is_salutation(value)


def company_traits(flat: Mapping[str, Property]) -> dict[str, Property]:
    """A company's fields as traits of its people: its name becomes ``company``."""
    of_company = {
        name if name.startswith("company") else f"company_{name}": value
        for name, value in flat.items()
    }
    return {name: value for name, value in as_traits(of_company).items() if name != "email"}


def trait_value(name: str, value: Property) -> Property:
    """A trait's value in the one form that conditions compare with."""
    if isinstance(value, str):
        value = visible(value).strip()
        if name == "country":
            return country_code(value) or value
        if name == "consent" and standard_name(value) == name:
            return True  # a box that is ticked may send its own label
    if name in _OF_DIGITS and isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # Webflow sends a telephone as a number
    return value


_OF_DIGITS = ("phone", "postal_code")
"""Traits that are texts though they may consist of digits."""


T = TypeVar("T")

_BEFORE_THE_WEB = datetime(1995, 1, 1, tzinfo=UTC)
"""No sender of events is older: an earlier time is a default, such as the year 1970."""


MAX_COUNTED = 500
"""How many notes are counted that are not kept: a name costs more than the part it is of."""


class Notes:
    """Collects the notes on one item; the same note is kept once.

    ``error`` is the first error of a part that could not be used.
    """

    def __init__(self, earlier: Iterable[str] = ()) -> None:
        self.error: RejectedError | None = None
        self._texts = dict.fromkeys(earlier)
        self._more = 0

    def tell(self, field: str, what: str) -> None:
        """Notes what was done to a field; the name is empty for the item as a whole.

        Names are noted in the form in which they are kept: at most 64 letters and digits.
        """
        if self._more == MAX_COUNTED:
            return
        text = (f"{field_name(field[:MAX_KEY])}: {what}" if field else what)[:MAX_NOTE_LENGTH]
        if text in self._texts:
            return
        if len(self._texts) < MAX_NOTES - 1:
            self._texts[text] = None
        else:
            self._more += 1

    @property
    def told(self) -> tuple[str, ...]:
        """The notes, the first 19; then how many more there were."""
        least = "at least " if self._more == MAX_COUNTED else ""
        more = (f"and {least}{self._more} more",) if self._more else ()
        return (*self._texts, *more)

    def attempt(self, field: str, read: Callable[..., T], *arguments: object) -> T | None:
        """The value of a part of the item; ``None``, with a note, if it cannot be used."""
        try:
            return read(*arguments)
        except RejectedError as error:
            self.refuse(field, error)
            return None

    def refuse(self, field: str, error: RejectedError) -> None:
        """Notes that a part of the item is left out because of an error."""
        self.error = self.error or error
        self.tell(field, f"was left out ({error.reason})")

    def person_id(
        self, value: object, field: str, trust: Trust, *, is_user: bool = False, sender: str = ""
    ) -> str | None:
        """A usable user or anonymous id, or ``None``. Notes an id that cannot be used.

        A public event names no id of a CRM or a tool, but for the ``sender`` that states its own.
        """
        read = partial(person_id, is_user=is_user)
        found = self.attempt(field, read, value, field)
        if found and trust is Trust.PUBLIC and is_of_another(found, sender):
            text = f"{field} is the id of a record in a tool, which only a signed event may name."
            self.refuse(field, RejectedError(Reason.IDENTITY_INVALID, text))
            return None
        return found

    def settled(self, claimed: datetime | None, received_at: datetime, field: str) -> datetime:
        """The time at which an event counts; that of receipt if the sender's is unknown or invalid.

        An event of more than five years ago counts as of five years ago, so that it has no effect
        on the present.
        """
        settled = settle_time(claimed, received_at)
        if settled is not None:
            return settled
        if claimed is None or claimed < _BEFORE_THE_WEB:
            self.tell(field, "is before 1995; the time of receipt counts")
            return received_at
        self.tell(field, "is more than five years ago; it counts as five years ago")
        return received_at - MAX_AGE
