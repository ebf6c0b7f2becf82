"""Builds the messages that the evaluation of a lead causes: its triggers."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeAlias

from warmlead.application.notices import Notice, alert_notice, update_notice
from warmlead.domain.alerts import DueAlert
from warmlead.domain.capacity import Capacity
from warmlead.domain.crm_ids import crm_ids_of
from warmlead.domain.evaluation import Evaluation, as_judged
from warmlead.domain.event import Property
from warmlead.domain.handoff import (
    Deadline,
    Offer,
    Passed,
)
from warmlead.domain.lead import Lead
from warmlead.domain.mirror import Refreshed
from warmlead.domain.nurture import Due
from warmlead.domain.outbox import bytes_of_waiting, must_be_small
from warmlead.domain.rules import Rules
from warmlead.domain.shadow import bytes_of_shadow
from warmlead.domain.stages import SALES_STAGES, Facts, Transition
from warmlead.domain.text import cleaned, printable
from warmlead.domain.trigger import Topic, Trigger, trigger_id
from warmlead.messages.wording import reasons, such_leads

if TYPE_CHECKING:  # pydantic's models take longer to import than a lead takes to evaluate
    from warmlead.messages.contract import CloudEvent, ProbabilityInMessage

MAX_TRAIT_BYTES = 32_000
"""The limit of the traits in a message, as they stand in the lead until it is sent.

A lead may wait with several: it must not outgrow its store, 1 MiB in Firestore.
"""

MAX_TOUCH_BYTES = 8_000
"""The limit of what a message says of one visit's origin, and of the lead's ids in CRMs."""

_SMALL = 16  # this part of the usual room

_OF_CHANNEL = ("channel", "source")

Made: TypeAlias = "Callable[..., CloudEvent]"
"""A message without its id, lead and time."""


class TriggerBuilder:
    """Collects the triggers of one lead at one moment."""

    def __init__(
        self,
        lead: Lead,
        evaluation: Evaluation,
        rules: Rules,
        now: datetime,
    ) -> None:
        self._triggers: list[Trigger] = []
        self._lead = lead
        self._evaluation = evaluation
        self._rules = rules
        self._now = now

    @cached_property
    def facts(self) -> Facts:
        """What conditions may name, in the stage in which the lead is by now."""
        return {**self._evaluation.facts, "stage": self._lead.progress.stage}

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """All triggers, in order."""
        return tuple(self._triggers)

    @property
    def waiting_bytes(self) -> int:
        """The room that all messages take that wait by now, those of before among them."""
        return bytes_of_waiting((*self._lead.outbox, *self._triggers))

    @cached_property
    def _lead_bytes(self) -> int:
        """The size of the lead's data without its messages."""
        size = Capacity(self._lead.trails, self._rules).size_bytes
        return size + bytes_of_shadow(self._lead.shadow)

    def stage_entered(self, moved: Transition) -> None:
        """Adds the message about a move between stages."""
        from warmlead.messages.contract import StageEntered, StageEnteredMessage  # noqa: PLC0415  # heavy

        stage, cycle = moved.to_stage, moved.cycle
        qualifies = any(p.name == stage for p in self._rules.stages if stage not in SALES_STAGES)
        data = StageEntered(
            **{**self._about(), "stage": stage},
            from_stage=moved.from_stage,
            cycle=cycle,
            reason=moved.reason,
            effective_at=moved.at,
        )
        self._add(
            Topic.MQL if qualifies else Topic.LIFECYCLE,
            f"stage:{stage}",
            cycle,
            partial(StageEnteredMessage, data=data),
            {"stage": stage, "cycle": str(cycle)},
            at=moved.learnt_at,  # it may be ahead of us: another clock has moved the lead before
        )

    def step_due(self, due: Due) -> None:
        """Adds the message that tells a mail tool what to send."""
        from warmlead.messages.contract import StepDue, StepDueMessage  # noqa: PLC0415  # heavy

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

    def offered(self, offer: Offer, supersedes: int | None = None) -> None:
        """Adds the message that offers a lead to sales, perhaps in the place of another offer."""
        from warmlead.messages.contract import NewOffer, OfferedMessage  # noqa: PLC0415  # heavy

        data = NewOffer(**self._about(), **self._promised(offer), supersedes=supersedes)
        self._add_for_sales("offered", offer, partial(OfferedMessage, data=data))

    def deadline_passed(self, offer: Offer, passed: Passed) -> None:
        """Adds a reminder to sales, or the message that sales has not kept a promise."""
        from warmlead.messages.contract import (  # noqa: PLC0415  # heavy
            BreachedData,
            BreachedMessage,
            Offered,
            ReminderMessage,
        )

        fields = {**self._about(), **self._promised(offer)}
        if passed.deadline is Deadline.REMINDER:
            data = Offered(**fields)
            self._add_for_sales("reminder", offer, partial(ReminderMessage, data=data))
            return
        touch = passed.deadline is Deadline.TOUCH_BREACHED
        promise = "first_touch" if touch else "acceptance"
        breached = BreachedData(**fields, promise=promise)
        made = partial(BreachedMessage, data=breached)
        self._add_for_sales(f"breached:{promise}", offer, made)

    def alerted(self, alert: DueAlert, offer: Offer | None) -> None:
        """Adds the message about what the lead did, for sales to hear of at once."""
        is_open = offer is not None and offer.closed_at is None and self._rules.handoff is not None
        promised = self._promised(offer) if offer and is_open else {}
        owner = offer.owner if offer else ""
        self._add_notice(alert_notice(alert, owner, promised, self._rules.titles))

    def updated(self, refresh: Refreshed, offer: Offer | None) -> None:
        """Adds the message that tells tools what has changed of the lead."""
        self._add_notice(update_notice(refresh, offer.owner if offer else ""))

    def _add_notice(self, notice: Notice) -> None:
        attributes = {**notice.attributes, "stage": self._lead.progress.stage}
        made = notice.message(self._about())
        self._add(Topic.LIFECYCLE, notice.kind, notice.cycle, made, attributes)

    def _add_for_sales(self, kind: str, offer: Offer, message: "Made") -> None:
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
            "touch_by": policy.deadline_of(offer, Deadline.TOUCH_BREACHED),
            "accept_by": policy.deadline_of(offer, Deadline.ACCEPT_BREACHED),
        }

    def _about(self) -> dict[str, Any]:
        from warmlead.domain.attribution import described, first_origin, last_origin  # noqa: PLC0415  # lists of sites
        from warmlead.messages.contract import LeadInMessage, Touches, consent_in_message  # noqa: PLC0415  # heavy
        from warmlead.messages.journey import (  # noqa: PLC0415  # only here
            MAX_JOURNEY_BYTES,
            journey_in_message,
        )

        lead, score = self._lead, self._evaluation.score
        part = _SMALL if must_be_small(self.waiting_bytes, self._lead_bytes) else 1
        room = MAX_TOUCH_BYTES // part
        steps = as_judged(lead, self._rules).steps
        traits = _sent(lead.traits, self._rules.traits, MAX_TRAIT_BYTES // part)
        return {
            "lead": LeadInMessage(
                id=lead.id,
                email=_safe(lead.email),
                user_id=_safe(lead.user_id),
                traits=cleaned(traits),
                consent=consent_in_message(self._evaluation.consent),
                crm_ids=_fitting(crm_ids_of(lead), room),
                journey=journey_in_message(steps, self._rules, MAX_JOURNEY_BYTES // part),
            ),
            "stage": lead.progress.stage,
            "score": score.score,
            "engagement": score.engagement,
            "fit": score.fit,
            "grade": self._evaluation.grade,
            "reasons": list(reasons(score, self._rules.titles, self._rules.shown, steps)),
            "attribution": Touches(
                first=_cleaned(described(lead.first_touch, first_origin(lead)), room),
                last=_cleaned(described(lead.last_touch, last_origin(lead)), room),
            ),
            "model_version": self._rules.version,
            "probability": self._probability(score.score),
        }

    def _probability(self, score: int) -> "ProbabilityInMessage | None":
        from warmlead.messages.contract import ProbabilityInMessage  # noqa: PLC0415  # heavy

        learned = self._rules.probability
        if learned is None:
            return None
        return ProbabilityInMessage(
            outcome=learned.outcome,
            of_100=learned.of_100(score),
            within_days=learned.within.days,
            leads=learned.leads,
            text=such_leads(learned, score),
        )

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


def _sent(
    traits: Mapping[str, Property], known: Collection[str], room: int
) -> Mapping[str, Property]:
    """The traits that a message has room for: those that the model names come first."""
    sent: dict[str, Property] = {}
    left = room
    for name in sorted(traits, key=lambda name: (name not in known, name)):
        size = len(json.dumps(json.dumps({name: traits[name]})))
        if size <= left:
            sent[name] = traits[name]
            left -= size
    return sent


def _cleaned(touch: Mapping[str, str], room: int) -> dict[str, str]:
    """A touch of which no more is said than there is room for; its channel comes first."""
    named = sorted(touch, key=lambda name: (name not in _OF_CHANNEL, name))
    fits = _fitting({name: printable(touch[name]) for name in named}, room)
    return {name: fits[name] for name in touch if name in fits}


def _fitting(texts: Mapping[str, str], room: int) -> dict[str, str]:
    """Those of some texts for which there is room in a message, as it stands in the lead."""
    kept: dict[str, str] = {}
    for name, text in texts.items():
        size = len(json.dumps(json.dumps({name: text})))
        if size <= room:
            kept[name] = text
            room -= size
    return kept


def _safe(text: str | None) -> str | None:
    """Cleans a text that an older release stored before texts were cleaned on receipt."""
    return None if text is None else printable(text)
