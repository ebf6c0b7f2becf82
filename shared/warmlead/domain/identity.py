"""Who an event is about: identifiers, their ids, and which of them are one person.

An *identifier* is an email, a user id or an anonymous id. Its id is a keyed hash, so an id reveals
nothing and needs no look-up. Which identifiers belong together follows from what events say, and
only from that: the same events in any order give the same people.

- A **link** joins two identified identifiers for good. Only a signed source makes one.
- A **claim** hangs a weaker identifier on a stronger one: an anonymous id on a user id or an email,
  a user id on an email. An identifier may be claimed by several; the best claim wins: signed before
  public, then the earliest. A public claim is dated by its receipt, since its sender can state any
  time. So a public source can say "this browser is Ada", but never merge two people who have an
  email each.
- If a signed source has named an identifier, only signed claims move it: data from that source, and
  events under the identifier, cannot be attached to somebody else's address.
"""

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Literal, NamedTuple

from msgspec import Struct, structs

from warmlead.domain.event import Event, Trust
from warmlead.domain.history import to_ms
from warmlead.domain.identifiers import decoded, is_placeholder, normalise_email, undamaged
from warmlead.domain.text import MAX_TEXT, in_one_spelling

__all__ = [
    "Claim",
    "Identifier",
    "Kind",
    "LeadIds",
    "Ties",
    "best_claim",
    "best_claims",
    "former_ids_of",
    "group_people",
    "identifiers_of",
    "in_todays_spelling",
    "is_damaged_address",
    "looks_like_address",
    "named_by",
    "naming_only",
    "normalise_email",
    "normalise_id",
    "respelt",
    "ties_of",
]


_REMEMBERED = 4_096
"""Number of cached ids of identifiers: that of an event is needed again and again."""

MAX_CLAIMS = 10
"""The limit of owners that are known to claim an identifier; the best claims stay."""


class Kind(IntEnum):
    """The kinds of identifier, the strongest first."""

    EMAIL = 0
    USER = 1
    ANONYMOUS = 2
    IMPORT = 3
    """An import and a person: it holds what the import says of the person, and nobody is named so.
    """


class Identifier(NamedTuple):
    """One way in which a person is known: the kind, and the normalised value; ordered by both."""

    kind: Kind
    value: str


class Claim(NamedTuple):
    """A statement that an identifier belongs to the ``owner``; ordered, the best claim first.

    ``at_ms`` is when it was true, as a signed source says, or when we received a public one.
    """

    distrust: int  # 0 signed, 1 public
    at_ms: int
    key: str
    owner: str


def normalise_id(text: str) -> str | None:
    """A user or anonymous id in one spelling; ``None`` for a program's placeholder.

    Its letters keep their case. An address whose ``+`` became a blank, or whose ``@`` was
    percent-encoded, is corrected: nothing else can have been meant. A text that is too long for an
    id is returned as it is.
    """
    value = text.strip()
    return value if len(value) > MAX_TEXT else _in_one_spelling(value)


@lru_cache(maxsize=_REMEMBERED)  # the calls of a batch name one person
def _in_one_spelling(text: str) -> str | None:
    value = in_one_spelling(text).strip()
    if not value or is_placeholder(value):
        return None
    return _mended(value)


def _mended(id_: str) -> str:
    """The id; if it is an address that was encoded, or decoded once too often, without damage."""
    text = id_
    if "@" not in text and ("%" in text or "&" in text):
        text = in_one_spelling(decoded(text)).strip()
    if "@" in text:
        text = undamaged(text)
    if text.count(" ") == 1:
        text = text.replace(" ", "+")
    return text if text != id_ and "@" in text and normalise_email(text) else id_


def looks_like_address(text: str) -> bool:
    """Whether a text is an email address, or is meant as one."""
    return "@" in (normalise_id(text) or text)


def is_damaged_address(id_: str) -> bool:
    """Whether an id would be an address without its blanks, which may have been any letter."""
    local, _, domain = id_.rpartition("@")
    has_blank = any(letter.isspace() for letter in local)
    return has_blank and len(id_) <= MAX_TEXT and normalise_email(f"a@{domain}") is not None


class LeadIds:
    """Makes ids of identifiers with a secret: 26 lower-case letters and digits, 128 bits.

    Without the secret an id does not reveal whether an email is known. ``former`` is the secret
    before, while leads and tombstones may still be under its ids; empty if there was none.
    """

    def __init__(self, secret: bytes, former: bytes = b"") -> None:
        self._secret = secret
        self._former = former
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._made)

    def of(self, identifier: Identifier) -> str:
        """The id of the identifier."""
        return self._remembered(identifier)

    @property
    def has_former(self) -> bool:
        """Whether there was another secret before."""
        return bool(self._former)

    def former_of(self, identifier: Identifier) -> tuple[str, ...]:
        """The id of the identifier under the secret before; empty if there was none."""
        return (_id_of(identifier, self._former),) if self._former else ()

    def _made(self, identifier: Identifier) -> str:
        return _id_of(identifier, self._secret)


def _id_of(identifier: Identifier, secret: bytes) -> str:
    text = f"{identifier.kind.name.lower()}:{identifier.value}".encode()
    digest = hmac.new(secret, text, hashlib.sha256).digest()[:16]
    return base64.b32encode(digest).decode().rstrip("=").lower()


def named_by(text: str) -> list[Identifier]:
    """The identifiers that a text may be, the strongest first; see ``is_meant`` for whom it means.

    Those of an earlier release among them, which kept each form of Unicode apart.
    """
    named: dict[Identifier, None] = {}
    id_ = normalise_id(text)
    if email := normalise_email(text) or normalise_email(id_ or ""):
        named[Identifier(Kind.EMAIL, email)] = None
    if id_:
        named |= dict.fromkeys(Identifier(kind, id_) for kind in (Kind.USER, Kind.ANONYMOUS))
    if named and len(text) <= MAX_TEXT and not text.isascii():
        forms = {text.strip(), *(unicodedata.normalize(form, text).strip() for form in _FORMS)}
        for form in sorted(forms):
            named |= dict.fromkeys(Identifier(kind, form) for kind in (Kind.USER, Kind.ANONYMOUS))
            if email:
                local = form.rpartition("@")[0].lower()
                named[Identifier(Kind.EMAIL, f"{local}@{email.rpartition('@')[2]}")] = None
    return list(named)


_DAMAGES = frozenset(" %&")
_FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
_FIELDS = (
    ("email", Kind.EMAIL),
    ("user_id", Kind.USER),
    ("merged_user_id", Kind.USER),
    ("anonymous_id", Kind.ANONYMOUS),
)
"""The fields of an event that name its person, the strongest first."""


def identifiers_of(event: Event) -> list[Identifier]:
    """The identifiers that the event names, the strongest first."""
    named = []  # field by field, since this is asked often: twice as fast as by ``_FIELDS``
    if event.email:
        named.append(Identifier(Kind.EMAIL, event.email))
    if event.user_id:
        named.append(Identifier(Kind.USER, event.user_id))
    if event.merged_user_id:
        named.append(Identifier(Kind.USER, event.merged_user_id))
    if event.anonymous_id:
        named.append(Identifier(Kind.ANONYMOUS, event.anonymous_id))
    return named


def naming_only(event: Event, kept: Collection[Identifier]) -> Event:
    """The event with only some of its identifiers."""
    dropped = {
        field: None
        for field, kind in _FIELDS
        if (value := getattr(event, field)) and Identifier(kind, value) not in kept
    }
    return structs.replace(event, **dropped) if dropped else event


def respelt(identifier: Identifier) -> Identifier:
    """The identifier as it is spelt today; unchanged if it would not be accepted today.

    What an earlier release accepted was in ASCII already where that is all it is today.
    """
    value = identifier.value
    if value.isascii() and _DAMAGES.isdisjoint(value) and "@@" not in value:
        return identifier
    spell = normalise_email if identifier.kind is Kind.EMAIL else normalise_id
    return Identifier(identifier.kind, spell(value) or value)


def in_todays_spelling(event: Event) -> Event:
    """The event with its identifiers as they are spelt today: an earlier release accepted it."""
    changed = {
        field: spelt.value
        for field, kind in _FIELDS
        if (value := getattr(event, field))
        and (spelt := respelt(Identifier(kind, value))).value != value
    }
    return structs.replace(event, **changed) if changed else event


def former_ids_of(before: Event, today: Event, ids: LeadIds) -> list[str]:
    """Other ids at which the event's person may have been erased.

    Those of identifiers as they were spelt ``before``, and those of the secret before.
    """
    if before is today and not ids.has_former:
        return []
    named = identifiers_of(today)
    others = [identifier for identifier in identifiers_of(before) if identifier not in named]
    return [
        *(ids.of(identifier) for identifier in others),
        *(id_ for identifier in (*named, *others) for id_ in ids.former_of(identifier)),
    ]


def ties_of(
    event: Event, ids: Mapping[Identifier, str]
) -> tuple[dict[str, Claim], list[tuple[str, str]]]:
    """The claims of the event by id, and its links as pairs of ids."""
    owner, *others = identifiers_of(event)
    signed = event.trust is Trust.SIGNED
    at_ms = to_ms(event.occurred_at if signed else event.received_at)
    claims: dict[str, Claim] = {}
    links: list[tuple[str, str]] = []
    for other in others:
        if signed and other.kind is not Kind.ANONYMOUS:
            links.append((ids[owner], ids[other]))
        else:
            claims[ids[other]] = Claim(0 if signed else 1, at_ms, event.key, ids[owner])
    return claims, links


class Ties(Struct, frozen=True):
    """How one identifier belongs to others: its kind, its links, the best claim.

    ``is_signed`` is whether a signed source has ever named it.
    """

    kind: Kind
    links: frozenset[str]
    claim: Claim | None
    is_signed: bool = False


def group_people(ties: Mapping[str, Ties]) -> dict[str, str]:
    """Which person each identifier belongs to: identifier id → the person's id.

    A person's id is that of the strongest identifier, the smallest among equals. Claims on
    an identifier that is, or is linked to, an email have no effect: nobody may be claimed
    who is already known by an address. Nor have public claims on one that is signed.
    """
    linked = _components(ties)
    root_of_component = {
        member: min(component, key=lambda id_: (ties[id_].kind, id_))
        for component in linked
        for member in component
    }
    person_of: dict[str, str] = {}
    for component in sorted(linked, key=lambda c: min((ties[m].kind, m) for m in c)):
        root = root_of_component[component[0]]
        claim = _claim_on(component, ties)
        if ties[root].kind is not Kind.EMAIL and claim:
            owner = root_of_component[claim.owner]
            root = person_of.get(owner, owner) if ties[owner].kind < ties[root].kind else root
        person_of.update(dict.fromkeys(component, root))
    return person_of


def _claim_on(component: Sequence[str], ties: Mapping[str, Ties]) -> Claim | None:
    """The best claim on identifiers that belong together; no public one if any is signed."""
    found = [claim for m in component if (claim := ties[m].claim) and claim.owner in ties]
    if any(ties[member].is_signed for member in component):
        found = [claim for claim in found if not claim.distrust]
    return best_claim(found)


def _components(ties: Mapping[str, Ties]) -> list[list[str]]:
    """The identifiers joined by links, each component once."""
    seen: set[str] = set()
    components: list[list[str]] = []
    for start in ties:
        if start in seen:
            continue
        seen.add(start)
        component, waiting = [], [start]
        while waiting:
            member = waiting.pop()
            component.append(member)
            fresh = [link for link in ties[member].links if link in ties and link not in seen]
            seen.update(fresh)
            waiting.extend(fresh)
        components.append(component)
    return components


def best_claims(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The best claim of each owner, the best first: at most 10 of them.

    Those that lose are kept for what is refused under the identifier.
    """
    of_owner: dict[str, Claim] = {}
    for claim in sorted(claims):
        of_owner.setdefault(claim.owner, claim)
    return tuple(of_owner.values())[:MAX_CLAIMS]


def best_claim(claims: Iterable[Claim | None]) -> Claim | None:
    """The claim that wins: signed before public, then the earliest."""
    return min((claim for claim in claims if claim), default=None)
