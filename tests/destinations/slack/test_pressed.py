"""The button under a message in Slack, from the offer to the promise that is kept."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from destinations.delivering import Delivering
from destinations.slack.slack_api import HOOK, Slack
from destinations.vendors import served
from unit.application.conftest import World
from unit.application.living import LIVING, settling
from warmlead.application.due import follow_up
from warmlead.domain.errors import Reason, RejectedError
from warmlead.ports import RawRequest, Translation
from warmlead.senders.registry import senders_in
from warmlead.senders.slack import SlackSource
from warmlead.settings import Settings
from warmlead.sqlite_file import SqliteFile

SECRET = "the-signing-secret-of-the-app"
MINUTE = timedelta(minutes=1)
OFFERED = "warmlead.handoff.offered.v1"


@pytest.fixture
def slack() -> Slack:
    return Slack()


@pytest.fixture
def address(slack: Slack) -> Iterator[str]:
    with served(slack) as found:
        yield found


@dataclass
class Sales:
    """A lead that is offered to sales in Slack."""

    world: World
    delivering: Delivering
    slack: Slack
    sender: SlackSource

    async def offered(self) -> None:
        """Somebody reads enough to be offered; the channel then has the message."""
        await self.world.pages(0, 4)
        triggers = await self.world.triggers()
        (offer,) = [each for each in triggers if each["type"] == OFFERED]
        await self.delivering.deliver(offer)

    def button(self) -> dict[str, Any]:
        (message,) = self.slack.channel
        (button,) = [e for b in message["blocks"] if b["type"] == "actions" for e in b["elements"]]
        return dict(button)

    def pressed(self, by: str, **button: Any) -> RawRequest:
        """Slack's request after a member pressed the button just now."""
        now = self.world.clock.now()
        action = {**self.button(), "type": "button", "action_ts": f"{now.timestamp():.6f}"}
        payload = {
            "type": "block_actions",
            "user": {"id": f"U-{by}", "username": by},
            "actions": [{**action, **button}],
            "response_url": "https://hooks.slack.com/actions/x",
        }
        body = urlencode({"payload": json.dumps(payload)}).encode()
        bare = RawRequest("POST", "/slack", "", {}, body, now, "req")
        signature = {name.lower(): value for name, value in self.sender.sign(bare).items()}
        return RawRequest("POST", "/slack", "", signature, body, now, "req")

    def translated(self, request: RawRequest) -> Translation:
        return self.sender.translate(request, self.sender.verify(request))

    async def applied(self, request: RawRequest) -> None:
        await self.world.apply(*(event for _, event in self.translated(request).events))


@pytest.fixture
async def sales(slack: Slack, address: str, tmp_path: Path) -> AsyncIterator[Sales]:
    section = {"to": "slack", "secrets": [address + HOOK], "button": True, "allow_local": True}
    senders = senders_in("sales", {"slack": {"secrets": [SECRET]}}, Settings())
    sender = senders.by_path["slack"]
    assert isinstance(sender, SlackSource)
    async with SqliteFile(tmp_path / "warmlead.sqlite3") as file:
        delivering = Delivering(file, section, timeout_s=5.0)
        yield Sales(World(file, delivering.clock, LIVING), delivering, slack, sender)


async def test_a_press_keeps_the_promise_of_a_first_contact(sales: Sales) -> None:
    await sales.offered()
    pressed_at = sales.world.clock.forward(10 * MINUTE)

    await sales.applied(sales.pressed("ann"))

    offer = (await sales.world.lead()).offer
    assert offer is not None
    assert offer.touched_at == pressed_at
    sales.world.clock.forward(120 * MINUTE)
    await follow_up(settling(sales.world.store, sales.world.sqlite_bus, sales.world.clock))
    kinds = [each["type"] for each in await sales.world.triggers()]
    assert "warmlead.handoff.breached.v1" not in kinds
    assert "warmlead.handoff.reminder.v1" not in kinds


async def test_two_who_press_are_one_statement_of_the_first(sales: Sales) -> None:
    await sales.offered()
    sales.world.clock.forward(MINUTE)
    first = sales.pressed("ann")
    sales.world.clock.forward(MINUTE)
    second = sales.pressed("bob")

    for request in (second, first, first):
        sales.world.clock.time = request.received_at
        await sales.applied(request)

    trails = (await sales.world.lead()).trails.values()
    statements = [each for trail in trails for each in trail.statements.values()]
    assert [(each.said, each.at) for each in statements] == [("touched", first.received_at)]
    assert statements[0].details == (("note", "in Slack, by ann U-ann"),)


async def test_a_press_is_only_believed_with_slacks_signature_of_the_last_minutes(
    sales: Sales,
) -> None:
    await sales.offered()
    request = sales.pressed("ann")
    assert sales.sender.verify(request)

    for header in ("x-slack-signature", "x-slack-request-timestamp"):
        bare = {name: value for name, value in request.headers.items() if name != header}
        with pytest.raises(RejectedError):
            sales.sender.verify(replace(request, headers=bare))
    with pytest.raises(RejectedError) as changed:
        sales.sender.verify(replace(request, body=request.body.replace(b"ann", b"eve")))
    assert changed.value.reason == Reason.SIGNATURE_INVALID
    with pytest.raises(RejectedError) as old:
        sales.sender.verify(replace(request, received_at=request.received_at + 6 * MINUTE))
    assert old.value.reason == Reason.SIGNATURE_EXPIRED


async def test_what_goes_to_quarantine_has_no_token_and_can_be_released(sales: Sales) -> None:
    await sales.offered()
    broken = sales.translated(sales.pressed("ann", value="{}"))

    (refused,) = broken.refused
    assert b"response_url" not in refused.raw
    good = refused.raw.replace(b'"{}"', json.dumps(sales.button()["value"]).encode())
    path, body = sales.sender.resend("/slack", good)
    again = RawRequest("POST", path, "", {}, body, sales.world.clock.now(), "req")
    translated = sales.sender.translate(again, sales.sender.verify(_signed(sales, again)))
    assert [event.name for _, event in translated.events] == ["sales_touched"]


def _signed(sales: Sales, request: RawRequest) -> RawRequest:
    headers = {name.lower(): value for name, value in sales.sender.sign(request).items()}
    return replace(request, headers=headers)
