"""Makes the triggers of what becomes of a lead: the messages that automation tools receive.

What becomes of it is decided before, and the messages are sent later.
"""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from warmlead.domain.assessment import Assessment
from warmlead.domain.event import Property
from warmlead.domain.handoff import Deadline, Offer, Passed
from warmlead.domain.lead import Lead
from warmlead.domain.lifecycle import Facts, Transition
from warmlead.domain.nurture import Due
from warmlead.domain.rules import Rules
from warmlead.domain.text import cleaned, printable
from warmlead.domain.trigger import Topic, Trigger, trigger_id
from warmlead.domain.wording import reasons

if TYPE_CHECKING:  # pydantic's models take longer to import than a lead takes to settle
    from warmlead.domain.message import CloudEvent

MAX_TRAIT_BYTES = 32_000
"""The limit of the traits in a message, as they stand in the lead until it is sent.

A lead may wait with several: it must not outgrow its store, 1 MiB in Firestore.
"""

Made: TypeAlias = "Callable[..., CloudEvent]"
"""A message, but for its id, lead and time."""


class Announcer:
    """Collects the triggers of one lead at one moment."""

    def __init__(
        self,
        lead: Lead,
        found: Assessment,
        rules: Rules,
        titles: Mapping[str, str],
        now: datetime,
    ) -> None:
        self.facts: Facts = {**found.facts, "stage": lead.progress.stage}
        self._triggers: list[Trigger] = []
        self._lead = lead
        self._found = found
        self._rules = rules
        self._titles = titles
        self._now = now

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """All that was announced, in order."""
        return tuple(self._triggers)

    def stage_entered(self, moved: Transition) -> None:
        """Tells of a move between stages."""
        from warmlead.domain.message import StageEntered, StageEnteredMessage  # noqa: PLC0415  # heavy

        stage, cycle = moved.to_stage, moved.cycle
        qualifies = any(policy.name == stage for policy in self._rules.stages)
        data = StageEntered(
            **{**self._about(), "stage": stage},
            from_stage=moved.from_stage,
            cycle=cycle,
            reason=moved.reason,
        )
        self._add(
            Topic.MQL if qualifies else Topic.LIFECYCLE,
            f"stage:{stage}",
            cycle,
            partial(StageEnteredMessage, data=data),
            {"stage": stage, "cycle": str(cycle)},
            at=moved.at,  # it may be ahead of us: then another clock has moved the lead before
        )

    def step_due(self, due: Due) -> None:
        """Tells a mail tool which message to send."""
        from warmlead.domain.message import StepDue, StepDueMessage  # noqa: PLC0415  # heavy

        name = due.policy.name
        data = StepDue(
            **self._about(),
            sequence=name,
            run=due.run,
            step=due.number,
            steps=len(due.policy.steps),
            message=due.step.message,
            title=due.step.title or due.step.message,
        )
        attributes = {"sequence": name, "message": due.step.message, "run": str(due.run)}
        self._add(
            Topic.NURTURE,
            f"nurture:{name}:{due.number}",
            due.run,
            partial(StepDueMessage, data=data),
            {**attributes, "step": str(due.number), "stage": self._lead.progress.stage},
        )

    def offered(self, offer: Offer) -> None:
        """Tells sales of a lead."""
        from warmlead.domain.message import Offered, OfferedMessage  # noqa: PLC0415  # heavy

        data = Offered(**self._about(), **self._promised(offer))
        self._tell_sales("offered", offer, partial(OfferedMessage, data=data))

    def deadline_passed(self, offer: Offer, passed: Passed) -> None:
        """Tells sales, or those above, that a lead is kept waiting."""
        from warmlead.domain import message  # noqa: PLC0415  # heavy

        fields = {**self._about(), **self._promised(offer)}
        if passed.deadline is Deadline.REMINDER:
            data = message.Offered(**fields)
            self._tell_sales("reminder", offer, partial(message.ReminderMessage, data=data))
            return
        touch = passed.deadline is Deadline.TOUCH_BREACHED
        promise = "first_touch" if touch else "acceptance"
        breached = message.BreachedData(**fields, promise=promise)
        made = partial(message.BreachedMessage, data=breached)
        self._tell_sales(f"breached:{promise}", offer, made)

    def _tell_sales(self, kind: str, offer: Offer, message: "Made") -> None:
        attributes = {"stage": offer.stage, "cycle": str(offer.cycle), "owner": offer.owner}
        self._add(Topic.LIFECYCLE, f"handoff:{kind}", offer.cycle, message, attributes)

    def _promised(self, offer: Offer) -> dict[str, Any]:
        policy = self._rules.handoff
        if policy is None:
            raise ValueError("there is no offer without a handoff in the model")
        return {
            "offer": offer.cycle,
            "offered_at": offer.at,
            "owner": offer.owner,
            "touch_by": offer.at + policy.first_touch_within,
            "accept_by": offer.at + policy.accept_within,
        }

    def _about(self) -> dict[str, Any]:
        from warmlead.domain.attribution import (  # noqa: PLC0415  # lists of sites
            described,
            first_origin,
            last_origin,
        )
        from warmlead.domain.message import (  # noqa: PLC0415  # heavy
            LeadInMessage,
            Touches,
            consent_in_message,
        )

        lead, score = self._lead, self._found.score
        return {
            "lead": LeadInMessage(
                id=lead.id,
                email=_safe(lead.email),
                user_id=_safe(lead.user_id),
                traits=cleaned(_sent(lead.traits, self._rules.traits)),
                consent=consent_in_message(self._found.consent),
            ),
            "stage": lead.progress.stage,
            "score": score.score,
            "engagement": score.engagement,
            "fit": score.fit,
            "reasons": list(reasons(score, self._titles)),
            "attribution": Touches(
                first=_cleaned(described(lead.first_touch, first_origin(lead))),
                last=_cleaned(described(lead.last_touch, last_origin(lead))),
            ),
            "model_version": self._rules.version,
        }

    def _add(
        self,
        topic: Topic,
        kind: str,
        cycle: int,
        message: "Made",
        attributes: Mapping[str, str],
        *,
        at: datetime | None = None,
    ) -> None:
        id_ = trigger_id(self._lead.id, kind, cycle)
        event = message(id=id_, subject=self._lead.id, time=at or self._now)
        known = {
            "type": event.type,
            "lead_id": self._lead.id,
            **{name: value for name, value in attributes.items() if value},
            "content-type": "application/cloudevents+json",
        }
        body = event.model_dump_json()
        self._triggers.append(Trigger(id_, topic, self._now, body, tuple(known.items())))


def _sent(traits: Mapping[str, Property], known: Collection[str]) -> Mapping[str, Property]:
    """The traits that a message has room for: those that the model names come first."""
    sent: dict[str, Property] = {}
    left = MAX_TRAIT_BYTES
    for name in sorted(traits, key=lambda name: (name not in known, name)):
        size = len(json.dumps(json.dumps({name: traits[name]})))
        if size <= left:
            sent[name] = traits[name]
            left -= size
    return sent


def _cleaned(touch: Mapping[str, str]) -> dict[str, str]:
    return {name: printable(value) for name, value in touch.items()}


def _safe(text: str | None) -> str | None:
    """What was stored before texts were cleaned at the door is cleaned here."""
    return None if text is None else printable(text)
