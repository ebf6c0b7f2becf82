"""Messages to sales in Slack: what the channel holds afterwards, and that no text is markup."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from destinations.delivering import Delivering, changed, delivering, example, outgoing
from destinations.slack.slack_api import CHANNEL, HOOK, TOKEN, Slack, fault_of
from destinations.vendors import Answered, served
from effort import examples
from warmlead.destinations.registry import destinations_in
from warmlead.destinations.slack.blocks import posted
from warmlead.domain.dispatch import DispatchState
from warmlead.domain.errors import ConfigurationError
from warmlead.parsing.buttons import TOUCHED, read_button
from warmlead.settings import Settings

OFFERED = example("handoff.offered")
KINDS = ("handoff.offered", "handoff.reminder", "handoff.breached", "lead.alerted")


@dataclass
class Place:
    """Slack, and delivery to it."""

    slack: Slack
    here: Delivering
    section: dict[str, Any]


def section_of(way: str, address: str, **fields: Any) -> dict[str, Any]:
    """A section by a webhook or a bot."""
    if way == "webhook":
        reached: dict[str, Any] = {"secrets": [address + HOOK]}
    else:
        reached = {"tokens": [TOKEN], "channel": CHANNEL, "address": address}
    return {"to": "slack", "allow_local": True, **reached, **fields}


@pytest.fixture
def slack() -> Slack:
    return Slack()


@pytest.fixture
def address(slack: Slack) -> Iterator[str]:
    with served(slack) as found:
        yield found


@pytest.fixture(params=["webhook", "bot"])
async def place(
    request: pytest.FixtureRequest, slack: Slack, address: str, tmp_path: Path
) -> AsyncIterator[Place]:
    section = section_of(request.param, address)
    async with delivering(tmp_path, section, timeout_s=1.0) as here:
        yield Place(slack, here, section)


def texts_in(message: dict[str, Any]) -> str:
    """All that people read in a message."""
    shown = []
    for block in message["blocks"]:
        parts = [block.get("text"), *block.get("fields", [])]
        shown += [part["text"] for part in parts if part]
    return "\n".join(shown)


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_is_posted_once_with_what_sales_needs(place: Place, kind: str) -> None:
    message = example(kind)

    done = await place.here.deliver(message)
    await place.here.deliver(message)

    assert done.state is DispatchState.SENT
    (held,) = place.slack.channel
    shown = texts_in(held)
    for part in ("Ada Lovelace, Analytical Engines", "ada@example.com", "CEO", "ann@example.com"):
        assert part in shown
    assert f"*Score*\n{message['data']['score']}" in shown
    assert "<!date^1773151205^{date_short_pretty} {time}|2026-03-10 14:00 UTC>" in shown
    assert "• +20 Whitepaper downloaded once, on 2026-03-08" in shown
    assert "Pricing page viewed (/pricing)" in shown
    assert held["text"].endswith(
        f"Ada Lovelace, Analytical Engines · score {message['data']['score']}"
    )
    assert (
        shown.partition(":")[0]
        == {
            "handoff.offered": "New lead for sales",
            "handoff.reminder": "Nobody has spoken to this lead yet",
            "handoff.breached": "Not contacted in time",
            "lead.alerted": "Asks again",
        }[kind]
    )


async def test_the_grade_the_alerts_acts_and_a_broken_acceptance_are_told(place: Place) -> None:
    await place.here.deliver(changed(example("lead.alerted"), grade="A"))
    await place.here.deliver(changed(example("handoff.breached"), promise="acceptance"))

    alert, breach = map(texts_in, place.slack.channel)
    assert "*Score*\n115, grade A" in alert
    assert "*What it did*\n• <!date^1773152400^" in alert
    assert breach.startswith("Not answered in time: ")


async def test_three_reasons_are_shown_and_they_are_the_weightiest(place: Place) -> None:
    reasons = ["+1 a", "+40 b", "+2.5 c", "-30 d", "no points"]
    await place.here.deliver(changed(OFFERED, reasons=reasons))
    shown = texts_in(place.slack.channel[0])
    assert "*Why*\n• +40 b\n• +2.5 c\n• -30 d\n" in shown + "\n"


async def test_what_else_is_chosen_is_posted_too(place: Place) -> None:
    kinds = ("lead.stage_entered", "lead.updated", "nurture.step_due")
    place.here.configure({**place.section, "messages": list(kinds)})
    for kind in kinds:
        assert (await place.here.deliver(example(kind))).state is DispatchState.SENT
    assert len(place.slack.channel) == 3
    assert not any(fault_of(each) for each in place.slack.channel)


async def test_a_model_that_drifts_is_told_in_words(place: Place) -> None:
    place.here.configure({**place.section, "messages": ["model.drifted"], "button": True})
    message = example("model.drifted")
    reasons = [*message["data"]["reasons"], "<!x>"]
    done = await place.here.deliver({**message, "data": {**message["data"], "reasons": reasons}})

    assert done.state is DispatchState.SENT
    (held,) = place.slack.channel
    shown = texts_in(held)
    assert shown.startswith("The model drifts: 2026-08\n*Why*\n• The scores have shifted (PSI ")
    assert shown.endswith("&lt;!x&gt;\nModel 4f1e7febff39, compared with: 2026-01 to 2026-03")
    assert held["text"] == "The model drifts: 2026-08"
    assert not fault_of(held)


async def test_owners_are_mentioned_and_the_lead_is_linked(place: Place) -> None:
    place.here.configure(
        {
            **place.section,
            "owners": {"ann@example.com": "U024BE7LH"},
            "link": "https://crm.example.com/c/{crm_ids.hubspot}?mail={email}",
        }
    )
    known = changed(OFFERED, lead={"crm_ids": {"hubspot": "50/1"}, "email": "a&b@example.com"})
    await place.here.deliver(known)
    await place.here.deliver(changed(OFFERED, id_="unknown"))

    with_record, without = map(texts_in, place.slack.channel)
    assert "*Owner*\n<@U024BE7LH>" in with_record
    address = "https://crm.example.com/c/50%2F1?mail=a%26b%40example.com"
    assert f"<{address}|Open the lead>" in with_record
    assert "Open the lead" not in without


async def test_a_button_names_the_lead_and_no_more_than_is_needed(place: Place) -> None:
    place.here.configure({**place.section, "button": True})
    await place.here.deliver(OFFERED)
    await place.here.deliver(changed(OFFERED, id_="ours", lead={"user_id": "u-17"}))
    await place.here.deliver(changed(OFFERED, id_="nobody", lead={"email": None}))

    by_address, by_id, nobody = (
        [e for b in each["blocks"] if b["type"] == "actions" for e in b["elements"]]
        for each in place.slack.channel
    )
    assert by_address[0]["action_id"] == TOUCHED
    button = read_button(by_address[0]["value"])
    assert (button.message, button.lead, button.offer) == (OFFERED["id"], OFFERED["subject"], 1)
    assert (button.email, button.user_id) == ("ada@example.com", "")
    ours = read_button(by_id[0]["value"])
    assert (ours.email, ours.user_id) == ("", "u-17")
    assert nobody == []


async def test_a_lost_answer_is_one_message_and_a_person_decides(place: Place) -> None:
    place.slack.lose = 1
    done = await place.here.deliver(OFFERED)
    done = await place.here.later(90_000, OFFERED)
    assert len(place.slack.channel) == 1
    assert done.state is DispatchState.DEAD
    assert "it may have succeeded" in done.why


async def test_with_repeats_sales_sees_it_twice_rather_than_never(place: Place) -> None:
    place.here.configure({**place.section, "repeats": True})
    place.slack.lose = 1
    assert (await place.here.deliver(OFFERED)).state is DispatchState.WAITING
    assert (await place.here.later(10, OFFERED)).state is DispatchState.SENT
    assert len(place.slack.channel) == 2


async def test_the_pause_that_slack_asks_for_is_kept(place: Place) -> None:
    error = json.dumps({"ok": False, "error": "ratelimited"}).encode()
    place.slack.fail_with = [Answered(429, error, {"Retry-After": "120"})]
    assert (await place.here.deliver(OFFERED)).state is DispatchState.WAITING
    assert (await place.here.later(110, OFFERED)).state is DispatchState.WAITING
    assert place.slack.channel == []
    assert (await place.here.later(20, OFFERED)).state is DispatchState.SENT
    assert len(place.slack.channel) == 1


async def test_a_flood_is_posted_message_by_message(place: Place) -> None:
    messages = [changed(OFFERED, id_=f"offer-{n}", offer=n + 1) for n in range(20)]
    place.slack.fail_with = [Answered(429, b"", {"Retry-After": "1"})] * 4
    for message in messages:
        await place.here.deliver(message)
    for _ in range(6):
        await place.here.later(400, messages[0])
    assert len(place.slack.channel) == 20


async def test_messages_are_posted_one_after_the_other(place: Place) -> None:
    place.slack.takes_s = 0.05
    await asyncio.gather(
        *(place.here.deliver(changed(OFFERED, id_=f"offer-{n}")) for n in range(6))
    )
    assert len(place.slack.channel) == 6
    assert place.slack.most_at_once == 1


async def test_a_hook_or_channel_that_is_no_more_disables_the_destination(place: Place) -> None:
    place.slack.is_archived = True
    done = await place.here.deliver(OFFERED)
    assert done.state is DispatchState.DEAD
    assert "is_archived" in done.why
    assert (await place.here.dispatches.circuit("tool")).disabled_at is not None


async def test_a_webhook_that_was_removed_disables_the_destination(
    address: str, tmp_path: Path
) -> None:
    section = section_of("webhook", address) | {"secrets": [f"{address}/services/T1/B1/gone"]}
    async with delivering(tmp_path, section) as here:
        done = await here.deliver(OFFERED)
        assert "no_service" in done.why
        assert (await here.dispatches.circuit("tool")).disabled_at is not None


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ({"token": "another"}, "give a token that is valid"),
        ({"is_member": False}, "invite the bot to the channel"),
    ],
)
async def test_what_a_person_mends_in_slack_loses_nothing(
    slack: Slack, address: str, tmp_path: Path, wrong: dict[str, Any], advice: str
) -> None:
    async with delivering(tmp_path, section_of("bot", address)) as here:
        for name, value in wrong.items():
            setattr(slack, name, value)
        done = await here.deliver(OFFERED)
        assert done.state is DispatchState.WAITING
        assert advice in done.why
        slack.token, slack.is_member = TOKEN, True
        assert (await here.later(10, OFFERED)).state is DispatchState.SENT
        assert done.id == OFFERED["id"]
    assert len(slack.channel) == 1


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        ("missing_scope", (DispatchState.WAITING, "give the bot the scope chat:write")),
        ("invalid_blocks", (DispatchState.DEAD, "invalid_blocks")),
        ("fatal_error", (DispatchState.DEAD, "it may have succeeded")),
        ("service_unavailable", (DispatchState.WAITING, "service_unavailable")),
        ("", (DispatchState.DEAD, "neither ok nor an error")),
        ("ada@example.com is bad", (DispatchState.DEAD, "neither ok nor an error")),
    ],
)
async def test_what_an_error_of_the_api_means(
    slack: Slack, address: str, tmp_path: Path, error: str, meaning: tuple[DispatchState, str]
) -> None:
    told = {"ok": False, "error": error, "needed": "chat:write"}
    slack.fail_with = [Answered(200, json.dumps(told).encode())]
    async with delivering(tmp_path, section_of("bot", address)) as here:
        done = await here.deliver(OFFERED)
    assert done.state is meaning[0]
    assert meaning[1] in done.why
    assert "ada@" not in done.why


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Answered(400, b"invalid_payload"), DispatchState.DEAD),
        (Answered(403, b"action_prohibited"), DispatchState.WAITING),
        (Answered(404, b"channel_not_found"), DispatchState.WAITING),
        (Answered(500, b"rollup_error"), DispatchState.DEAD),
        (Answered(302, b""), DispatchState.DEAD),
    ],
)
async def test_what_an_answer_of_a_webhook_means(
    slack: Slack, address: str, tmp_path: Path, answer: Answered, state: DispatchState
) -> None:
    slack.fail_with = [answer]
    async with delivering(tmp_path, section_of("webhook", address)) as here:
        done = await here.deliver(OFFERED)
    assert done.state is state
    assert str(answer.status) in done.why
    assert answer.body.decode() in done.why


# --- what anybody may type into a form -----------------------------------------------------

typed = st.text(max_size=5_000) | st.sampled_from(
    [
        "<!channel>",
        "<!here|x>",
        "<@U1>",
        "&lt;!channel&gt;",
        "<https://evil.example|x>",
        "&" * 4_000,
    ]
)
OURS = re.compile(
    r"<!date\^[0-9]+\^\{date_short_pretty\} \{time\}\|[0-9-]{10} [0-9:]{5} UTC>"
    r"|<https://crm\.example\.com/[A-Za-z0-9%._~-]*\|Open the lead>|<@U024BE7LH>"
)


@given(st.lists(typed, min_size=12, max_size=12), st.sampled_from(KINDS))
@settings(max_examples=examples(300), deadline=None)
def test_no_text_is_markup_and_no_limit_of_slacks_is_exceeded(texts: list[str], kind: str) -> None:
    name, company, title, owner, grade, reason, step, detail, act, email, alert, crm = texts
    at = "2026-03-10T13:20:00Z"
    steps = [{"at": at, "what": "x", "title": step, "details": {"a": detail, "b": detail}}] * 9
    message = changed(
        example(kind),
        lead={
            "traits": {"name": name, "company": company, "title": title, "phone": name},
            "journey": steps,
            "email": email,
            "crm_ids": {"hubspot": crm},
        },
        owner=owner,
        grade=grade,
        reasons=[reason] * 9,
        acts=[{"title": act, "at": at, "times": 3}] * 200,
        title=alert,
    )

    made = posted(
        outgoing(message),
        link="https://crm.example.com/{crm_ids.hubspot}",
        button=True,
        owners={"somebody": "U024BE7LH"},
    )

    assert fault_of(made) == ""
    marked = [block for block in made["blocks"] if block["type"] == "section"]
    parts = [part for b in marked for part in b.get("fields", [b.get("text")])]
    assert all(part["verbatim"] for part in parts)
    for text in (made["text"], *(part["text"] for part in parts)):
        bare = OURS.sub("", text)
        assert "<" not in bare
        assert ">" not in bare
        assert not re.search(r"&(?!amp;|lt;|gt;)", bare)


# --- settings ------------------------------------------------------------------------------


def problems_of(production: bool = False, **section: Any) -> tuple[str, ...]:
    using = Settings(env="production") if production else Settings()
    with pytest.raises(ConfigurationError) as error:
        destinations_in({"sales": {"to": "slack", **section}}, using)
    return error.value.problems


GOOD = "https://hooks.slack.com/services/T1/B1/secret-of-the-tests"


@pytest.mark.parametrize(
    ("section", "places"),
    [
        ({}, ["sales"]),
        ({"secrets": [GOOD], "tokens": ["xoxb-1"], "channel": CHANNEL}, ["sales"]),
        ({"secrets": ["https://example.com/hook"]}, ["sales.secrets"]),
        ({"secrets": ["http://localhost:1/x"]}, ["sales.secrets"]),
        ({"tokens": ["two words"], "channel": "#sales"}, ["sales.tokens", "sales.channel"]),
        ({"secrets": [GOOD], "channel": CHANNEL}, ["sales.channel"]),
        (
            {"secrets": [GOOD], "owners": {"ann": "@ann"}, "messages": ["kpi.reported"]},
            ["sales.owners.ann", "sales.messages"],
        ),
        ({"secrets": [GOOD], "link": "https://{traits.site}/x"}, ["sales.link"]),
        ({"secrets": [GOOD], "link": "https://crm.example.com/{phone}"}, ["sales.link"]),
        ({"secrets": [GOOD], "link": "https://crm.example.com/{id"}, ["sales.link"]),
        ({"secrets": [GOOD], "link": "javascript:alert({id})"}, ["sales.link"]),
        ({"secrets": [GOOD], "link": "https://crm.example.com/|x>{id}"}, ["sales.link"]),
    ],
)
def test_every_fault_of_a_section_is_told(section: dict[str, Any], places: list[str]) -> None:
    assert [problem.partition(": ")[0] for problem in problems_of(**section)] == places


def test_a_link_that_is_the_same_for_all_is_good() -> None:
    section = {"to": "slack", "secrets": [GOOD], "link": "https://crm.example.com"}
    assert destinations_in({"sales": section}, Settings())


def test_production_takes_no_local_address() -> None:
    found = problems_of(True, **section_of("bot", "http://localhost:1"))
    assert [each.partition(": ")[0] for each in found] == ["sales.allow_local", "sales.address"]


def test_no_secret_is_shown() -> None:
    for section in (
        section_of("bot", "http://localhost:1"),
        section_of("webhook", "http://localhost:1"),
    ):
        (made,) = destinations_in({"sales": section}, Settings()).values()
        assert TOKEN not in repr(vars(made))
        assert "ofTheTests4711" not in repr(vars(made))
