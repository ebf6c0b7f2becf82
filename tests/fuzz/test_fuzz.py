"""A slice of ``make fuzz``, and proof that it notices what it is there to notice."""

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from msgspec import structs

from builders import NOW, an_event, lead_ids
from fuzz.__main__ import arguments_of, main
from fuzz.alone import alone
from fuzz.budget import LEAST_S, budget_s, unpacked_bytes
from fuzz.corpus import an_event as an_event_as_published
from fuzz.corpus import corpus, push_of, pushed_in
from fuzz.findings import Finding, Findings, requests_in
from fuzz.functions import environment
from fuzz.isolated import Frozen, Isolated, Step
from fuzz.mutation import Mutator
from fuzz.over_http import ask
from fuzz.patterns import near_match, patterns
from fuzz.run import requests_of
from fuzz.sent import Sent
from fuzz.storing import Concerned, Storing, lost
from fuzz.verdict import Answer, fault_of
from programs import ended
from warmlead.buses.sqlite import SqliteBus
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import identifiers_of
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead, Trail, touch_trails
from warmlead.model.loading import ready_model
from warmlead.runtime.backends import SystemClock
from warmlead.sqlite_file import SqliteFile

RULES = ready_model("b2b-saas").rules
REQUESTS = 1_000
OVER_HTTP = 60
PLANTED_HERE = ("number-pattern", "duplicates-told-again", "pattern-of-tomorrow")
"""A text, nesting, and what nobody told the campaign of; ``make fuzz PLANTED=1`` plants all."""

JSON = {"content-type": "application/json"}
POST = Sent("track", "POST", b"/v1/track", (), (b"{}",))
REFUSED = b'{"code": "json_invalid", "message": "The body is not JSON."}'


def fuzz(
    firestore_emulator: str, tmp_path: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return ended(
        [sys.executable, "-m", "fuzz", "--findings", str(tmp_path), *arguments],
        env={**environment, "FIRESTORE_EMULATOR_HOST": firestore_emulator},
        longest_s=300,
    )


def test_mutants_and_odd_requests_break_no_promise(firestore_emulator: str, tmp_path: Path) -> None:
    counts = ("--requests", str(REQUESTS), "--over-http", str(OVER_HTTP))

    done = fuzz(firestore_emulator, tmp_path, *counts, "--seed", "1")

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{REQUESTS} requests in " in done.stdout
    assert f"Over HTTP, to processes: {OVER_HTTP} requests" in done.stdout
    assert "were stored and read back" in done.stdout


def test_planted_slownesses_are_found(firestore_emulator: str, tmp_path: Path) -> None:
    done = fuzz(firestore_emulator, tmp_path, "--planted", *PLANTED_HERE)

    assert done.returncode == 0, done.stdout + done.stderr
    count = len(PLANTED_HERE)
    assert f"{count} of {count} planted slownesses found" in done.stdout


def test_a_request_that_never_ends_is_a_finding_and_the_campaign_goes_on(tmp_path: Path) -> None:
    never = post({"email": "ada@example.com", "company": "a" * 200 + "!"})
    bunch = [post({"email": "ada@example.com"}), never, post({"email": "bob@example.com"})]
    functions = Isolated(tmp_path, planted="pattern-of-tomorrow")
    try:
        frozen = functions.answers(bunch)
        assert isinstance(frozen, Frozen)
        assert (frozen.place, frozen.is_known) == (1, True)
        assert "_legal_form" in frozen.where
        assert not isinstance(functions.answers(bunch[::2]), Frozen)
    finally:
        functions.close()


def test_repeated_work_on_a_sent_event_is_detected(tmp_path: Path) -> None:
    interests = [f"interest {number}" for number in range(6_000)]
    message = _message(an_event_as_published(traits={"interests": interests}))
    functions, planted = Isolated(tmp_path), Isolated(tmp_path, "doubles-searched-in-stored-lists")
    try:
        assert [step.cost_s > step.allowed_s for step in steps_of(functions, message)] == 3 * [
            False
        ]
        assert [step.cost_s > step.allowed_s for step in steps_of(planted, message)] == 3 * [True]
    finally:
        functions.close()
        planted.close()


def steps_of(functions: Isolated, message: bytes) -> list[Step]:
    scored = functions.scored([message])
    assert not isinstance(scored, Frozen)
    (steps,) = scored
    return steps


def post(fields: dict[str, str]) -> Sent:
    headers = ((b"content-type", b"application/json"),)
    return Sent("forms", "POST", b"/generic/contact", headers, (json.dumps(fields).encode(),))


def test_the_budget_goes_by_what_a_request_unpacks_to() -> None:
    body = b"a" * 900_000
    packed = post({}).with_body(gzip.compress(body)).with_header(b"content-encoding", b"gzip")

    assert unpacked_bytes(packed) == pytest.approx(900_000, rel=0.01)
    assert budget_s(900_000) == pytest.approx(0.45)
    assert budget_s(10) == LEAST_S


def test_every_pattern_of_the_product_is_attacked_with_near_matches() -> None:
    sources = {pattern.pattern for pattern in patterns()}
    evil = re.compile(r"(?:[a-z]+ ?)+;")

    assert len(sources) > 40
    assert r"[^a-z0-9]+" in sources
    texts = [near_match(evil, 1_000, Random(seed)) for seed in range(20)]
    assert max(map(len, texts)) >= 1_000
    assert any(text.isascii() and not text.endswith(";") for text in texts)


def test_a_finding_can_be_sent_again(firestore_emulator: str, tmp_path: Path) -> None:
    findings = Findings(tmp_path, seed=7)
    findings.add(Finding("a test", "none", [Sent("forms", "POST", b"/generic", (), (b"a=\xff",))]))
    ((path, _),) = findings.written

    done = fuzz(firestore_emulator, tmp_path, "--replay", str(path))

    assert done.returncode == 0, done.stdout + done.stderr
    assert r"forms POST b'/generic' b'a=\xff'" in done.stdout


# --- that nothing escapes it ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(500, JSON, REFUSED), "500"),
        (Answer(503, JSON, REFUSED), "503"),
        (Answer(201, JSON, b"{}"), "201"),
        (Answer(400, JSON, b"<html>"), "not JSON"),
        (Answer(400, JSON, b'{"code": "json_invalid"}'), "code and message"),
        (Answer(400, JSON, b'["code", "message"]'), "code and message"),
        (Answer(400, JSON, REFUSED.replace(b"json_invalid", b"made_up")), "without a reason"),
        (Answer(400, {"content-type": "text/plain"}, REFUSED), "not called JSON"),
        (Answer(404, {}, b"Not Found"), "not JSON"),
        (Answer(307, {"location": "/v1/track/"}, b""), "307"),
        (Answer(303, {"location": "https://evil.example/"}, b""), "must not"),
    ],
)
def test_an_answer_that_breaks_a_promise_is_a_finding(answer: Answer, fault: str) -> None:
    assert fault in str(fault_of(POST, answer))


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (POST, Answer(200, JSON, b"{}")),
        (POST, Answer(400, JSON, REFUSED)),
        (POST, Answer(303, {"location": "https://shop.example/thanks"}, b"")),
        (POST._replace(method="OPTIONS"), Answer(204, {}, b"")),
        (POST._replace(target=b"/a%0Ab"), Answer(404, {}, b"Not Found")),
        (POST._replace(target=b"/%0A/"), Answer(307, {"location": "/%0A"}, b"")),
        (POST._replace(method="TRACE"), Answer(405, {}, b"Method Not Allowed")),
    ],
)
def test_an_answer_that_keeps_its_promises_is_no_finding(sent: Sent, answer: Answer) -> None:
    assert fault_of(sent, answer) is None


async def test_a_server_that_refuses_a_head_and_closes_is_heard(tmp_path: Path) -> None:
    a_control_byte = ((b"content-type", b"application\x1f/json"),)
    body_in_pieces = (b"{",) * 200

    with alone("track", environment(tmp_path / "data"), tmp_path) as server:
        answer = await ask(Sent("track", "POST", b"/", a_control_byte, body_in_pieces), server)

    assert (answer.status, answer.body) == (400, b"Invalid HTTP request received.")


@pytest.fixture
async def storing(firestore_emulator: str, tmp_path: Path) -> AsyncIterator[Storing]:
    async with SqliteFile(tmp_path / "bus.sqlite3") as file:
        bus = SqliteBus(file, SystemClock(), {})
        yield Storing(firestore_emulator, bus, lead_ids)


async def test_accepted_events_are_applied_and_read_back(storing: Storing) -> None:
    events = [an_event_as_published(id=f"e-{i}", email=f"ada{i % 2}@example.com") for i in range(4)]
    pushed = [pushed_in(push_of(_message(event))) for event in events]

    stored = await storing.store([data for data in pushed if data])

    assert (stored.events, stored.leads, stored.faults) == (4, 2, {})


def _message(event: dict[str, object]) -> bytes:
    return json.dumps({"events": [event]}).encode()


def test_an_event_that_is_not_on_its_lead_as_it_was_sent_is_a_finding() -> None:
    event = an_event(traits={"title": "VP", "employees": 70})
    lead = lead_of(event)
    another, changed = an_event(id="another"), an_event(traits={"title": "CEO", "employees": 70})
    more = an_event(traits={"title": "VP", "country": "US", "shoes": "red"})

    assert lost_of(event, lead) is None
    assert lost_of(event) == "no lead has its identifier"
    assert lost_of(another, lead) == "it is not in the history"
    assert lost_of(changed, lead) == "a trait is not there as it was sent"
    assert lost_of(more, lead) == "a trait is not there as it was sent"


def test_a_crowded_lead_may_lack_only_what_the_model_does_not_know() -> None:
    much = an_event(id="much", traits={f"t{i}": "x" * 8_000 for i in range(16)})
    lead = lead_of(an_event(traits={"title": "VP"}), much)

    assert lost_of(an_event(traits={"title": "VP", "shoes": "red"}), lead, also=much) is None
    assert lost_of(an_event(traits={"title": "VP", "country": "US"}), lead, also=much)
    assert lost_of(an_event(traits={"title": "VP", "shoes": "red"}), lead)


def test_a_long_public_value_must_be_there_as_far_as_there_is_room() -> None:
    sent = an_event(traits={"title": "VP " * 1_000}, trust=Trust.PUBLIC)

    assert lost_of(sent, lead_of(sent)) is None
    for less in ("VP", "CEO " * 350, "VP " * 100):
        assert lost_of(sent, lead_of(structs.replace(sent, traits={"title": less}))), less


def lead_of(*events: Event) -> Lead:
    trails: dict[str, Trail] = {}
    for event in events:
        ids = {identifier: lead_ids.of(identifier) for identifier in identifiers_of(event)}
        trails = touch_trails(trails, event, ids, RULES)
    (lead,) = resolve_identities([], trails, RULES, NOW)
    return lead


def lost_of(event: Event, lead: Lead | None = None, also: Event | None = None) -> str | None:
    events = [event, also] if also else [event]
    leads = dict.fromkeys(lead.trails, lead) if lead else {}
    return lost(event, Concerned(events, leads, lead_ids), RULES)


def test_a_seed_makes_the_same_requests_again() -> None:
    beginning = corpus(None)

    once, again = ([*requests_of(3, 1_200, beginning)] for _ in range(2))

    assert once == again
    assert once != [*requests_of(4, 1_200, beginning)]
    assert sum(map(len, once)) == 1_200


def test_a_request_that_was_written_down_is_the_same(tmp_path: Path) -> None:
    mutator = Mutator(corpus(None), Random(5))
    mutants = [mutator.mutant() for _ in range(200)]
    findings = Findings(tmp_path, seed=5)

    findings.add(Finding("all", "", mutants))

    assert requests_in(tmp_path / "5-001.json") == mutants


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "is no finding of make fuzz"),
        ("[]", "is no finding of make fuzz"),
        ('{"requests": [{"function": "forms"}]}', "is no finding of make fuzz"),
        ('{"requests": []}', "holds no requests"),
    ],
)
def test_a_file_without_requests_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, told: str
) -> None:
    path = tmp_path / "finding.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit) as ended:
        main(["--replay", str(path)])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_missing_captures_and_zero_requests_are_usage_errors(tmp_path: Path) -> None:
    for wrong in (["--captures", str(tmp_path)], ["--requests", "0"]):
        with pytest.raises(SystemExit) as ended:
            main(wrong)
        assert ended.value.code == 2


def test_a_fiftieth_is_sent_over_http_unless_it_is_said() -> None:
    assert arguments_of(["--requests", "200000"]).over_http == 4_000
    assert arguments_of(["--requests", "200000", "--over-http", "0"]).over_http == 0
