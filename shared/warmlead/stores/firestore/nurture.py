"""How records of nurture lie in Firestore: among the moves, so that earlier releases erase them.

They have no field ``at``: no release takes them for moves of a period.
"""

from hashlib import blake2b

from warmlead.domain.nurture_record import NurtureRecord
from warmlead.google_api import Message
from warmlead.stores.firestore.codec import TRANSITIONS, Database, Write
from warmlead.stores.firestore.fields import shard_of
from warmlead.stores.nurture_codec import read_nurture, write_nurture
from warmlead.stores.trail_codec import to_us

NURTURE_AT = "nurture_at"
"""When something became of a lead's sequences. Records of that alone have this field."""


def written_nurture(database: Database, lead_id: str, record: NurtureRecord) -> Message:
    """Writes what became of a lead's sequences; the same again is the same document."""
    write = Write()
    text = write_nurture(record)
    name = f"{lead_id}-{to_us(record.at)}-{blake2b(text.encode(), digest_size=12).hexdigest()}"
    write.update.name = f"{database.documents}/{TRANSITIONS}/{name}"
    fields = write.update.fields
    fields["lead_id"].string_value = lead_id
    fields["shard"].integer_value = shard_of(lead_id)
    fields[NURTURE_AT].timestamp_value.FromDatetime(record.at)
    fields["record"].string_value = text
    return write


def is_move(document: Message) -> bool:
    """Whether a document among the moves is one; otherwise it is a record of nurture."""
    return NURTURE_AT not in document.fields


def read_record_of_nurture(document: Message) -> NurtureRecord:
    """The record of nurture in a document."""
    return read_nurture(document.fields["record"].string_value)
