"""The requests that the fuzzing begins with: every sender's fixtures, to its own function."""

import json
from pathlib import Path
from random import Random

import pytest

from fuzz.attacks import ATTACKS
from fuzz.corpus import FUZZED, corpus, fixtures
from fuzz.mutation import FUNCTIONS
from fuzz.odd import TARGETS
from warmlead.runtime.table import SALES, TRACK, public
from warmlead.senders.registry import REGISTRY, Registration


def test_the_fixtures_of_every_sender_go_to_its_function() -> None:
    sent = list(fixtures())
    assert {each.function for each in sent} == {each.function for each in REGISTRY}
    to_sales = {each.target.split(b"?")[0].decode() for each in sent if each.function == SALES.name}
    assert to_sales == {f"/{each.path}" for each in REGISTRY if each.function == SALES.name}


def test_the_fixtures_of_an_unknown_sender_are_an_error(tmp_path: Path) -> None:
    request = {"method": "POST", "path": "/zoho", "query": "", "headers": {}, "body": "{}"}
    (tmp_path / "zoho/fixtures").mkdir(parents=True)
    (tmp_path / "zoho/fixtures/deal.json").write_text(json.dumps(request))
    with pytest.raises(LookupError, match="There is no sender zoho; there are generic,"):
        list(fixtures(tmp_path))


def test_every_function_that_reads_a_request_is_fuzzed() -> None:
    for kinds in (FUNCTIONS, TARGETS, ATTACKS, {each.function for each in corpus(None)}):
        assert set(kinds) == set(FUZZED)


@pytest.mark.parametrize("sender", REGISTRY, ids=lambda each: each.name)
def test_every_sender_is_a_seed_of_the_campaign(sender: Registration) -> None:
    own = [one for one in fixtures(name=sender.name) if one.body]
    assert own
    assert {one.function for one in own} == {sender.function}
    begun = {(one.function, one.body) for one in corpus(None)}
    assert {(one.function, one.body) for one in own} <= begun
    if not sender.takes_rest:
        paths = {one.target.partition(b"?")[0].decode().split("/")[1] for one in own}
        assert paths == {sender.path}


@pytest.mark.parametrize("function", [each.name for each in public() if each is not TRACK])
def test_every_sender_that_posts_json_is_attacked(function: str) -> None:
    random = Random(1)
    made = [
        choice(random, lambda size: "a" * size, 300)
        for choice, _ in ATTACKS[function][-1:]
        for _ in range(1_000)
    ]
    reached = {one.target.partition(b"?")[0].split(b"/")[1].decode() for one in made}
    json_posted = {
        each.path
        for each in REGISTRY
        if each.function == function
        and any(one.body[:1] in (b"{", b"[") for one in fixtures(name=each.name))
    }
    assert json_posted <= reached


@pytest.mark.parametrize("function", ATTACKS)
def test_an_attack_of_an_empty_text_is_a_request_all_the_same(function: str) -> None:
    for make, limit in ATTACKS[function]:
        for seed in range(30):  # so that each unit is chosen
            assert make(Random(seed), lambda _: "", min(limit, 2_000)).function in ATTACKS
