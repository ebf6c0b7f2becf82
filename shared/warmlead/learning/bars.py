"""The bar of a model: the score from which its conditions of a stage let a lead pass."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from msgspec import Struct

from warmlead.domain.stages import LEAD, Facts, Progress, StagePolicy, Standing, next_stage
from warmlead.model.condition_syntax import Clause, clauses_of, tree_of

ALWAYS = 2**31 - 1
"""The score of a lead that passes whatever the bar is: a signal opens the stage for it."""

NEVER = -(2**31)
"""The score of a lead that no bar lets pass: other clauses of the condition do not hold."""

_ASKED = 3
"""The words of ``score >= 50``."""


class ScoreBar(Struct, frozen=True):
    """The score that the enter condition of a stage asks for: ``score >= 50``."""

    stage: str
    score: int


def bar_of(enter_by_stage: Mapping[str, str]) -> ScoreBar | None:
    """The first bar among the enter conditions of the stages of a model, in its order.

    ``None`` if none of them asks for a score.
    """
    for stage, enter in enter_by_stage.items():
        for clause in clauses_of(tree_of(enter)):
            if (score := asked_score(clause)) is not None:
                return ScoreBar(stage, score)
    return None


def asked_score(clause: Clause) -> int | None:
    """The least score that a clause of a condition asks for; ``None`` if it is no such clause."""
    words = [token.text for token in clause.tokens]
    if len(words) != _ASKED or words[0] != "score" or not words[2].isdecimal():
        return None
    return {">=": int(words[2]), ">": int(words[2]) + 1}.get(words[1])


def would_enter(
    policies: Sequence[StagePolicy], standing: Standing, known_at: datetime, at: datetime
) -> bool:
    """Whether a lead that is in no stage of the model would enter one of them at the moment.

    So all models are asked the same, whatever one of them has made of the lead before.
    """
    stage, _ = next_stage(policies, Progress(LEAD, known_at), _as_lead(standing), at)
    return stage != LEAD


def bar_score(policy: StagePolicy, standing: Standing, known_at: datetime, at: datetime) -> int:
    """The highest bar of the stage that a lead would pass at the moment.

    That is its score, if all else holds; ``ALWAYS`` or ``NEVER``, if the bar does not decide.
    """
    if would_enter([replace(policy, enter=_Closed())], standing, known_at, at):
        return ALWAYS
    facts = _as_lead(standing).facts
    if policy.leave is not None and policy.leave(facts):
        return NEVER
    if not policy.enter({**facts, "score": ALWAYS}):
        return NEVER
    return ALWAYS if policy.enter({**facts, "score": NEVER}) else _score(facts)


class _Closed:
    """A condition that never holds: what passes all the same passes by a signal."""

    def __call__(self, facts: Facts) -> bool:
        del facts
        return False

    def missing(self, facts: Facts) -> tuple[str, ...]:
        del facts
        return ()


def _score(facts: Facts) -> int:
    score = facts["score"]
    if not isinstance(score, int):
        raise TypeError("the score of an evaluation is a whole number")
    return score


def _as_lead(standing: Standing) -> Standing:
    known = {**standing.facts, "stage": LEAD}
    return Standing(standing.identified, known, standing.last_days, standing.seen_later)
