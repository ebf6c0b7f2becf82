"""The requests that the fuzzing begins with: every sender's fixtures, to its own function."""

import json
from pathlib import Path
from random import Random

import pytest

from fuzz.attacks import ATTACKS
from fuzz.corpus import FUZZED, corpus, fixtures
from fuzz.mutation import FUNCTIONS
from fuzz.odd import TARGETS
from warmlead.runtime.table import SALES
from warmlead.senders.registry import REGISTRY


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


@pytest.mark.parametrize("function", ATTACKS)
def test_an_attack_of_an_empty_text_is_a_request_all_the_same(function: str) -> None:
    for make, limit in ATTACKS[function]:
        for seed in range(30):  # so that each unit is chosen
            assert make(Random(seed), lambda _: "", min(limit, 2_000)).function in ATTACKS
