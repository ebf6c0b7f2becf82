"""What of a submission may be kept at all, and what is written down of one that is set aside."""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from warmlead.sources.fields import (
    MAX_ADDRESSES,
    MAX_KEY,
    MAX_LIST,
    MAX_LOOKED_AT,
    MAX_TEXT_BYTES,
    email_of,
    field_name,
)
from warmlead.sources.generic.cloudevents import is_envelope
from warmlead.sources.generic.settings import FormSettings
from warmlead.web.strict_json import text_of

ANONYMOUS_ID = ("anonymous_id", "ajs_anonymous_id")

MAX_SET_ASIDE_TEXT = 60_000
"""The most characters of texts that are written down of one submission."""

MAX_UNREADABLE_BYTES = 64 * 1024
"""The most that is kept of a body that cannot be read."""

# Never kept: what guards the form itself, and what no lead's record should hold.
_UNWANTED = re.compile(
    r".*(captcha|turnstile)_response|(.*_)?csrf.*|authenticity_token|.*password.*"
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


def set_aside_text(item: Any, settings: FormSettings) -> str:  # noqa: ANN401  # whatever JSON holds
    """A submission as it is written down in quarantine: JSON, as it was sent, but bounded.

    Without what may never be kept. The settings may say later that it is a lead after all.
    """
    return text_of(_Writing(wanted_names(settings)).value(item, ""))


class _Writing:
    """Copies what may be kept of a submission, until enough has been written."""

    def __init__(self, is_wanted: Callable[[str], bool]) -> None:
        self._is_wanted = is_wanted
        self._fields = MAX_LOOKED_AT
        self._room = MAX_SET_ASIDE_TEXT

    def value(self, value: Any, prefix: str) -> Any:  # noqa: ANN401  # whatever JSON holds
        """The copy of a value; its depth is bounded, as it was parsed or mended before."""
        if isinstance(value, str):
            text = value[: min(MAX_TEXT_BYTES, self._room)]
            self._room -= len(text)
            return text
        if isinstance(value, list):
            return [self.value(one, prefix) for one in value[:MAX_LIST]]
        return self._object(value, prefix) if isinstance(value, dict) else value

    def _object(self, group: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        in_envelope = not prefix and is_envelope(group)
        written: dict[str, Any] = {}
        for key, value in sorted(group.items(), key=_length):
            if self._fields <= 0:
                break
            own = field_name(key[:MAX_KEY])
            name = "" if in_envelope else f"{prefix}_{own}" if prefix else own
            if in_envelope or self._is_wanted(name):
                self._fields -= 1
                written[key[:MAX_KEY]] = self.value(value, name)
        order = dict.fromkeys(key[:MAX_KEY] for key in group)
        return {key: written[key] for key in order if key in written}


def _length(item: tuple[str, Any]) -> int:
    """Long texts come last, so that they take the room of no short ones."""
    return len(item[1]) if isinstance(item[1], str) else 0


def unreadable_text(body: bytes) -> str | None:
    """The beginning of a body that cannot be read, for a person to look at; ``None`` if no text.

    Where its fields cannot be told apart, neither can a password in it. A body that names one
    is not kept, only the addresses in it.
    """
    start = body[:MAX_UNREADABLE_BYTES]
    if b"\0" in start:
        return None
    text = start.decode(errors="replace")
    if not _UNWANTED_ANYWHERE.search(text):
        return text
    return f"{WITHHELD} {', '.join(_addresses(text))}".strip()


def _addresses(text: str) -> list[str]:
    """The e-mail addresses in a text, the first ten."""
    pieces = text.split("@", 2 * MAX_ADDRESSES)
    found = []
    for before, after in pairwise(pieces):
        local, domain = _WORD_AT_END.search(before[-64:]), _WORD.match(after[:255])
        if local and domain and (email := email_of(f"{local[0]}@{domain[0]}")):
            found.append(email)
    return found[:MAX_ADDRESSES]
