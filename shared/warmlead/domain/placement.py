"""Where a lead belongs now: what sales said last, and otherwise what the model's conditions say.

The time is an argument, and messages are made of the moves in ``announce``.
"""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from warmlead.domain.assessment import Assessment
from warmlead.domain.lead import Lead
from warmlead.domain.lifecycle import (
    DISQUALIFIED,
    LEAD,
    MODEL,
    RECYCLED,
    Progress,
    Transition,
    cool_down,
    move,
    next_stage,
)
from warmlead.domain.rules import Rules
from warmlead.domain.sales import Refusal, Statement, verdict


class Placed(NamedTuple):
    """The progress as of now, and the moves that it took."""

    progress: Progress
    moves: tuple[Transition, ...]


def place(lead: Lead, found: Assessment, rules: Rules, now: datetime) -> Placed:
    """Moves the lead to where it belongs: first as sales said, then as the model says."""
    peak = max(lead.progress.peak_score, found.worth.score)
    progress = lead.progress
    if peak != progress.peak_score:
        progress = replace(progress, peak_score=peak)
    mover = _Mover(progress, lead, found, rules, now)
    said = verdict(lead.statements)
    if said is not None and said.key != mover.progress.verdict:
        mover.follow(said)
    elif mover.progress.grounds is not None and mover.progress.grounds != _grounds(found):
        mover.reconsider(said)
    stage, why = next_stage(rules.stages, mover.progress, found.standing, now)
    mover.to(stage, why, MODEL)
    return Placed(mover.progress, tuple(mover.moves))


class _Mover:
    """A lead's progress while it is moved."""

    def __init__(
        self, progress: Progress, lead: Lead, found: Assessment, rules: Rules, now: datetime
    ) -> None:
        self.progress = progress
        self.moves: list[Transition] = []
        self._lead = lead
        self._found = found
        self._rules = rules
        self._now = now
        touch = lead.last_touch
        self._attribution = touch.attribution if touch else ()

    def follow(self, said: Statement) -> None:
        """Moves as sales said; only what it said last decides, whatever came before."""
        unfit = said.reason == Refusal.BAD_FIT
        progress = replace(self.progress, verdict=said.key, cooling=None, grounds=None)
        if said.stage == RECYCLED:
            progress = cool_down(progress, self._rules.stages, said.at)
        elif said.stage == DISQUALIFIED and unfit:
            progress = replace(progress, grounds=_grounds(self._found))
        self.progress = progress
        self.to(said.stage, said.words, said.source)

    def reconsider(self, said: Statement | None) -> None:
        """Lifts a disqualification if the lead's traits have changed since.

        What was so before, and we only hear of now, sales knew when it judged.
        """
        if said is not None and not self._lead.learnt_since(said.at_ms):
            self.progress = replace(self.progress, grounds=_grounds(self._found))
            return
        self.progress = replace(self.progress, grounds=None)
        self.to(LEAD, "what spoke against the lead's fit has changed", MODEL)

    def to(self, stage: str, reason: str, source: str) -> None:
        """Moves to a stage, unless the lead is there."""
        if stage == self.progress.stage:
            return
        score = self._found.worth
        self.progress, transition = move(
            self.progress,
            stage,
            reason,
            self._now,
            score=score.score,
            fit=score.fit,
            model_version=self._rules.version,
            source=source,
            attribution=self._attribution,
        )
        self.moves.append(transition)


def _grounds(found: Assessment) -> str:
    """The fit rules that hold, by name: what must change before an unfit lead is looked at anew."""
    return ",".join(sorted(line.name for line in found.score.contributions if line.part == "fit"))
