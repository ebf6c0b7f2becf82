"""Moves between stages as JSON text and back: the format of every store."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NotRequired, TypedDict

from warmlead.domain.stages import MODEL, MoveCause, Transition
from warmlead.domain.traits import stored_value
from warmlead.stores.trail_codec import (
    Pairs,
    dump,
    from_us,
    maybe_from_us,
    pairs,
    to_us,
)

MOVE_VERSION = 3


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
    cause: NotRequired[str]  # not in version 2: it stands in the reason
    detail: NotRequired[str]
    learnt: NotRequired[int]  # without it: at the same time
    qualified: NotRequired[int]
    imported: NotRequired[str]


def write_transition(transition: Transition) -> str:
    """The record of a move as one JSON text."""
    document: _Document = {
        "v": MOVE_VERSION,
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
    if transition.cause is not MoveCause.UNKNOWN:
        document["cause"] = transition.cause
    if transition.detail:
        document["detail"] = transition.detail
    if transition.learnt is not None:
        document["learnt"] = to_us(transition.learnt)
    if transition.qualified is not None:
        document["qualified"] = to_us(transition.qualified)
    if transition.imported:
        document["imported"] = transition.imported
    return dump(document)


def read_transition(text: str) -> Transition:
    """The move of a text; fields of a newer release are ignored."""
    document: _Document = stored_value(text)
    cause, detail = _cause_of(document)
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
        cause=cause,
        detail=detail,
        learnt=maybe_from_us(document.get("learnt")),
        qualified=maybe_from_us(document.get("qualified")),
        imported=document.get("imported", ""),
    )


_CAUSES: Mapping[str, MoveCause] = MappingProxyType({each.value: each for each in MoveCause})

_CAUSES_IN_WORDS = (
    ("became known by", MoveCause.KNOWN),
    ("stage's enter condition holds", MoveCause.ENTERED),
    ("stage's leave condition holds", MoveCause.LEFT),
    ("opens the", MoveCause.BYPASSED),
    ("the model has no", MoveCause.DROPPED),
    ("what spoke against the lead's fit", MoveCause.FIT_CHANGED),
)
"""The sentences of version 2."""


def _cause_of(document: _Document) -> tuple[MoveCause, str]:
    """Why a lead moved; of a move of version 2 it is read from the sentence."""
    if document["v"] >= MOVE_VERSION:
        cause = _CAUSES.get(document.get("cause", ""), MoveCause.UNKNOWN)
        return cause, document.get("detail", "")
    reason = document["reason"]
    if document.get("source", MODEL) == MODEL:
        found = (cause for words, cause in _CAUSES_IN_WORDS if words in reason)
        cause = next(found, MoveCause.UNKNOWN)
        return cause, reason.partition(" ")[0] if cause is MoveCause.BYPASSED else ""
    said, _, detail = reason.removeprefix("sales: ").partition(" (")
    if said not in _CAUSES:
        return MoveCause.UNKNOWN, ""
    detail = detail.removesuffix(")")
    return MoveCause(said), detail.replace(" ", "_") if said == MoveCause.REJECTED else detail
