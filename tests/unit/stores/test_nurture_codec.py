"""Records of nurture as text: they come back as they were, and earlier releases can read them."""

import json

from hypothesis import given
from hypothesis import strategies as st

from builders import NOW
from warmlead.domain.nurture_record import NurtureFact, NurtureRecord, NurtureTurn
from warmlead.reporting.cohorts import made_in
from warmlead.stores.move_codec import read_transition
from warmlead.stores.nurture_codec import read_nurture, write_nurture

TEXTS = st.text(max_size=20)
FACTS = st.builds(
    NurtureFact,
    st.sampled_from(NurtureTurn),
    TEXTS,
    st.integers(1, 99),
    st.integers(0, 50),
    TEXTS,
    st.sampled_from(("", "goal", "parted")),
)


@given(stage=TEXTS, facts=st.lists(FACTS, max_size=5))
def test_a_record_comes_back_as_it_was(stage: str, facts: list[NurtureFact]) -> None:
    record = NurtureRecord(NOW, stage, tuple(facts))
    text = write_nurture(record)
    assert text.isascii()
    assert read_nurture(text) == record


def test_what_only_a_newer_release_knows_is_ignored() -> None:
    known = NurtureFact(NurtureTurn.SENT, "welcome", 1, 2, "study")
    document = json.loads(write_nurture(NurtureRecord(NOW, "mql", (known,))))
    document["nurture"][0]["channel"] = "post"
    document["nurture"].append({"turn": "opened", "sequence": "welcome", "run": 1})
    document["more"] = 1
    assert read_nurture(json.dumps(document)) == NurtureRecord(NOW, "mql", (known,))


def test_an_earlier_release_takes_it_for_a_move_that_leads_nowhere() -> None:
    """It reads all records of a lead in Firestore as moves; there it must count nothing."""
    facts = (NurtureFact(NurtureTurn.STARTED, "welcome", 1),)
    move = read_transition(write_nurture(NurtureRecord(NOW, "mql", facts)))
    assert (move.at, move.from_stage, move.to_stage) == (NOW, "mql", "mql")
    assert (move.is_move, move.touch_by, move.imported) == (False, None, "")
    assert [*made_in(move)] == []
