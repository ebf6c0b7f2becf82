"""A slice of ``make fuzz SENDER=all``, and proof that its bodies are what they are said to be."""

import json
import re
from pathlib import Path
from random import Random

import pytest

from fuzz.__main__ import arguments_of, main
from fuzz.budget import LEAST_S, S_PER_ITEM, budget_of
from fuzz.by_sender import BODIES, against, bodies_of, senders_named
from fuzz.corpus import fixtures
from fuzz.findings import Findings
from fuzz.on_bodies import ITS_BYTES, KINDS, Bodies
from fuzz.sent import Sent
from fuzz.signing import signed
from warmlead.senders.registry import REGISTRY

OF_EACH = 20


def test_odd_bodies_of_every_sender_break_no_promise(tmp_path: Path) -> None:
    findings = Findings(tmp_path, seed=1)

    found = list(against(senders_named("all"), 1, OF_EACH, findings, lambda _name, _report: None))

    assert [(one.what, one.details) for one in findings.found] == []
    assert [one.name for one in found] == [each.name for each in REGISTRY]
    assert {one.report.sent for one in found} == {OF_EACH}
    mistrusted = {one.name for one in found if one.mistrusted}
    assert mistrusted <= {"mailgun"}  # a mail with files is not signed anew
    assert [one.name for one in found if not one.report.accepted] == []


def test_the_command_needs_no_emulator_and_tells_of_each_sender(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--sender", "tally,zoom", "--requests", "5", "--seed", "7"]

    assert main([*arguments, "--findings", str(tmp_path)]) == 0

    told = capsys.readouterr().out
    assert re.findall(r"  (tally|zoom) +5 .*/s", told) == ["tally", "zoom"]
    assert "No promise was broken. The seed was 7." in told


def test_a_seed_makes_the_same_bodies_again() -> None:
    once, again = ([*bodies_of("stripe", 3, 300)] for _ in range(2))

    assert once == again
    assert once != [*bodies_of("stripe", 4, 300)]
    assert [len(made) for made in once] == [256, 44]


@pytest.fixture(scope="module")
def many() -> list[Sent]:
    return [sent for made in bodies_of("sendgrid", 1, 600) for sent in made]


def test_bodies_are_odd_in_every_way(many: list[Sent]) -> None:
    assert {sent.made_by for sent in many} == {*KINDS, ITS_BYTES}
    bodies = [sent.body for sent in many]
    assert any(rb"\ud83d" in body for body in bodies)
    assert any(b"\xed\xa0\x80" in body for body in bodies)
    assert any(b"9" * 5_000 in body for body in bodies)
    assert any(b"[" * 199 in body for body in bodies)
    assert any(body.count(b"},{") > 900 for body in bodies)
    assert any(_repeats_a_key(body) for body in bodies)
    assert max(map(len, bodies)) > 90_000


def _repeats_a_key(body: bytes) -> bool:
    repeated = []

    def seen(pairs: list[tuple[str, object]]) -> None:
        repeated.append(len(dict(pairs)) < len(pairs))

    try:
        json.loads(body, object_pairs_hook=seen)
    except (ValueError, RecursionError):
        return False
    return any(repeated)


@pytest.mark.parametrize("name", ["mailchimp", "jotform", "formstack"])
def test_bodies_of_forms_are_forms_with_odd_fields(name: str) -> None:
    kinds = {sent.made_by for made in bodies_of(name, 1, 300) for sent in made}

    assert kinds > {"odd values", "odd keys", "long texts", "thousands"}


def test_a_key_in_the_body_stays() -> None:
    made = [sent for bodies in bodies_of("google_ads", 1, 300) for sent in bodies]

    assert len({sent.body for sent in made}) > 290
    keys = {json.loads(sent.body)["google_key"] for sent in fixtures(name="google_ads")}
    assert all(any(key.encode() in sent.body for key in keys) for sent in made)


def test_a_new_token_changes_nothing_else_of_a_body() -> None:
    (sent, *_) = fixtures(name="mailgun")
    odd = sent.with_body(sent.body.replace(b"{", b'{"a": 1, "a": "\\ud800", "b": 1e999, ', 1))

    body = signed(odd).body

    assert body != odd.body
    start = odd.body.index(b'"signature"')
    end = odd.body.index(b"}", start)
    assert body[:start] == odd.body[:start]
    assert body.endswith(odd.body[end:])


def test_a_sender_without_a_body_has_no_bodies() -> None:
    with pytest.raises(ValueError, match="No fixture of nobody has a body"):
        Bodies("nobody").mutant(Random(1))


def test_a_sender_that_is_not_there_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--sender", "typeform,nobody"])

    assert ended.value.code == 2
    assert "There is no sender 'nobody'; there are generic, typeform," in capsys.readouterr().err


def test_as_many_bodies_are_sent_as_the_command_says() -> None:
    assert arguments_of(["--sender", "tally"]).requests == BODIES
    assert arguments_of(["--sender", "tally,stripe", "--requests", "50"]).requests == 50
    assert arguments_of(["--sender", "all"]).sender == [each.name for each in REGISTRY]


def test_small_items_of_a_list_may_cost_what_an_event_of_a_batch_may() -> None:
    def posted(body: bytes) -> Sent:
        return Sent("chat", "POST", b"/generic", (), (body,))

    assert budget_of(posted(b"[" + b"{}," * 699 + b"{}]"), refused=False) == 700 * S_PER_ITEM
    assert budget_of(posted(b"[" + b"1," * 9_999 + b"1]"), refused=False) == 1_000 * S_PER_ITEM
    for other in (b"[{}]", b"{" + b"{}" * 900 + b"}", b"[" + b"{}," * 900, b"[" * 5_000):
        assert budget_of(posted(other), refused=False) == LEAST_S
