"""What a message of lead events costs to score, and what its lead costs ever after.

All of it without a store: the events are applied to nobody, the lead is written down and read
back, one more event comes and pays for all that is kept, and people look at the lead.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from warmlead.application.accept import read_events
from warmlead.application.apply import Decision, Scoring
from warmlead.application.explain import explain, view
from warmlead.domain.errors import RejectedError
from warmlead.domain.event import Event
from warmlead.domain.identity import LeadIds, identifiers_of
from warmlead.domain.lead import Lead
from warmlead.model.loading import load
from warmlead.ports import Loaded, Need
from warmlead.runtime.backends import SystemClock
from warmlead.stores.codec import read_lead, write_lead

MODEL = Path(__file__).with_name("model.yaml")


class Scored:
    """Scores messages with a model whose conditions look at every kind of value."""

    def __init__(self) -> None:
        model = load(MODEL.read_text(encoding="utf-8"), name=MODEL.name)
        self._scoring = Scoring(model.rules, LeadIds(b"of the fuzzing"))
        self._clock = SystemClock()

    def steps(self, message: bytes) -> Iterator[tuple[str, Callable[[], object], int]]:
        """What is done with a message: in words, how, and with how many events.

        Each may be done again and again; it needs those before it to have been done.
        """
        try:
            events = read_events(message)
        except RejectedError:
            return
        homes: dict[str, list[Event]] = {}
        for event in events:
            homes.setdefault(self._scoring.ids.of(identifiers_of(event)[0]), []).append(event)
        for group in homes.values():
            yield "its events are applied", partial(self._applied, group, None), len(group)
            lead = self._applied(group, None)
            if lead is not None:
                one_more = [msgspec.structs.replace(group[0], id="one more", traits={})]
                again = partial(self._applied, one_more, lead)
                yield "one more event is applied to its lead", again, 1
                yield "its lead is explained", partial(self._explained, lead), 0

    def _applied(self, events: list[Event], lead: Lead | None) -> Lead | None:
        """The lead after the events, as it is when it has been stored and read again."""
        loaded: Loaded = {} if lead is None else dict.fromkeys(lead.trails, lead)
        decision = Decision(events, self._scoring, self._clock.now())
        decided = decision(loaded)
        while isinstance(decided, Need):
            loaded = {**loaded, **dict.fromkeys(decided.ids)}
            decided = decision(loaded)
        texts = [write_lead(each) for each in decided.leads]
        return next((read_lead(text).lead for text in texts), None)

    def _explained(self, lead: Lead) -> None:
        now = self._clock.now()
        view(lead, self._scoring.rules, now).model_dump_json()
        explain(lead, self._scoring.rules, now).model_dump_json()
