"""The change that brings one lead up to date: decided again, it finds nothing left to do."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from warmlead.application.settle import settle
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.trigger import Trigger
from warmlead.ports import Commit, Loaded


class Outcome(NamedTuple):
    """What a settlement changed: the score that is shown, the stage; and what it triggered."""

    changed: bool = False
    moved: bool = False
    triggers: Sequence[tuple[str, Trigger]] = ()


class Settlement:
    """Settles the lead at an id as of ``now``, if it still ``is_due`` when it is seen.

    Somebody else may have settled it since it was found: then there is nothing to write.
    """

    def __init__(
        self,
        lead_id: str,
        rules: Rules,
        titles: Mapping[str, str],
        now: datetime,
        *,
        is_due: Callable[[Lead], bool] = lambda _: True,
    ) -> None:
        self._lead_id = lead_id
        self._rules = rules
        self._titles = titles
        self._now = now
        self._is_due = is_due

    def __call__(self, loaded: Loaded) -> Commit[Outcome]:
        """The lead's score, stage and triggers as of now."""
        lead = loaded[self._lead_id]
        if not isinstance(lead, Lead) or not self._is_due(lead):
            return Commit(Outcome())
        settled = settle(lead, self._rules, self._titles, self._now)
        if settled.lead == lead:
            return Commit(Outcome())
        old, new = lead.snapshot, settled.lead.snapshot
        changed = old is None or new is None or old.score != new.score
        triggers = [(lead.id, trigger) for trigger in settled.triggers]
        moves = [(lead.id, transition) for transition in settled.transitions]
        outcome = Outcome(changed, bool(moves), triggers)
        return Commit(outcome, [settled.lead], {}, moves)
