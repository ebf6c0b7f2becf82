"""Documents of leads, aliases, tombstones and transitions in Firestore; others send them.

There is one document for each id, in ``leads``: a lead, an alias or a tombstone, so that one read
shows what is at an id. The content of a lead is one text; beside it are the few fields that are
queried.
"""

import zlib
from datetime import UTC, datetime
from typing import NamedTuple

from warmlead.domain.lead import Lead
from warmlead.domain.stages import Transition
from warmlead.google_api import Message, message_types
from warmlead.ports import Tombstone
from warmlead.stores.base import Alias, Record
from warmlead.stores.codec import (
    LeadDocument,
    read_lead_at,
    read_transition,
    write_lead,
    write_transition,
)
from warmlead.stores.trail_codec import to_us

LEADS = "leads"
TRANSITIONS = "transitions"
REPORTS = "reports"

SHARDS = 8
"""Time fields are indexed behind the shard only: one index takes 500 writes a second."""

LEAD_FIELDS = (
    *("document", "alias", "erased_at", "erased_ids", "commit"),
    *("stage", "score", "shard", "outbox_at", "decay_on", "due_at"),
)
"""All fields that this release writes; others, of a newer one, stay as they are."""

_firestore = message_types("google.cloud.firestore_v1", "firestore")
_document = message_types("google.cloud.firestore_v1", "document")
_write = message_types("google.cloud.firestore_v1", "write")

BatchGetRequest = _firestore.BatchGetDocumentsRequest.pb()
BatchGetResponse = _firestore.BatchGetDocumentsResponse.pb()
CommitRequest = _firestore.CommitRequest.pb()
CommitResponse = _firestore.CommitResponse.pb()
Document = _document.Document.pb()
GetRequest = _firestore.GetDocumentRequest.pb()
ListRequest = _firestore.ListDocumentsRequest.pb()
ListResponse = _firestore.ListDocumentsResponse.pb()
Write = _write.Write.pb()


class Stored(NamedTuple):
    """A record as it was read: ``version`` is its time of update, ``None`` if it is not there.

    ``commit`` names the commit that wrote it.
    """

    record: Record
    version: Message = None
    commit: str = ""


NOTHING = Stored(None)


class Database:
    """The names of a database's documents, and the writes and queries on them."""

    def __init__(self, project: str, database: str) -> None:
        self.name = f"projects/{project}/databases/{database}"
        self.documents = f"{self.name}/documents"

    def lead_name(self, id_: str) -> str:
        """The full name of the document at an id."""
        return f"{self.documents}/{LEADS}/{id_}"

    def write_record(self, id_: str, record: Record, before: Stored, commit: str) -> Message:
        """Writes a record, provided that it has not changed since it was read."""
        write = Write()
        if record is None:
            write.delete = self.lead_name(id_)
        else:
            write.update.name = self.lead_name(id_)
            write.update_mask.field_paths.extend(LEAD_FIELDS)
            _write_fields(write.update.fields, id_, record)
            write.update.fields["commit"].string_value = commit
        _provided_unchanged(write, before)
        return write

    def rely_on(self, id_: str, seen: Stored) -> Message:
        """A write that changes nothing, and fails if the document has changed since it was read."""
        write = Write()
        if seen.version is None:
            write.delete = self.lead_name(id_)
        else:
            write.update.name = self.lead_name(id_)
            write.update_mask.SetInParent()
        _provided_unchanged(write, seen)
        return write

    def write_move(self, lead_id: str, move: Transition) -> Message:
        """Writes the record of a move; the same one again is the same document."""
        write = Write()
        at_us = round(move.at.timestamp() * 1_000_000)
        name = f"{lead_id}-{at_us}-{move.to_stage}-{move.cycle}"
        write.update.name = f"{self.documents}/{TRANSITIONS}/{name}"
        fields = write.update.fields
        fields["lead_id"].string_value = lead_id
        fields["shard"].integer_value = _shard_of(lead_id)
        fields["at"].timestamp_value.FromDatetime(move.at)
        fields["record"].string_value = write_transition(move)
        return write

    def report_name(self, period: str) -> str:
        """The full name of the document of a period's report."""
        return f"{self.documents}/{REPORTS}/{period}"

    def write_report(self, period: str, report: str) -> Message:
        """Writes the report of a period, over an earlier one if there is one."""
        write = Write()
        write.update.name = self.report_name(period)
        write.update.fields["report"].string_value = report
        return write


def read_record(document: Message) -> Stored:
    """The record in a document."""
    fields = document.fields
    record: Record = None
    if "document" in fields:
        id_ = document.name.rpartition("/")[2]
        record = read_lead_at(id_, fields["document"].string_value)
    elif "alias" in fields:
        record = Alias(fields["alias"].string_value)
    elif "erased_at" in fields:
        erased_at = fields["erased_at"].timestamp_value.ToDatetime(tzinfo=UTC)
        ids = fields["erased_ids"].array_value.values
        record = Tombstone(erased_at, tuple(each.string_value for each in ids))
    return Stored(record, document.update_time, fields["commit"].string_value)


def read_move(document: Message) -> Transition:
    """The transition in a document."""
    return read_transition(document.fields["record"].string_value)


def _write_fields(fields: Message, id_: str, record: Record) -> None:
    if isinstance(record, LeadDocument):
        lead = record.lead
        fields["document"].string_value = write_lead(lead, record.extra)
        fields["stage"].string_value = lead.progress.stage
        fields["shard"].integer_value = _shard_of(id_)
        if lead.snapshot:
            fields["score"].integer_value = lead.snapshot.score
        if lead.outbox:
            fields["outbox_at"].timestamp_value.FromDatetime(_waiting_since(lead))
        if lead.decay_on is not None:
            fields["decay_on"].integer_value = lead.decay_on
        if lead.due_at is not None:
            fields["due_at"].timestamp_value.FromMicroseconds(to_us(lead.due_at))
    elif isinstance(record, Alias):
        fields["alias"].string_value = record.lead_id
    elif isinstance(record, Tombstone):
        fields["erased_at"].timestamp_value.FromDatetime(record.erased_at)
        for erased in record.ids:
            fields["erased_ids"].array_value.values.add().string_value = erased


def _shard_of(lead_id: str) -> int:
    return zlib.crc32(lead_id.encode()) % SHARDS


def _waiting_since(lead: Lead) -> datetime:
    return min(trigger.at for trigger in lead.outbox)


def _provided_unchanged(write: Message, seen: Stored) -> None:
    if seen.version is None:
        write.current_document.exists = False
    else:
        write.current_document.update_time.CopyFrom(seen.version)
