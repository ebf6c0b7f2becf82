"""Which parts of a submission may be kept, and which are kept of one that is set aside."""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from warmlead.parsing.form_bodies import IsNeeded
from warmlead.parsing.strict_json import text_of
from warmlead.senders.answers import labels_of
from warmlead.senders.generic.payload import is_envelope
from warmlead.senders.generic.settings import FormSettings
from warmlead.senders.person import (
    MAX_ADDRESS_TEXT,
    MAX_ADDRESSES,
    MAX_KEY,
    MAX_LIST,
    MAX_LOOKED_AT,
    MAX_TEXT_BYTES,
    email_of,
    field_name,
)

ANONYMOUS_ID = ("anonymous_id", "ajs_anonymous_id")

MAX_SET_ASIDE_TEXT = 60_000
"""Limit of characters that are kept of one submission that is set aside."""

MAX_UNREADABLE_BYTES = 64 * 1024
"""Limit of a body that cannot be read."""

_LOWER = bytes(range(256)).lower()
_MARKS = bytes(byte for byte in range(128) if not chr(byte).isalnum())

# Never kept: fields that guard the form itself, and data that no lead should have.
_UNWANTED = re.compile(
    r".*(captcha|turnstile)_response|(.*_)?csrf.*|authenticity_token|.*password.*"
    r"|(.*_)?nonce|form_token|form_build_id|wpforms_token|gform_unique_id"
    r"|.*card_?number.*|(.*_)?(passwd|pwd|cvv2?|cvc2?|ssn|iban)"
)

_UNWANTED_ANYWHERE = re.compile(
    r"passw|pwd|card.?num|\bcv[vc]2?\b|\bssn\b|\biban\b|captcha|csrf", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z0-9.-]+")
_WORD_AT_END = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+\Z")

WITHHELD = "(not kept, since it may hold a password; addresses in it:)"


def wanted_names(settings: FormSettings) -> Callable[[str], bool]:
    """Whether a field of a (flat) name may be kept, as a form's settings say."""
    known = known_names(settings)
    ignored = {field_name(name) for name in settings.ignore}

    def is_wanted(name: str) -> bool:
        return name not in ignored and (name in known or not _UNWANTED.fullmatch(name))

    return is_wanted


def known_names(settings: FormSettings) -> frozenset[str]:
    """The fields that the settings name, by their flat names, and those of anonymous ids."""
    named = (settings.email, settings.user_id, settings.anonymous_id, settings.id, settings.time)
    return frozenset(
        {field_name(name) for name in (*named, *settings.traits) if name} | {*ANONYMOUS_ID}
    )


def needed_fields(settings: FormSettings) -> IsNeeded:
    """Whether a field may identify the person, or is named by a form's settings.

    The name is examined as it was sent, without case, brackets and marks: an id, a name with
    ``mail`` in it. In other languages the value decides: an address has an @.
    """
    said = (settings.email, settings.user_id, settings.anonymous_id, settings.id, settings.time)
    names = {*known_names(settings), *filter(None, said), *settings.traits}
    known = {_bare(name.encode()) for name in names}

    def is_needed(name: bytes, value: bytes) -> bool:
        bare = _bare(name)
        return b"mail" in bare or bare in known or b"@" in value or b"%40" in value

    return is_needed


def _bare(name: bytes) -> bytes:
    return name.translate(_LOWER, _MARKS)


class SetAside(NamedTuple):
    """The text for quarantine; ``is_cut`` if it is not the whole input."""

    text: str
    is_cut: bool


def set_aside(item: Any, settings: FormSettings) -> SetAside:  # noqa: ANN401  # whatever JSON holds
    """A submission for quarantine: JSON, as sent, but bounded.

    Fields that may never be kept are left out. Changed settings may make a lead of it later.
    """
    writing = _Writing(wanted_names(settings), needed_fields(settings))
    text = text_of(writing.value(item, ""))
    return SetAside(text, writing.is_cut)


class _Writing:
    """Copies the parts of a submission that may be kept, up to the limit."""

    def __init__(self, is_wanted: Callable[[str], bool], is_needed: IsNeeded) -> None:
        self._is_wanted = is_wanted
        self._is_needed = is_needed
        self.is_cut = False
        self._fields = MAX_LOOKED_AT
        self._room = MAX_SET_ASIDE_TEXT

    def value(self, value: Any, prefix: str) -> Any:  # noqa: ANN401  # whatever JSON holds
        """The copy of a value; its depth is bounded, as it was parsed or mended before."""
        if isinstance(value, str):
            text = value[: min(MAX_TEXT_BYTES, self._room)]
            self._room -= len(text)
            self.is_cut |= len(text) < len(value)
            return text
        if isinstance(value, list):
            self.is_cut |= len(value) > MAX_LIST
            return [self.value(one, prefix) for one in value[:MAX_LIST] if self._may(one, prefix)]
        return self._object(value, prefix) if isinstance(value, dict) else value

    def _may(self, one: Any, prefix: str) -> bool:  # noqa: ANN401  # whatever JSON holds
        """Whether a value of a list may be kept; a record in it may be labelled as a password."""
        if not isinstance(one, dict):
            return True
        names = (field_name(label) for label in labels_of(one, {}))
        return all(self._is_wanted(f"{prefix}_{name}" if prefix else name) for name in names)

    def _object(self, group: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        in_envelope = not prefix and is_envelope(group)
        written: dict[str, Any] = {}
        for key, value in sorted(group.items(), key=self._order):
            if self._fields <= 0:
                self.is_cut = True
                break
            own = field_name(key[:MAX_KEY])
            name = "" if in_envelope else f"{prefix}_{own}" if prefix else own
            if in_envelope or self._is_wanted(name):
                self._fields -= 1
                written[key[:MAX_KEY]] = self.value(value, name)
        order = dict.fromkeys(key[:MAX_KEY] for key in group)
        return {key: written[key] for key in order if key in written}

    def _order(self, item: tuple[str, Any]) -> tuple[bool, bool, int]:
        """Needed fields come first, then groups; long texts come last, so that all fit."""
        key, value = item
        text = value if isinstance(value, str) else ""
        start = text[:MAX_ADDRESS_TEXT].encode(errors="replace")
        needed = not isinstance(value, dict | list) and self._is_needed(
            key[:MAX_KEY].encode(errors="replace"), start
        )
        return not needed, not isinstance(value, dict | list), len(text)


def unreadable_text(body: bytes) -> SetAside | None:
    """The beginning of an unreadable body, for a person to look at; ``None`` if not text.

    If fields cannot be separated, neither can a password. Of a body that names a password only the
    addresses are kept.
    """
    start = body[:MAX_UNREADABLE_BYTES]
    if b"\0" in start:
        return None
    text = start.decode(errors="replace")
    if not _UNWANTED_ANYWHERE.search(text):
        return SetAside(text, len(start) < len(body))
    return SetAside(f"{WITHHELD} {', '.join(_addresses(text))}".strip(), is_cut=True)


def _addresses(text: str) -> list[str]:
    """The e-mail addresses in a text, the first ten."""
    pieces = text.split("@", 2 * MAX_ADDRESSES)
    found = []
    for before, after in pairwise(pieces):
        local, domain = _WORD_AT_END.search(before[-64:]), _WORD.match(after[:255])
        if local and domain and (email := email_of(f"{local[0]}@{domain[0]}")):
            found.append(email)
    return found[:MAX_ADDRESSES]
