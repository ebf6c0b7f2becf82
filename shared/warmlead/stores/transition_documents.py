"""A move between stages as one JSON text, and back; where the text is kept is for the stores."""

import json
from typing import NotRequired, TypedDict

from warmlead.domain.lifecycle import MODEL, Transition
from warmlead.stores.notation import Pairs, dump, from_us, maybe_from_us, pairs, to_us

VERSION = 2


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
    source: NotRequired[str]
    attribution: NotRequired[Pairs]
    touch_by: NotRequired[int]
    accept_by: NotRequired[int]


def write_transition(transition: Transition) -> str:
    """The record of a move as one JSON text."""
    document: _Document = {
        "v": VERSION,
        "at": to_us(transition.at),
        "from_stage": transition.from_stage,
        "to_stage": transition.to_stage,
        "cycle": transition.cycle,
        "reason": transition.reason,
        "score": transition.score,
        "fit": transition.fit,
        "hours": transition.hours_in_stage,
        "model": transition.model_version,
    }
    if transition.source != MODEL:
        document["source"] = transition.source
    if transition.attribution:
        document["attribution"] = transition.attribution
    if transition.touch_by is not None:
        document["touch_by"] = to_us(transition.touch_by)
    if transition.accept_by is not None:
        document["accept_by"] = to_us(transition.accept_by)
    return dump(document)


def read_transition(text: str) -> Transition:
    """The move of a text; fields of a newer release are ignored."""
    document: _Document = json.loads(text)
    return Transition(
        at=from_us(document["at"]),
        from_stage=document["from_stage"],
        to_stage=document["to_stage"],
        cycle=document["cycle"],
        reason=document["reason"],
        score=document["score"],
        fit=document["fit"],
        hours_in_stage=document["hours"],
        model_version=document["model"],
        source=document.get("source", MODEL),
        attribution=pairs(document.get("attribution", ())),
        touch_by=maybe_from_us(document.get("touch_by")),
        accept_by=maybe_from_us(document.get("accept_by")),
    )
