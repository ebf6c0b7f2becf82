"""Who an event is about: identifiers, their ids, and which of them are one person.

An *identifier* is an email, a user id or an anonymous id. Its id is a keyed hash, so an id
reveals nothing and needs no look-up. Which identifiers belong together follows from what
events say, and only from that: the same events in any order give the same people.

- A **link** joins two identified identifiers for good. Only a signed source makes one.
- A **claim** hangs a weaker identifier on a stronger one: an anonymous id on a user id or an
  email, a user id on an email. An identifier may be claimed by several; the best claim wins:
  signed before public, then the earliest. So a public source can say "this browser is Ada",
  but never merge two people who have an email each.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import NamedTuple

from warmlead.domain.event import Event, Trust
from warmlead.domain.history import to_ms

MAX_EMAIL_LENGTH = 254  # RFC 5321, as erratum 1690 to RFC 3696 explains

_LOCAL = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x20\x7f]{1,64}")
_DOMAIN_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

PLACEHOLDER_IDS = frozenset(
    (
        *("0", "-1", "anonymous", "guest", "none", "null", "nil", "undefined", "nan", "n/a"),
        *("true", "false", "unknown", "unidentified", "anonymous_user", "not_authenticated"),
        *("id", "user", "userid", "user_id", "distinctid", "distinct_id", "email"),
        *("[object object]", "00000000-0000-0000-0000-000000000000"),
    )
)
"""Values that programs send in place of an id; taken as ids they would fuse strangers.

After PostHog's list of illegal distinct ids.
"""


class Kind(IntEnum):
    """The kinds of identifier, the strongest first."""

    EMAIL = 0
    USER = 1
    ANONYMOUS = 2


class Identifier(NamedTuple):
    """One way in which a person is known: the kind, and the normalised value."""

    kind: Kind
    value: str


class Claim(NamedTuple):
    """A statement that an identifier belongs to the ``owner``; the smallest claim is the best."""

    distrust: int  # 0 signed, 1 public
    at_ms: int
    key: str
    owner: str


def normalise_email(text: str) -> str | None:
    """The address in lower case, its domain in ASCII; ``None`` if it is not an address.

    Dots and ``+tags`` stay: whether they name another mailbox is up to its host.
    """
    local, at, domain = text.strip().lower().rpartition("@")
    if (
        not at
        or not _LOCAL.fullmatch(local)
        or local[0] == "."
        or local[-1] == "."
        or ".." in local
    ):
        return None
    try:
        local.encode()  # a lone surrogate is no character
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = domain.split(".")
    if len(labels) == 1 or not all(_DOMAIN_LABEL.fullmatch(label) for label in labels):
        return None
    if labels[-1].isdigit() or len(local) + 1 + len(domain) > MAX_EMAIL_LENGTH:
        return None
    return f"{local}@{domain}"


def normalise_id(text: str) -> str | None:
    """A user or anonymous id without its surrounding space; ``None`` for placeholders."""
    value = text.strip()
    return None if not value or value.lower() in PLACEHOLDER_IDS else value


class LeadIds:
    """Makes ids of identifiers with a secret: 26 lower-case letters and digits, 128 bits.

    Without the secret nobody can tell from an id whether an email is known.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, identifier: Identifier) -> str:
        """The id of the identifier."""
        text = f"{identifier.kind.name.lower()}:{identifier.value}".encode()
        digest = hmac.new(self._secret, text, hashlib.sha256).digest()[:16]
        return base64.b32encode(digest).decode().rstrip("=").lower()


def identifiers_of(event: Event) -> list[Identifier]:
    """The identifiers that the event names, the strongest first."""
    named = (
        (Kind.EMAIL, event.email),
        (Kind.USER, event.user_id),
        (Kind.ANONYMOUS, event.anonymous_id),
    )
    return [Identifier(kind, value) for kind, value in named if value]


def ties_of(
    event: Event, ids: Mapping[Identifier, str]
) -> tuple[dict[str, Claim], list[tuple[str, str]]]:
    """What the event says of its identifiers: claims by id, and links as pairs of ids."""
    owner, *others = identifiers_of(event)
    signed = event.trust is Trust.SIGNED
    at_ms = to_ms(event.occurred_at)
    claims: dict[str, Claim] = {}
    links: list[tuple[str, str]] = []
    for other in others:
        if signed and other.kind is not Kind.ANONYMOUS:
            links.append((ids[owner], ids[other]))
        else:
            claims[ids[other]] = Claim(0 if signed else 1, at_ms, event.key, ids[owner])
    return claims, links


class Ties(NamedTuple):
    """What is known of one identifier's belonging: its kind, links to others, the best claim."""

    kind: Kind
    links: frozenset[str]
    claim: Claim | None


def group_people(ties: Mapping[str, Ties]) -> dict[str, str]:
    """Which person each identifier belongs to: identifier id → the person's id.

    A person's id is that of the strongest identifier, the smallest among equals. Claims on
    an identifier that is, or is linked to, an email have no effect: nobody may be claimed
    who is already known by an address.
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
        claims = [claim for m in component if (claim := ties[m].claim) and claim.owner in ties]
        if ties[root].kind is not Kind.EMAIL and claims:
            owner = root_of_component[min(claims).owner]
            root = person_of.get(owner, owner) if ties[owner].kind < ties[root].kind else root
        person_of.update(dict.fromkeys(component, root))
    return person_of


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


def best_claim(claims: Iterable[Claim | None]) -> Claim | None:
    """The claim that wins: signed before public, then the earliest."""
    return min((claim for claim in claims if claim), default=None)
