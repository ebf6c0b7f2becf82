"""Every mail tool against its vendor's API: one suite, which looks at what the vendor has taken."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW, an_event
from destinations.delivering import Delivering, changed, delivering, example, outgoing
from destinations.mail.mail_vendors import KEY, VENDORS, Mailchimp, MailVendor, Postmark, SendGrid
from destinations.vendors import Answered, served
from effort import examples
from warmlead.destinations.mail import MAX_VALUE, TRAITS, variables_of
from warmlead.destinations.mailgun.destination import MAX_OPTIONS_BYTES
from warmlead.destinations.registry import destinations_in
from warmlead.domain.dispatch import DispatchState
from warmlead.domain.errors import ConfigurationError
from warmlead.settings import Settings

STEP = example("nurture.step_due")
ADDRESS = "ada@example.com"


@dataclass
class Place:
    """A vendor, and delivery to it."""

    vendor: MailVendor
    here: Delivering
    address: str


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.tool)
def vendor(request: pytest.FixtureRequest) -> MailVendor:
    made: MailVendor = request.param()
    if isinstance(made, SendGrid):
        made.now = int(NOW.timestamp())
    return made


@pytest.fixture
def address(vendor: MailVendor) -> Iterator[str]:
    with served(vendor) as found:
        yield found


@pytest.fixture
async def place(vendor: MailVendor, address: str, tmp_path: Path) -> AsyncIterator[Place]:
    async with delivering(tmp_path, vendor.section(address), timeout_s=1.0) as here:
        yield Place(vendor, here, address)


async def test_the_due_step_is_sent_as_the_template_of_its_message(place: Place) -> None:
    done = await place.here.deliver(STEP)

    assert done.state is DispatchState.SENT
    assert done.reference
    (mail,) = place.vendor.mails
    assert mail.to == ADDRESS
    assert "hello@example.org" in mail.sender
    assert mail.reply_to == "answers@example.org"
    assert mail.template == str(place.vendor.template)
    assert mail.tag == "welcome-guide", "what its webhooks report as the campaign"
    assert mail.id == STEP["id"]
    assert mail.unsubscribe == {"sendgrid": "77", "postmark": "nurture"}.get(place.vendor.tool, "")
    assert mail.variables == {
        **dict.fromkeys(TRAITS, ""),
        "first_name": "Ada",
        "name": "Ada Lovelace",
        "company": "Analytical Engines",
        "title": "CEO",
        "country": "US",
        "email": ADDRESS,
        "lead_id": STEP["subject"],
        "score": 55,
        "stage": "mql",
        "grade": "",
        "sequence": "mql-education",
        "message": "welcome-guide",
        "step": 1,
        "steps": 6,
    }


async def test_a_repeat_of_the_message_is_not_a_second_mail(place: Place) -> None:
    await place.here.deliver(STEP)
    await place.here.deliver(STEP)
    assert len(place.vendor.mails) == 1


@pytest.mark.parametrize("how", ["lose", "hang"])
async def test_a_mail_of_which_the_answer_is_lost_is_sent_once(place: Place, how: str) -> None:
    setattr(place.vendor, how, 1)

    done = await place.here.deliver(STEP)
    for pause in (10, 400, 2_000, 90_000):
        done = await place.here.later(pause, STEP)

    assert len(place.vendor.mails) == 1
    if place.vendor.tool == "brevo":  # it knows the request again
        assert done.state is DispatchState.SENT
    else:
        assert done.state is DispatchState.DEAD, "a person decides"
        assert "it may have succeeded" in done.why


async def test_a_mail_of_which_every_answer_is_lost_waits_for_a_person(place: Place) -> None:
    place.vendor.lose = 100

    await place.here.deliver(STEP)
    done = await place.here.later(90_000, STEP)

    assert len(place.vendor.mails) == 1
    assert done.state is DispatchState.DEAD
    assert "it may have succeeded" in done.why


async def test_the_pause_that_the_vendor_asks_for_is_kept(place: Place) -> None:
    place.vendor.fail_with = [place.vendor.too_many(600)]

    assert (await place.here.deliver(STEP)).state is DispatchState.WAITING
    assert (await place.here.later(590, STEP)).state is DispatchState.WAITING
    assert place.vendor.mails == []
    assert (await place.here.later(20, STEP)).state is DispatchState.SENT
    assert len(place.vendor.mails) == 1


async def test_twenty_steps_at_once_are_twenty_mails(place: Place) -> None:
    steps = [
        changed(STEP, id_=f"step-{n}", lead={"email": f"person-{n}@example.com"}) for n in range(20)
    ]
    place.vendor.fail_with = [place.vendor.too_many(30)] * 3

    for step in steps:
        await place.here.deliver(step)
    for _ in range(6):
        await place.here.later(300, steps[0])

    assert sorted(mail.to for mail in place.vendor.mails) == sorted(
        f"person-{n}@example.com" for n in range(20)
    )
    assert {mail.id for mail in place.vendor.mails} == {step["id"] for step in steps}


async def test_who_unsubscribed_meanwhile_gets_no_mail(place: Place) -> None:
    opened = an_event(id="opened", email="grace@example.com")
    lead = await place.here.known(
        opened, an_event(id="no", name="email_unsubscribed", email="grace@example.com")
    )
    step = changed(STEP, lead={"id": lead.id, "email": "grace@example.com"})

    done = await place.here.deliver(step)

    assert done.state is DispatchState.SKIPPED
    assert done.why == "the person may not be written to any more"
    assert place.vendor.asked == []


async def test_who_unsubscribes_while_the_vendor_is_away_gets_no_mail(place: Place) -> None:
    lead = await place.here.known(an_event(id="opened", email="grace@example.com"))
    step = changed(STEP, lead={"id": lead.id, "email": "grace@example.com"})
    place.vendor.fail_with = [Answered(503)]

    assert (await place.here.deliver(step)).state is DispatchState.WAITING
    await place.here.known(
        an_event(id="opened", email="grace@example.com"),
        an_event(id="no", name="email_unsubscribed", email="grace@example.com"),
    )
    done = await place.here.later(60, step)

    assert done.state is DispatchState.SKIPPED
    assert place.vendor.mails == []


async def test_a_message_that_says_no_itself_is_no_mail(place: Place) -> None:
    consent = {**STEP["data"]["lead"]["consent"], "may_be_mailed": False}
    done = await place.here.deliver(changed(STEP, lead={"consent": consent}))
    assert done.state is DispatchState.SKIPPED
    assert place.vendor.asked == []


async def test_nobody_is_written_to_without_an_address(place: Place) -> None:
    done = await place.here.deliver(changed(STEP, lead={"email": None}))
    assert (done.state, done.why) == (
        DispatchState.SKIPPED,
        "no email address of the lead is known",
    )


@pytest.mark.parametrize("two", ["ada@example.com,eve@example.org", "Eve <eve@example.org>"])
async def test_one_address_is_never_read_as_several(place: Place, two: str) -> None:
    done = await place.here.deliver(changed(STEP, lead={"email": two}))
    assert done.state is DispatchState.DEAD
    assert place.vendor.asked == []
    assert "example" not in done.why


async def test_a_step_without_a_template_says_so_and_can_be_sent_later(place: Place) -> None:
    done = await place.here.deliver(changed(STEP, message="case-study"))
    assert (done.state, done.why) == (
        DispatchState.DEAD,
        "templates has none for the message case-study: add it",
    )
    assert place.vendor.asked == []


async def test_a_wrong_key_loses_nothing(place: Place) -> None:
    place.vendor.key = "another-key"

    done = await place.here.deliver(STEP)
    assert done.state is DispatchState.WAITING
    assert done.why.startswith("it answered ")
    assert "a person has to look at" in done.why

    place.vendor.key = "the-new-key"
    section = place.vendor.section(place.address, tokens=["the-new-key"])
    place.here.configure(section)
    assert (await place.here.later(60, STEP)).state is DispatchState.SENT
    assert len(place.vendor.mails) == 1


async def test_a_refusal_is_told_without_the_address(place: Place) -> None:
    place.vendor.fail_with = [place.vendor.refused(ADDRESS)]

    done = await place.here.deliver(STEP)

    assert done.state is DispatchState.DEAD
    assert "valid" in done.why.lower() or "illegal" in done.why.lower()
    assert ADDRESS not in done.why
    assert "(address)" in done.why


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_after_an_error_of_the_vendors_a_person_decides(place: Place, status: int) -> None:
    place.vendor.fail_with = [Answered(status, b"<html>Oops</html>")]
    done = await place.here.deliver(STEP)
    assert done.state is DispatchState.DEAD
    assert done.why == f"it answered {status}; it may have succeeded"


async def test_a_vendor_that_is_not_available_is_tried_again(place: Place) -> None:
    place.vendor.fail_with = [Answered(503)] * 2
    assert (await place.here.deliver(STEP)).state is DispatchState.WAITING
    assert (await place.here.later(10, STEP)).state is DispatchState.WAITING
    assert (await place.here.later(400, STEP)).state is DispatchState.SENT
    assert len(place.vendor.mails) == 1


async def test_only_nurture_steps_are_mails(place: Place) -> None:
    (destination,) = place.here.using.destinations.values()
    assert destination.wants(outgoing(STEP))
    for kind in ("handoff.offered", "lead.alerted", "lead.stage_entered", "kpi.reported"):
        assert not destination.wants(outgoing(example(kind)))


async def test_whom_postmark_has_given_up_is_skipped(tmp_path: Path) -> None:
    vendor = Postmark()
    vendor.suppressed = {ADDRESS}
    with served(vendor) as address:
        async with delivering(tmp_path, vendor.section(address)) as here:
            done = await here.deliver(STEP)
    assert done.state is DispatchState.SKIPPED
    assert done.why == "Postmark does not write to the address: it is suppressed there"


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("unsub", DispatchState.SKIPPED),
        ("hard-bounce", DispatchState.SKIPPED),
        ("unsigned", DispatchState.WAITING),
    ],
)
async def test_whom_mailchimp_rejects_is_skipped_unless_a_person_can_mend_it(
    tmp_path: Path, reason: str, state: DispatchState
) -> None:
    vendor = Mailchimp()
    vendor.suppressed, vendor.rejects_for = {ADDRESS}, reason
    with served(vendor) as address:
        async with delivering(tmp_path, vendor.section(address)) as here:
            done = await here.deliver(STEP)
    assert done.state is state
    assert reason in done.why
    assert vendor.mails == []


async def test_more_traits_are_variables_if_the_settings_name_them(place: Place) -> None:
    section = place.vendor.section(place.address, traits=["plan", "employees"])
    place.here.configure(section)
    traits = {**STEP["data"]["lead"]["traits"], "plan": "Team"}

    await place.here.deliver(changed(STEP, lead={"traits": traits}))

    (mail,) = place.vendor.mails
    assert (mail.variables["plan"], mail.variables["employees"]) == ("Team", 80)


# --- what anybody may type into a form -----------------------------------------------------

typed = st.text(max_size=700) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "Win at https://evil.example/now",
        "www.evil.example",
        "evil.example/path",
        "{{ unsubscribe }} {% raw %}",
        "a" * 10_000,
        "line\r\nBcc: eve@example.org",
        "\u202egnp.exe",
    ]
)


@given(st.dictionaries(st.sampled_from([*TRAITS, "plan"]), typed | st.integers() | st.booleans()))
@settings(max_examples=examples(300), deadline=None)
def test_no_text_of_a_lead_is_markup_or_a_link(traits: dict[str, Any]) -> None:
    message = outgoing(changed(STEP, lead={"traits": traits}))

    variables = variables_of(message, ("plan",))

    assert set(variables) >= {*TRAITS, "plan", "email", "score", "message"}
    for name in (*TRAITS, "plan"):
        value = variables[name]
        assert isinstance(value, str | int)
        if isinstance(value, str):
            assert len(value) <= MAX_VALUE
            assert not any(sign in value for sign in "<>{}\r\n@")
            assert "://" not in value
            assert "www." not in value.lower()


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Booking.com", {"name": "", "company": "Booking.com"}),
        ("Win at evil.example today", {"name": "", "company": ""}),
        ("evil.example/path", {"name": "", "company": ""}),
        ("J. R. Smith", {"name": "J. R. Smith", "company": "J. R. Smith"}),
        ("Smith & Sons Inc.", {"name": "Smith & Sons Inc.", "company": "Smith & Sons Inc."}),
        ("Version 2.5", {"name": "Version 2.5", "company": "Version 2.5"}),
    ],
)
def test_the_name_of_a_host_is_only_that_of_a_company(typed: str, shown: dict[str, str]) -> None:
    message = outgoing(changed(STEP, lead={"traits": dict.fromkeys(shown, typed)}))
    variables = variables_of(message, ())
    assert {name: variables[name] for name in shown} == shown


@pytest.mark.parametrize("vendor", VENDORS, indirect=True, ids=lambda vendor: vendor.tool)
async def test_the_longest_traits_are_taken(place: Place) -> None:
    names = [f"trait_{n}" for n in range(40)]
    traits = dict.fromkeys((*names, "name"), "\U0001f600ä" * 300)
    place.here.configure(place.vendor.section(place.address, traits=names))

    done = await place.here.deliver(changed(STEP, lead={"traits": traits}))

    assert done.state is DispatchState.SENT
    (mail,) = place.vendor.mails
    assert mail.variables["name"]
    if place.vendor.tool == "mailgun":
        kept = json.dumps(mail.variables, ensure_ascii=False, separators=(",", ":"))
        assert len(kept.encode()) <= MAX_OPTIONS_BYTES


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Ada Lovelace", "Ada"),
        ("Ada", ""),
        ("Lovelace, Ada", ""),
        ("Dr. Ada Lovelace", ""),
        ("Zoë van Dam", "Zoë"),
        ("", ""),
    ],
)
def test_a_first_name_is_only_taken_from_a_name_where_it_is_clear(name: str, first: str) -> None:
    message = outgoing(changed(STEP, lead={"traits": {"name": name}}))
    assert variables_of(message, ())["first_name"] == first


# --- settings ------------------------------------------------------------------------------


def problems_of(section: dict[str, Any], *, production: bool = False) -> tuple[str, ...]:
    using = Settings(env="production") if production else Settings()
    with pytest.raises(ConfigurationError) as error:
        destinations_in({"mails": section}, using)
    return error.value.problems


def test_every_fault_of_a_section_is_told(vendor: MailVendor) -> None:
    section = vendor.section(
        "ftp://localhost",
        **{"from": {"email": "nobody", "name": "a\nb"}},
        reply_to="x",
        tokens=["two words"],
        templates={"welcome-guide": "" if vendor.tool == "mailchimp" else "?"},
        traits=["No Trait"],
        messages=["handoff.offered"],
    )
    assert {problem.partition(": ")[0] for problem in problems_of(section)} == {
        "mails.from.email",
        "mails.from.name",
        "mails.reply_to",
        "mails.address",
        "mails.tokens",
        "mails.templates.welcome-guide",
        "mails.traits",
        "mails.messages",
    }
    empty = problems_of(vendor.section("http://localhost:1", templates={}))
    assert [problem.partition(": ")[0] for problem in empty] == ["mails.templates"]


def test_what_is_missing_is_told(vendor: MailVendor) -> None:
    found = problems_of({"to": vendor.tool})
    expected = {"mails.tokens", "mails.from", "mails.templates"}
    own = {"mails.domain"} if vendor.tool == "mailgun" else set()
    assert {problem.partition(": ")[0] for problem in found} == expected | own


def test_production_takes_no_local_address(vendor: MailVendor) -> None:
    found = problems_of(vendor.section("http://localhost:1"), production=True)
    assert [problem.partition(": ")[0] for problem in found] == [
        "mails.allow_local",
        "mails.address",
    ]


def test_no_key_is_shown(vendor: MailVendor) -> None:
    made = destinations_in({"mails": vendor.section("http://localhost:1")}, Settings())
    assert KEY not in repr([vars(each) for each in made.values()])
