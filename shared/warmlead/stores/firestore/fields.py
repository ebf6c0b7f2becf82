"""The fields of the documents in ``leads``: what is queried lies beside the text of a lead."""

import zlib
from collections.abc import Sequence
from datetime import datetime

from warmlead.domain.lead import Lead
from warmlead.domain.listing import ListedAs, listed_as
from warmlead.domain.search import Words, prefixes, words_of
from warmlead.google_api import Message
from warmlead.ports import Tombstone
from warmlead.stores.base import Alias, Record
from warmlead.stores.codec import LeadDocument, write_lead
from warmlead.stores.trail_codec import to_us

SHARDS = 8
"""Time fields are indexed behind the shard only: one index takes 500 writes a second."""

WORDS_MARK = "words_mark"
"""Stands for the words that were written: they are not written again while they are the same."""

_FIELDS = (
    *("document", "alias", "erased_at", "erased_ids", "commit"),
    *("stage", "score", "shard", "outbox_at", "decay_on", "due_at"),
    *("since_day", "active", "grade", "source", "owner", "overdue"),
)
_OF_WORDS = ("words", WORDS_MARK)
LEAD_FIELDS = (*_FIELDS, *_OF_WORDS)
"""All fields that this release writes; others, of a newer one, stay as they are."""


def write_fields(fields: Message, id_: str, record: Record, mark_before: int) -> Sequence[str]:
    """Sets the fields of a record; returns the names of those that are to be written."""
    written: Sequence[str] = LEAD_FIELDS
    if isinstance(record, LeadDocument):
        _write_lead(fields, id_, record)
        words = words_of(record.lead)
        if (mark := mark_of(words)) == mark_before:
            written = _FIELDS
        elif words:
            fields[WORDS_MARK].integer_value = mark
            _add_texts(fields, "words", prefixes(words))
    elif isinstance(record, Alias):
        fields["alias"].string_value = record.lead_id
    elif isinstance(record, Tombstone):
        fields["erased_at"].timestamp_value.FromDatetime(record.erased_at)
        _add_texts(fields, "erased_ids", record.ids)
    return written


def _write_lead(fields: Message, id_: str, record: LeadDocument) -> None:
    lead = record.lead
    fields["document"].string_value = write_lead(lead, record.extra)
    fields["stage"].string_value = lead.progress.stage
    fields["shard"].integer_value = shard_of(id_)
    if facts := listed_as(lead):
        _write_facts(fields, facts)
    if lead.outbox:
        fields["outbox_at"].timestamp_value.FromDatetime(_waiting_since(lead))
    if lead.decay_on is not None:
        fields["decay_on"].integer_value = lead.decay_on
    if lead.due_at is not None:
        fields["due_at"].timestamp_value.FromMicroseconds(to_us(lead.due_at))


def _write_facts(fields: Message, facts: ListedAs) -> None:
    """What lists ask for; what is empty is no field, and costs nothing."""
    fields["score"].integer_value = facts.score
    fields["since_day"].integer_value = facts.since_day
    if facts.active is not None:
        fields["active"].integer_value = facts.active
    for name in ("grade", "source", "owner"):
        if text := getattr(facts, name):
            fields[name].string_value = text
    if facts.overdue:
        fields["overdue"].boolean_value = True


def _add_texts(fields: Message, name: str, texts: Sequence[str]) -> None:
    for text in texts:  # without any there is no field
        fields[name].array_value.values.add().string_value = text


def mark_of(words: Words) -> int:
    """A number that stands for some words; 0 for none."""
    return zlib.crc32("\n".join(words).encode())


def mark_at(record: Record) -> int:
    """That for the words of a record."""
    return mark_of(words_of(record.lead)) if isinstance(record, LeadDocument) else 0


def shard_of(lead_id: str) -> int:
    """The shard of a lead."""
    return zlib.crc32(lead_id.encode()) % SHARDS


def _waiting_since(lead: Lead) -> datetime:
    return min(trigger.at for trigger in lead.outbox)
