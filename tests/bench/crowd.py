"""A crowd of leads: a few made by the real code, and as many copies of their documents as wanted.

Each copy has an id and an address of its own, and is what the store itself would have written.
Others store them.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from bench.cloud import MODEL
from bench.traffic import IDS
from warmlead.application.evaluate import evaluate
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import Identifier, Kind, identifiers_of
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead, Trail, touch_trails
from warmlead.runtime import backends
from warmlead.stores.codec import LeadDocument, write_lead
from warmlead.stores.firestore.codec import NOTHING, Database, Write
from warmlead.stores.firestore.fields import SHARDS
from warmlead.stores.sqlite import StoredRow, row_of

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
"""When the daily run is: the leads that are due were last looked at a week ago."""

DAY = timedelta(days=1)
FIRST = "lead-0000000@example.com"


KINDS = 16
"""So many leads differ in what they did and are; the others did the same as one of them."""


class Person(NamedTuple):
    """Somebody of the crowd."""

    id: str
    email: str
    number: int


def people(count: int) -> list[Person]:
    """So many persons, in order of id."""
    emails = ((f"lead-{number:07}@example.com", number) for number in range(count))
    return sorted(Person(IDS.of(Identifier(Kind.EMAIL, email)), email, n) for email, n in emails)


class Copied:
    """Documents of leads, to be copied for others."""

    def __init__(self, leads: Sequence[Lead]) -> None:
        self._leads = [(lead, write_lead(lead)) for lead in leads]
        self._rows = [row_of(LeadDocument(lead, {}), 0) for lead in leads]

    @property
    def size_bytes(self) -> int:
        """How long the longest document is."""
        return max(len(text) for _, text in self._leads)

    def row_for(self, person: Person) -> StoredRow:
        """The row of somebody who did the same, for SQLite's table."""
        _, text = self._for(person)
        _, (_, *often), (*seldom, words) = self._rows[person.number % len(self._rows)]
        own = str(words).replace("0000000", f"{person.number:07}")
        return StoredRow(person.id, (text, *often), (*seldom, own))

    def fields_for(self, person: Person) -> dict[str, object]:
        """The fields of the document of somebody who did the same, in Firestore."""
        lead, text = self._for(person)
        return {
            "document": text,
            "stage": lead.progress.stage,
            "shard": _shard(person),
            "score": _score(lead),
            "decay_on": lead.decay_on,
            "commit": "bench",
        }

    def writes_for(self, crowd: Iterable[Person], database: Database) -> Iterator[Any]:
        """Writes to Firestore of those who did the same: whole documents, on no condition."""
        firsts = [self._first(lead, database) for lead, _ in self._leads]
        for person in crowd:
            write = Write()
            write.CopyFrom(firsts[person.number % len(firsts)])
            write.update.name = database.lead_name(person.id)
            fields = write.update.fields
            fields["document"].string_value = self._for(person)[1]
            fields["shard"].integer_value = _shard(person)
            yield write

    def _first(self, lead: Lead, database: Database) -> Any:  # protobuf's
        write = database.write_record(lead.id, LeadDocument(lead, {}), NOTHING, "bench")
        write.ClearField("current_document")
        write.ClearField("update_mask")
        return write

    def _for(self, person: Person) -> tuple[Lead, str]:
        lead, text = self._leads[person.number % len(self._leads)]
        return lead, text.replace(lead.id, person.id).replace(FIRST, person.email)


def due() -> Copied:
    """People who were last active two weeks and looked at one week ago, and fade since."""
    return Copied([_settled(_visitor(kind), NOW - 7 * DAY) for kind in range(KINDS)])


def asleep() -> Copied:
    """The same people, looked at just now: for a day or more there is nothing to be done."""
    before = (_settled(_visitor(kind), NOW - 7 * DAY) for kind in range(KINDS))
    return Copied([_settled(lead, NOW) for lead in before])


def _visitor(kind: int) -> Lead:
    """Ten to fourteen events, the last of them two weeks ago; not enough for an MQL."""
    rules = backends.load_model(MODEL).rules
    trails: dict[str, Trail] = {}
    about = {
        "employees": 20 + kind,
        "title": ("Engineer", "Product Manager")[kind % 2],
        "country": ("DE", "CA", "FR", "GB")[kind % 4],
    }
    events = [_did("form_submitted", 30, traits=about)]
    for number in range(7 + kind % 5):
        view = {"path": f"/blog/{number}"}
        events.append(_did("page_viewed", 14 + number * (1 + kind % 3), properties=view))
    events += [_did("content_downloaded", i, properties={"kind": "whitepaper"}) for i in (15, 20)]
    for event in events:
        ids = {identifier: IDS.of(identifier) for identifier in identifiers_of(event)}
        trails = touch_trails(trails, event, ids, rules)
    return resolve_identities([], trails, rules, NOW - 14 * DAY)[0]


def _did(name: str, days_ago: int, **what: Any) -> Event:  # an event's fields
    at = NOW - days_ago * DAY
    id_ = f"{name}-{days_ago}"
    said = {"source": "segment", "trust": Trust.SIGNED, "email": FIRST, **what}
    return Event(id=id_, name=name, occurred_at=at, received_at=at, **said)


def _settled(lead: Lead, at: datetime) -> Lead:
    model = backends.load_model(MODEL)
    return replace(evaluate(lead, model.rules, at).lead, outbox=())


def _score(lead: Lead) -> int | None:
    return lead.snapshot.score if lead.snapshot else None


def _shard(person: Person) -> int:
    return zlib.crc32(person.id.encode()) % SHARDS
