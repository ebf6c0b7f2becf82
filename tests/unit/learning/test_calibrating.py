"""A calibration finds what was planted, proposes nothing that was not, and edits the file only."""

import math
from collections.abc import Iterable

import pytest
from msgspec import structs

from unit.learning.planted import CHANNELS, MODEL, WEIGHTS, observed
from warmlead.domain.event import Property
from warmlead.learning.calibrating import Calibration, Wish, calibrated, usual_limits
from warmlead.learning.evidence import Evidence
from warmlead.learning.gates import TooFewLeadsError
from warmlead.learning.lines import ConditionLine, Mark
from warmlead.learning.observations import Observation, Question
from warmlead.learning.weighing import PointLimits, points_of
from warmlead.model.document import Severity
from warmlead.model.loading import check, load
from warmlead.model.versions import scoring_of

QUESTION = Question(outcome="customer", within=Question(outcome="").after * 8)
PLANTED = {f'first.channel == "{name}"' for name, weight in CHANNELS.items() if weight}


def calibration(
    leads: Iterable[Observation],
    text: str = MODEL,
    *,
    candidates: bool = True,
    limits: PointLimits | None = None,
) -> Calibration:
    evidence, model = Evidence(), load(text, name="model.yaml")
    for each in leads:
        evidence.add(each)
    wish = Wish(limits or usual_limits(model), candidates=candidates)
    return calibrated(text, model, evidence, wish, question=QUESTION, stated_later={})


@pytest.fixture(scope="module")
def learned() -> Calibration:
    """Learned from 3,000 leads."""
    return calibration(observed(3_000, seed=5))


def by_name(made: Calibration) -> dict[str, ConditionLine]:
    return {line.name: line for line in made.lines}


def test_planted_weights_are_found_within_their_intervals(learned: Calibration) -> None:
    scale = learned_scale(learned)
    for key, weight in WEIGHTS.items():
        line = by_name(learned)[key.partition(":")[2]]
        assert line.low is not None
        assert line.high is not None
        assert line.low - 2 <= weight * scale <= line.high + 2, key


def learned_scale(made: Calibration) -> float:
    """Points a log-odds, by the strongest condition, which 3,000 leads tell well."""
    line = by_name(made)["demo_requested"]
    return line.after / WEIGHTS["signal:demo_requested"]


def test_a_sign_against_the_author_is_marked_and_rare_conditions_stay(learned: Calibration) -> None:
    lines = by_name(learned)
    downloads = lines["content_downloaded"]
    assert downloads.before == 20
    assert downloads.after < 0
    assert Mark.AGAINST_AUTHOR in downloads.marks
    webinar = lines["webinar_attended"]
    assert (webinar.marks, webinar.after, webinar.is_small) == ((Mark.FEW,), 15, True)
    assert webinar.low is None
    prices = lines["pricing_page_viewed"]
    assert prices.marks == (Mark.CAPPED,)
    assert prices.after * 4 <= 40  # its day within the limit of its group


def test_only_what_was_planted_is_proposed(learned: Calibration) -> None:
    added = {line.asks: line for line in learned.lines if Mark.ADDED in line.marks}
    assert added.keys() == PLANTED
    assert added['first.channel == "Referral"'].after > 0 > added['first.channel == "Direct"'].after


def test_later_leads_say_that_it_is_better_and_what_the_scorer_took(learned: Calibration) -> None:
    proof = learned.proof
    assert proof.gain.low > 0.05
    assert proof.steps.weights - proof.steps.points < 0.01
    assert proof.steps.scores == proof.after.value
    assert proof.steps.limited - proof.steps.scores < 0.002
    assert proof.reliability.ece < 0.07
    assert proof.at_bar
    assert proof.at_bar.after.passed == pytest.approx(proof.at_bar.before.passed, rel=0.2)


def test_the_changed_file_says_what_was_learned_and_keeps_every_comment(
    learned: Calibration,
) -> None:
    text = learned.revision.text
    assert [each for each in check(text) if each.severity is Severity.ERROR] == []
    file = load(text, name="new").file
    expected = {line.name: line.after for line in learned.lines}
    assert {key.partition(":")[2]: p for key, p in points_of(file).items()} == expected
    assert file.base == learned.base[1] > 0
    for comment in (
        "# What we believed in spring.",
        "# any page",
        "# held once",
        "# who is called",
    ):
        assert comment in text
    assert file.probability
    assert file.probability.scoring == scoring_of(file)
    assert sum(band.leads for band in file.probability.bands) == learned.leads
    assert file.stages["mql"].enter == f"score >= {learned.bars.bars[0].after} && fit >= 0"


def test_a_calibrated_model_has_little_to_learn_from_the_same_leads(learned: Calibration) -> None:
    again = calibration(observed(3_000, seed=5), learned.revision.text)
    assert abs(again.proof.gain.value) < 0.01
    assert not any(Mark.ADDED in line.marks for line in again.lines)


def test_leads_without_a_pattern_teach_nothing() -> None:
    made = calibration(observed(1_000, seed=8, weights={}, channels=False))
    assert not any(Mark.ADDED in line.marks for line in made.lines)
    assert made.proof.after.value == pytest.approx(0.5, abs=0.08)


def test_fives_and_limits_are_kept() -> None:
    made = calibration(observed(600, seed=9), limits=PointLimits(20, 5), candidates=False)
    kept = {line.after for line in made.lines if Mark.FEW not in line.marks}
    assert all(points % 5 == 0 and abs(points) <= 20 for points in kept)
    assert made.base[1] % 5 == 0
    assert not any(Mark.ADDED in line.marks for line in made.lines)


def test_too_few_leads_are_refused_with_what_is_missing() -> None:
    with pytest.raises(TooFewLeadsError, match="of 100 ripe leads that are needed there are 80"):
        calibration(observed(80, seed=1))
    late = [structs.replace(each, won=each.won and i < 280) for i, each in enumerate(leads(400))]
    with pytest.raises(TooFewLeadsError, match="newer leads 0 won"):
        calibration(late)
    at_once = [structs.replace(each, known_at=QUESTION_TIME) for each in leads(200)]
    with pytest.raises(TooFewLeadsError, match="nobody to judge by: all leads became known at one"):
        calibration(at_once)


def leads(number: int) -> list[Observation]:
    return [*observed(number, seed=2)]


QUESTION_TIME = leads(1)[0].known_at

HOSTILE = (
    'x" || true || "',
    "a: b # c",
    "'quoted'",
    "{a: 1, b: [2]}",
    "back\\slash",
    "line\nbreak",
    "=HYPERLINK()",
    "Größe 大",
    "null",
)


def test_values_that_anybody_sent_cannot_change_what_the_file_means() -> None:
    def of(number: int, won: bool) -> Property:
        return HOSTILE[number % len(HOSTILE)] if won or not number % 4 else None

    some = (
        structs.replace(each, facts={**each.facts, "region": of(i, each.won)})
        for i, each in enumerate(observed(1_500, seed=11))
    )
    made = calibration(some)
    proposed = [line for line in made.lines if line.asks.startswith("region")]
    assert proposed
    file = load(made.revision.text, name="new").file
    for line in proposed:
        assert file.fit[line.name].when == line.asks
        assert line.asks.removeprefix('region == "').removesuffix('"') in HOSTILE


def test_a_trait_that_sales_typed_is_not_proposed_but_named() -> None:
    some = (
        structs.replace(each, facts={**each.facts, "plan": "won" if each.won else "lost"})
        for each in observed(800, seed=12)
    )
    made = calibration(some)
    assert [(leak.name, leak.is_refused) for leak in made.leaks] == [("plan", True)]
    assert not any(line.asks.startswith("plan") for line in made.lines)


def test_steps_of_a_number_only_rise_or_only_fall() -> None:
    def rising(each: Observation) -> Observation:
        seats = int(each.lead_id.partition("-")[2]) * 7919 % 100
        chance = (int(each.lead_id.partition("-")[2]) * 104729 % 1000) / 1000
        log_odds = -2 + (seats >= 20) * 1.2 + (seats >= 60) * 1.5
        return structs.replace(
            each, facts={"seats": seats}, won=chance < 1 / (1 + math.exp(-log_odds))
        )

    made = calibration(map(rising, observed(2_000, seed=4)))
    steps = {line.asks: line.after for line in made.lines if line.asks.startswith("seats >=")}
    assert len(steps) >= 2
    assert all(points > 0 for points in steps.values())
