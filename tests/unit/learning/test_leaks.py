"""What tells the outcome because it was known already is found; what is merely strong is not."""

from collections.abc import Callable, Iterable

import numpy as np
from msgspec import structs

from unit.learning.planted import observed
from warmlead.domain.event import Property
from warmlead.learning.algebra import Vector
from warmlead.learning.evidence import Evidence
from warmlead.learning.leaks import leak_of_condition, leaks_of
from warmlead.learning.observations import Observation

Facts = dict[str, Property]


def with_facts(facts: Callable[[int, bool], Facts], leads: int = 400) -> Evidence:
    """Leads with more facts: of each by its number, and whether it won."""
    evidence = Evidence()
    for number, seen in enumerate(observed(leads, seed=3)):
        evidence.add(structs.replace(seen, facts={**seen.facts, **facts(number, seen.won)}))
    return evidence


def nothing_more(_number: int, _won: bool) -> Facts:
    return {}


def refused(evidence: Evidence, later: dict[str, int] | None = None) -> set[str]:
    return {leak.name for leak in leaks_of(evidence, later or {}) if leak.is_refused}


def test_what_sales_types_after_the_call_is_refused_with_its_reason() -> None:
    def typed(number: int, won: bool) -> Facts:
        return {
            "tag": "Closed" if won and number % 2 else "Ringing",
            "deal_value": 5000 if won else 0,
            "contract_no": f"C-{number}" if won else None,
            "honest": "big" if number % 3 else "small",
        }

    evidence = with_facts(typed)
    found = {leak.name: leak.why for leak in leaks_of(evidence, {"late": 50})}
    assert refused(evidence) == {"tag", "deal_value", "contract_no"}
    assert '"Closed": ' in found["tag"]
    assert "AUC of 1.00" in found["deal_value"]
    assert "known of 100% of those who won, and of 0% of the others" in found["contract_no"]
    assert found["late"] == "stated only after the moment in 50 leads, and before it in 0"


def test_what_somebody_thought_in_the_end_is_a_verdict() -> None:
    def rated(number: int, won: bool) -> Facts:
        return {"quality": "high" if won and number % 4 else "worst" if number % 4 else "unsure"}

    # one in eighty of each is rated wrongly, so no value decides alone
    def nearly(number: int, won: bool) -> Facts:
        return rated(number, won != (number % 40 == 1))

    (leak,) = leaks_of(with_facts(nearly, leads=2_000), {})
    assert leak.name == "quality"
    assert leak.is_refused
    assert leak.why.startswith(("reads like a verdict", "alone it tells"))


def test_strong_and_honest_traits_are_not_refused() -> None:
    assert refused(with_facts(nothing_more)) == set()


def test_a_channel_that_decides_alone_is_told_but_not_refused() -> None:
    evidence = with_facts(
        lambda number, won: {"first.source": "partner" if won and number % 3 == 0 else "google"}
    )
    (leak,) = leaks_of(evidence, {})
    assert (leak.name, leak.is_refused) == ("first.source", False)


def test_a_few_winners_by_chance_are_no_leak() -> None:
    evidence = with_facts(lambda number, won: {"tag": "rare" if won and number < 40 else "usual"})
    assert refused(evidence) == set()


def test_a_condition_that_nearly_is_the_outcome_is_refused() -> None:
    evidence = with_facts(nothing_more)
    won = evidence.outcomes
    assert leak_of_condition("fit:same", won, won)
    told = leak_of_condition("fit:strong", evidence.worth("signal:demo_requested"), won)
    assert told is None or not told.is_refused
    only_winners = [row for row in range(len(won)) if won[row] and row % 2]
    leak = leak_of_condition("fit:half", as_worth(evidence, only_winners), won)
    assert leak
    assert not leak.is_refused


def as_worth(evidence: Evidence, rows: Iterable[int]) -> Vector:
    return evidence.flags(rows).astype(np.float64)


def test_personal_data_and_long_texts_make_no_columns() -> None:
    evidence = with_facts(
        lambda number, _: {
            "email": f"{number}@x.example",
            "company": "Acme",
            "note": "x" * 10_000,
        }
    )
    assert not {"email", "company"} & {*evidence.words, *evidence.numbers}
    assert evidence.words["note"].rows == {}


def test_a_text_that_is_different_for_everybody_is_not_kept() -> None:
    evidence = Evidence()
    seen: Observation = next(iter(observed(1, seed=1)))
    for number in range(1_500):
        evidence.add(structs.replace(seen, facts={"note": f"n{number}"}))
    assert evidence.words["note"].is_cut
    assert evidence.words["note"].rows == {}
    assert len(evidence.words["note"].known) == 1_500
