"""What a stranger can do through a tool that signs its webhooks: type another's address.

The tool's signature proves what the tool has seen. What a visitor typed is as public as anything.
"""

import json
from datetime import timedelta
from typing import Any

import pytest
from msgspec import Struct

from unit.application.conftest import World
from warmlead.domain.consent import Status, SuppressionPolicy
from warmlead.domain.errors import Reason
from warmlead.domain.event import Event, Property, Trust
from warmlead.ports import RawRequest, Translation
from warmlead.senders.calendly import CalendlySettings, CalendlySource
from warmlead.senders.customerio import CustomerIoSettings, CustomerIoSource
from warmlead.senders.intercom import IntercomSettings, IntercomSource
from warmlead.senders.mailchimp import MailchimpSettings, MailchimpSource
from warmlead.senders.stripe import StripeSettings, StripeSource
from warmlead.senders.typeform import TypeformSettings, TypeformSource
from warmlead.senders.webhooks import WebhookSender

ADA, EVE = "ada@example.com", "eve@example.net"
SECRETS = ("a-secret-of-the-tests-of-claims",)


class Posted(Struct, frozen=True):
    """What a tool sends in one request."""

    sender: WebhookSender
    body: bytes

    def read(self, world: World) -> Translation:
        """What it means, once its signature has been checked."""
        path = f"/{self.sender.path}"
        headers = {"content-type": "application/json"}
        request = RawRequest("POST", path, "", headers, self.body, world.clock.now(), "request")
        return self.sender.translate(request, Trust.SIGNED)

    async def apply(self, world: World) -> list[Event]:
        """Its events, applied."""
        events = [event for _, event in self.read(world).events]
        await world.apply(*events)
        return events


def form(answers: dict[str, Any], token: str = "t1", **settings: Any) -> Posted:
    """A response to a form of Typeform; a visitor also writes the hidden fields, in the address."""
    response = {"form_id": "f", "token": token, "hidden": answers}
    sender = TypeformSource(TypeformSettings(secrets=SECRETS, **settings), own_hosts=frozenset())
    return Posted(
        sender,
        json.dumps({"event_type": "form_response", "form_response": response}).encode(),
    )


def meeting(email: str, *answers: tuple[str, str], **settings: Any) -> Posted:
    """A meeting that is booked with Calendly."""
    asked = [{"question": question, "answer": answer} for question, answer in answers]
    invitee = {"uri": "https://api.calendly.com/i/1", "email": email, "name": "Eve Adams"}
    payload = {**invitee, "questions_and_answers": asked}
    sender = CalendlySource(CalendlySettings(secrets=SECRETS, **settings), own_hosts=frozenset())
    return Posted(sender, json.dumps({"event": "invitee.created", "payload": payload}).encode())


def contact(topic: str, user_id: str, email: str) -> Posted:
    """A change of a contact of Intercom, whose id and address its messenger has stated."""
    item = {"id": "c1", "role": "user", "external_id": user_id, "email": email}
    about = item if topic == "contact.email.updated" else {"contact": item, "created_at": 1}
    sender = IntercomSource(IntercomSettings(secrets=SECRETS), own_hosts=frozenset())
    return Posted(sender, json.dumps({"topic": topic, "data": {"item": about}}).encode())


def checkout(user_id: str, email: str, *, link: str | None) -> Posted:
    """A session of Stripe's checkout; whoever opens a payment link may write a reference in it."""
    about = {
        "id": "cs_1",
        "mode": "payment",
        "payment_status": "paid",
        "customer": "cus_1",
        "client_reference_id": user_id,
        "customer_details": {"email": email, "name": "Eve"},
        "payment_link": link,
    }
    event = {"type": "checkout.session.completed", "livemode": True, "data": {"object": about}}
    settings = StripeSettings(secrets=SECRETS, user_id="client_reference_id")
    return Posted(StripeSource(settings, own_hosts=frozenset()), json.dumps(event).encode())


async def known(world: World) -> None:
    """Ada, as a server states her."""
    stated = {"name": "Ada", "company": "Analytical Engines"}
    await world.apply(world.seen(1, "identified", email=ADA, user_id="ada-1", traits=stated))


@pytest.mark.parametrize(
    "posted",
    [form({"email": ADA, "name": "Eve", "company": "Evil"}), meeting(ADA, ("Company", "Evil"))],
)
async def test_a_visitor_who_types_a_persons_address_overwrites_no_signed_trait(
    world: World, posted: Posted
) -> None:
    await known(world)
    await posted.apply(world)
    traits = (await world.lead()).traits
    assert (traits["name"], traits["company"]) == ("Ada", "Analytical Engines")


@pytest.mark.parametrize(
    ("stated", "typed"),
    [
        ({"name": "Ada Lovelace"}, {"first_name": "Eve", "last_name": "Adams"}),
        ({"first_name": "Ada", "last_name": "Lovelace"}, {"name": "Eve Adams"}),
        ({"last_name": "Lovelace"}, {"first_name": "Eve"}),
    ],
)
@pytest.mark.parametrize("is_typed_first", [True, False])
async def test_a_visitor_adds_no_part_to_a_name_that_is_signed(
    world: World, stated: dict[str, Property], typed: dict[str, Property], *, is_typed_first: bool
) -> None:
    signed = world.seen(1, "identified", email=ADA, traits=stated)
    public = form({"email": ADA, "company": "Analytical Engines", **typed})
    if is_typed_first:
        await public.apply(world)
    await world.apply(signed)
    if not is_typed_first:
        await public.apply(world)
    assert (await world.lead()).traits == {**stated, "company": "Analytical Engines"}


async def test_parts_of_a_name_of_equal_trust_stand_together(world: World) -> None:
    await form({"email": ADA, "first_name": "Ada"}, "t1").apply(world)
    await form({"email": ADA, "name": "Ada Lovelace"}, "t2").apply(world)
    assert (await world.lead()).traits == {"first_name": "Ada", "name": "Ada Lovelace"}


@pytest.mark.parametrize("id_", ["crm:hubspot:4711:contact:1", "chatwoot:17"])
async def test_a_visitor_takes_no_id_of_a_crm_or_a_chat_through_a_form_or_a_meeting(
    world: World, id_: str
) -> None:
    posts = form({"email": EVE, "anonymous_id": id_}), meeting(EVE, ("anonymous_id", id_))
    for posted in posts:
        events = await posted.apply(world)
        assert {event.email for event in events} == {EVE}
        assert not any(event.anonymous_id or event.user_id for event in events)


@pytest.mark.parametrize("name", ["sales_won", "sales_accepted"])
def test_a_visitor_makes_no_statement_of_sales_whatever_the_settings_name_it(
    world: World, name: str
) -> None:
    found = form({"email": EVE}, event=name).read(world)
    assert found.events == []
    assert [one.error.reason for one in found.refused] == [Reason.EVENT_INVALID]


async def consent_after(world: World, *posts: Posted) -> Status:
    """Ada's consent after she refused, by a signed sender, and then something was posted."""
    await known(world)
    await world.apply(world.seen(2, "email_unsubscribed", email=ADA))
    for posted in posts:
        world.clock.forward(timedelta(hours=1))
        await posted.apply(world)
    return (await world.lead()).consent(SuppressionPolicy()).status


async def test_a_visitor_lifts_no_signed_refusal_by_a_form_or_a_meeting(world: World) -> None:
    subscribed = "newsletter_subscribed"
    by_form = form({"email": ADA}, event=subscribed)
    by_meeting = meeting(ADA, events={"invitee.created": subscribed})
    assert await consent_after(world, by_form, by_meeting) is Status.UNSUBSCRIBED


@pytest.mark.parametrize(
    "posted",
    [form({"email": ADA, "newsletter": "no"}), meeting(ADA, ("Newsletter", "no"))],
)
async def test_a_visitor_refuses_mail_for_another_in_public_only(
    world: World, posted: Posted
) -> None:
    await known(world)
    await posted.apply(world)
    facts = [fact for trail in (await world.lead()).trails.values() for fact in trail.consent]
    assert {fact.trust for fact in facts} == {Trust.PUBLIC}


async def test_a_tool_vouches_for_the_meeting_and_not_for_who_it_is(world: World) -> None:
    booked, who = await meeting(EVE, ("Company", "Evil")).apply(world)
    assert (booked.name, booked.trust, booked.traits) == ("meeting_booked", Trust.SIGNED, {})
    assert (who.name, who.trust, who.traits["company"]) == ("identified", Trust.PUBLIC, "Evil")


@pytest.mark.parametrize("topic", ["contact.email.updated", "contact.unsubscribed"])
async def test_a_visitor_who_states_another_users_id_in_a_chat_joins_nobody(
    world: World, topic: str
) -> None:
    await known(world)
    await contact(topic, "ada-1", EVE).apply(world)
    ada, eve = await world.lead(), await world.lead(world.seen(9, email=EVE))
    assert ada.id != eve.id
    assert (await world.lead(world.seen(9, email=None, user_id="ada-1"))).id == ada.id


@pytest.mark.parametrize(("link", "joined"), [("plink_1", False), (None, True)])
async def test_a_reference_in_the_address_of_a_payment_link_joins_nobody(
    world: World, link: str | None, joined: bool
) -> None:
    await known(world)
    events = await checkout("ada-1", EVE, link=link).apply(world)
    assert (events[0].name, events[0].trust) == ("order_completed", Trust.SIGNED)
    ada, eve = await world.lead(), await world.lead(world.seen(9, email=EVE))
    assert (ada.id == eve.id) is joined


async def test_what_people_type_into_a_sign_up_form_of_a_mail_tool_is_public(
    world: World,
) -> None:
    await known(world)
    body = (
        "type=subscribe&fired_at=2026-03-02+10:00:00&data[id]=1&data[list_id]=2"
        f"&data[email]={ADA}&data[merges][FNAME]=Eve&data[merges][COMPANY]=Evil"
    )
    sender = MailchimpSource(MailchimpSettings(secrets=SECRETS), own_hosts=frozenset())
    subscribed, _ = await Posted(sender, body.encode()).apply(world)
    assert (subscribed.name, subscribed.trust) == ("email_subscribed", Trust.SIGNED)
    assert (await world.lead()).traits["company"] == "Analytical Engines"


async def unsubscribed_in_customerio(world: World, identifiers: dict[str, str]) -> list[Event]:
    body = {
        "object_type": "customer",
        "metric": "unsubscribed",
        "event_id": "e1",
        "data": {"identifiers": identifiers},
    }
    sender = CustomerIoSource(CustomerIoSettings(secrets=SECRETS), own_hosts=frozenset())
    return await Posted(sender, json.dumps(body).encode()).apply(world)


async def test_a_user_id_that_a_page_told_a_mail_tool_joins_nobody(world: World) -> None:
    await known(world)
    (refused,) = await unsubscribed_in_customerio(world, {"id": "ada-1", "email": EVE})
    assert (refused.user_id, refused.trust) == (None, Trust.SIGNED)
    assert (await world.lead()).id != (await world.lead(world.seen(9, email=EVE))).id


async def test_a_mail_tools_refusal_of_a_user_without_an_address_stays_signed(
    world: World,
) -> None:
    await known(world)
    (refused,) = await unsubscribed_in_customerio(world, {"id": "ada-1"})
    assert (refused.user_id, refused.trust) == ("ada-1", Trust.SIGNED)
    assert (await world.lead()).consent(SuppressionPolicy()).status is Status.UNSUBSCRIBED


async def test_a_captured_post_without_a_signed_time_counts_again_after_a_month_at_its_own_time(
    world: World,
) -> None:
    submitted = world.clock.now()
    settings = TypeformSettings(secrets=SECRETS, event="page_viewed")
    sender = TypeformSource(settings, own_hosts=frozenset())
    response = {"token": "t1", "hidden": {"email": ADA}, "submitted_at": submitted.isoformat()}
    said = {"event_type": "form_response", "form_response": response}
    posted = Posted(sender, json.dumps(said).encode())

    async def score(*later: Event) -> int:
        await world.apply(*later)
        await posted.apply(world)
        snapshot = (await world.lead()).snapshot
        assert snapshot is not None
        return snapshot.score

    assert [await score(), await score()] == [10, 10]
    world.clock.forward(timedelta(days=30))
    assert await score() == 10
    world.clock.forward(timedelta(days=3))
    other = world.seen(1, "other", email=ADA)
    assert [await score(other), await score()] == [20, 20]
    (event,) = await posted.apply(world)
    assert event.occurred_at == submitted
