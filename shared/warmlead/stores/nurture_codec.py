"""Records of nurture as JSON text and back: the format of every store.

Releases that do not know them take one for a move that leads nowhere, and count nothing.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from warmlead.domain.nurture_record import NurtureFact, NurtureRecord, NurtureTurn
from warmlead.domain.traits import stored_value
from warmlead.stores.move_codec import MOVE_VERSION
from warmlead.stores.trail_codec import dump, from_us, to_us


class _Fact(TypedDict):
    turn: str
    sequence: str
    run: int
    number: NotRequired[int]
    message: NotRequired[str]
    ending: NotRequired[str]


class _Document(TypedDict):
    v: int
    at: int
    from_stage: str
    to_stage: str
    cycle: int
    reason: str
    score: int
    fit: int
    hours: float
    model: str
    nurture: Sequence[_Fact]


def write_nurture(record: NurtureRecord) -> str:
    """The record as one JSON text, with the fields that every move has."""
    document: _Document = {
        "v": MOVE_VERSION,
        "at": to_us(record.at),
        "from_stage": record.stage,
        "to_stage": record.stage,
        "cycle": 0,
        "reason": "no move: what became of its sequences",
        "score": 0,
        "fit": 0,
        "hours": 0,
        "model": "",
        "nurture": [_written(fact) for fact in record.facts],
    }
    return dump(document)


def _written(fact: NurtureFact) -> _Fact:
    written: _Fact = {"turn": fact.turn, "sequence": fact.sequence, "run": fact.run}
    if fact.number:
        written["number"] = fact.number
    if fact.message:
        written["message"] = fact.message
    if fact.ending:
        written["ending"] = fact.ending
    return written


def read_nurture(text: str) -> NurtureRecord:
    """The record of a text; what only a newer release knows is ignored."""
    document: _Document = stored_value(text)
    facts = [
        NurtureFact(
            NurtureTurn(fact["turn"]),
            fact["sequence"],
            fact["run"],
            fact.get("number", 0),
            fact.get("message", ""),
            fact.get("ending", ""),
        )
        for fact in document["nurture"]
        if fact["turn"] in _TURNS
    ]
    return NurtureRecord(from_us(document["at"]), document["to_stage"], tuple(facts))


_TURNS = frozenset(NurtureTurn)
