"""Suppression over time: sequences end at once, and begin anew when the way back is open."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from builders import NOW, a_trigger, an_event, keeping, lead_ids
from unit.application.living import DAY, LIVING, Place, a_reader, place
from warmlead.application.apply import Scoring, apply
from warmlead.application.explain import explain
from warmlead.domain.consent import Status, SuppressionPolicy
from warmlead.domain.event import Event, Trust
from warmlead.domain.rules import Rules
from warmlead.domain.trigger import Topic
from warmlead.model.loading import ready_model
from warmlead.ports import RawRequest
from warmlead.senders.generic import FormSettings, GenericSource

HOUR = DAY / 24
READER = "ada@example.com"


async def hear(here: Place, name: str, rules: Rules = LIVING, **properties: Any) -> None:
    """A signed statement about the reader, now."""
    now = here.clock.now()
    event = an_event(
        id=f"{name}-{now.isoformat()}",
        name=name,
        email=READER,
        trust=Trust.SIGNED,
        occurred_at=now,
        received_at=now,
        properties=properties,
    )
    scoring = Scoring(rules, lead_ids)
    await apply([event], store=here.store, bus=here.bus, scoring=scoring, clock=here.clock)


async def steps(here: Place) -> list[str]:
    told: list[Mapping[str, Any]] = [json.loads(m.body)["data"] for m in await here.triggers()]
    return [data["message"] for data in told if "message" in data]


async def test_a_due_step_is_not_sent_to_a_person_who_just_unsubscribed(
    tmp_path: Path,
) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        await here.store.update([], keeping(a_reader("ada", 5, NOW)))
        here.clock.forward(3 * DAY)
        await hear(here, "unsubscribed", list_name="News")
        await here.follow_up()
        (lead,) = await here.leads()
        assert lead.enrolments["welcome"].ending == "suppressed"
        assert await steps(here) == []


async def test_ready_made_models_score_consent_as_it_is_now(tmp_path: Path) -> None:
    model = ready_model("b2b-saas")
    async with place(tmp_path / "w.db", NOW) as here:
        told: list[list[str]] = []
        for name in ("form_submitted", "email_unsubscribed", "email_subscribed"):
            await hear(here, name, model.rules)
            (lead,) = await here.leads()
            lines = explain(lead, model.rules, here.clock.now()).contributions
            told.append([line.because for line in lines])
            here.clock.forward(DAY)
        assert [any("Unsubscribed" in line for line in lines) for lines in told] == [
            False,
            True,
            False,
        ]


async def test_an_unsent_step_is_not_sent_to_a_person_who_unsubscribed_since(
    tmp_path: Path,
) -> None:
    unsent = (
        a_trigger(id="step", topic=Topic.NURTURE, body='{"data":{"message":"guide"}}'),
        a_trigger(id="mql", topic=Topic.MQL, body='{"data":{"message":"an MQL"}}'),
    )
    async with place(tmp_path / "w.db", NOW) as here:
        await here.store.update([], keeping(replace(a_reader("ada", 5, NOW), outbox=unsent)))
        await hear(here, "unsubscribed")
        here.clock.forward(DAY)
        await here.follow_up()
        assert "an MQL" in await steps(here)
        assert "guide" not in await steps(here)


async def test_a_delivery_after_a_bounce_lets_the_sequence_begin_anew(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        await here.store.update([], keeping(a_reader("ada", 9, NOW)))
        await hear(here, "email_bounced", kind="hard")
        here.clock.forward(5 * DAY)
        await here.follow_up()
        await here.decay()
        assert await steps(here) == []
        await hear(here, "email_delivered")
        assert await steps(here) == ["guide"]
        (lead,) = await here.leads()
        assert lead.enrolments["welcome"].run == 2


async def test_soft_bounces_end_a_sequence_at_the_models_limit(
    tmp_path: Path,
) -> None:
    rules = replace(LIVING, suppression=SuppressionPolicy(soft_bounces=2))
    async with place(tmp_path / "w.db", NOW) as here:
        await here.store.update([], keeping(a_reader("ada", 5, NOW)))
        endings = []
        for _ in range(2):
            here.clock.forward(DAY)
            await hear(here, "email_bounce", rules, kind="transient")
            (lead,) = await here.leads()
            endings.append(lead.enrolments["welcome"].ending)
        assert endings == ["", "suppressed"]


async def hear_of(here: Place, *events: Event) -> None:
    scoring = Scoring(LIVING, lead_ids)
    for event in events:
        await apply([event], store=here.store, bus=here.bus, scoring=scoring, clock=here.clock)


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_refusal_under_a_user_id_ends_the_sequence_of_its_claimant(
    tmp_path: Path, order: Sequence[int]
) -> None:
    user = an_event(email=None, user_id="4713", occurred_at=NOW, received_at=NOW)
    said = [
        structs.replace(user, id="claim", trust=Trust.PUBLIC, email=READER),
        structs.replace(user, id="no", trust=Trust.PUBLIC, name="email_unsubscribed"),
        structs.replace(user, id="order", trust=Trust.SIGNED, name="order_completed"),
    ]
    async with place(tmp_path / "w.db", NOW) as here:
        await here.store.update([], keeping(a_reader("ada", 5, NOW)))
        await hear_of(here, *(said[nth] for nth in order))
        here.clock.forward(3 * DAY)
        await here.follow_up()
        leads = {lead.email: lead for lead in await here.leads()}
        assert leads.keys() == {READER, None}
        assert leads[READER].enrolments["welcome"].ending == "suppressed"
        assert await steps(here) == []
        for lead in leads.values():
            assert lead.consent(LIVING.suppression).status is Status.UNSUBSCRIBED


async def test_a_newsletter_form_after_an_unsubscription_counts(
    tmp_path: Path,
) -> None:
    settings = FormSettings(allow_unsigned=True, event="newsletter_subscribed")
    form = GenericSource({"news": settings})

    async with place(tmp_path / "w.db", NOW) as here:
        body = json.dumps({"email": READER}).encode()
        for name in ("form", "email_unsubscribed", "form", "form"):
            here.clock.forward(HOUR)
            now = here.clock.now()
            request = RawRequest("POST", "/generic/news", "", {}, body, now, "request")
            ((_, event),) = form.translate(request, Trust.PUBLIC).events
            if name != "form":
                event = structs.replace(event, id="a link in a mail", name=name)
            scoring = Scoring(LIVING, lead_ids)
            await apply([event], store=here.store, bus=here.bus, scoring=scoring, clock=here.clock)
        (lead,) = await here.leads()
        assert lead.consent(SuppressionPolicy()).status is Status.SUBSCRIBED
        assert lead.kept_events == 2, "the form counts once a day"
