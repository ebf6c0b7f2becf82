"""What is written of a lead's document: its words only if they have changed."""

import pytest

from builders import NOW, a_lead, an_event
from warmlead.domain.search import prefixes, words_of
from warmlead.google_api import Message
from warmlead.ports import Tombstone
from warmlead.stores.base import Alias, Record
from warmlead.stores.codec import LeadDocument
from warmlead.stores.firestore.codec import NOTHING, Database, read_record
from warmlead.stores.firestore.fields import LEAD_FIELDS, mark_at

DATABASE = Database("warmlead-tests", "(default)")
ADA = LeadDocument(a_lead(an_event(traits={"name": "Ada"})), {})
RENAMED = LeadDocument(a_lead(an_event(traits={"name": "Grace"})), {})
VISITOR = LeadDocument(a_lead(an_event(email=None, anonymous_id="browser-1")), {})


def written(record: Record, over: Message) -> Message:
    """A write of a record in the place of what is in a document."""
    return DATABASE.write_record("ada", record, read_record(over), "c-2")


def at_first(record: Record) -> Message:
    return DATABASE.write_record("ada", record, NOTHING, "c-1").update


def test_words_are_written_with_what_stands_for_them() -> None:
    fields = at_first(ADA).fields
    words = [each.string_value for each in fields["words"].array_value.values]
    assert words == prefixes(words_of(ADA.lead))
    assert fields["words_mark"].integer_value == mark_at(ADA) != mark_at(RENAMED)


def test_the_same_words_are_not_written_again() -> None:
    again = written(ADA, at_first(ADA))
    assert {*LEAD_FIELDS} - {*again.update_mask.field_paths} == {"words", "words_mark"}
    assert not {"words", "words_mark"} & again.update.fields.keys()


@pytest.mark.parametrize(
    "record", [RENAMED, VISITOR, Alias("bob"), Tombstone(NOW)], ids=lambda each: type(each).__name__
)
def test_words_that_hold_no_more_go(record: Record) -> None:
    after = written(record, at_first(ADA))
    assert {"words", "words_mark"} <= {*after.update_mask.field_paths}
    assert ("words" in after.update.fields) == (record is RENAMED)


def test_nothing_is_written_of_the_words_of_whom_nobody_could_name() -> None:
    assert not {"words", "words_mark"} & at_first(VISITOR).fields.keys()
