"""What ``model check`` says of the section that calibration writes."""

import pytest

from warmlead.domain.probability import Probability, ScoreBand
from warmlead.model.document import Severity
from warmlead.model.loading import check, load
from warmlead.model.plan import read_compiled, rules_of, write_compiled
from warmlead.model.versions import scoring_of

MODEL = "signals: {demo: {on: demo_requested, points: 40, half_life: 90d}}\n"
SOUND = (
    "outcome: customer, within: 90d, intercept: -3.1, slope: 0.05, leads: 842, won: 91, "
    "bands: [{below: 20, leads: 500, won: 11}, {leads: 342, won: 80}]"
)


def with_section(section: str, model: str = MODEL) -> str:
    return f"{model}probability: {{{section}}}\n"


def told(text: str, severity: Severity) -> list[str]:
    own = [each for each in check(text) if each.path.startswith("probability")]
    return [each.message for each in own if each.severity is severity]


def test_a_sound_section_is_compiled_as_it_was_learned() -> None:
    model = load(with_section(SOUND), name="test")
    plan = read_compiled(write_compiled(model.plan).encode(), name="test")

    found = rules_of(plan).probability
    assert isinstance(found, Probability)
    assert (found.outcome, found.within.days, found.after.days) == ("customer", 90, 7)
    assert (found.intercept, found.slope, found.leads, found.won) == (-3.1, 0.05, 842, 91)
    assert found.bands == (ScoreBand(500, 11, 20), ScoreBand(342, 80))
    assert not told(with_section(SOUND), Severity.WARNING)


@pytest.mark.parametrize(
    ("find", "instead", "fault"),
    [
        ("customer", "custmer", 'the model has no stage "custmer"'),
        ("-3.1", ".nan", "must be a number"),
        ("-3.1", "-1e999", "finite number"),
        ("-3.1", "-2000", "at least -1000"),
        ("won: 91", "won: 900", "is more than all leads: 842"),
        ("won: 80", "won: 79", "do not add up"),
        ("won: 80", "won: 343", "in a band more leads won than there were"),
        ("{leads: 342", "{below: 90, leads: 342", "every band but the last one"),
        ("within: 90d", "within: 7d", "is not longer than after"),
        (", slope: 0.05", "", '"slope" is missing'),
    ],
)  # fmt: skip
def test_a_section_that_cannot_be_true_is_a_fault(find: str, instead: str, fault: str) -> None:
    text = with_section(SOUND.replace(find, instead, 1))

    assert any(fault in each for each in told(text, Severity.ERROR)), check(text)


@pytest.mark.parametrize(
    ("find", "instead", "doubt"),
    [
        ("slope: 0.05", "slope: -0.05", "the points mislead"),
        ("leads: 842, won: 91, bands: [{below: 20, leads: 500, won: 11}, {leads: 342, won: 80}]",
         "leads: 60, won: 9", "hardly more than a guess"),
    ],
)  # fmt: skip
def test_a_section_that_is_hardly_true_is_doubted(find: str, instead: str, doubt: str) -> None:
    text = with_section(SOUND.replace(find, instead, 1))

    assert not told(text, Severity.ERROR)
    assert any(doubt in each for each in told(text, Severity.WARNING)), check(text)


def test_a_share_that_was_learned_of_other_points_is_doubted_and_not_shown() -> None:
    of_these = scoring_of(load(MODEL, name="test").file)
    text = with_section(f"{SOUND}, scoring: {of_these}")
    assert load(text, name="test").rules.probability is not None
    assert not told(text, Severity.WARNING)

    changed = text.replace("points: 40", "points: 41")
    assert load(changed, name="test").rules.probability is None
    assert any("the points have changed" in each for each in told(changed, Severity.WARNING))


def test_a_stage_does_not_change_what_a_score_means_and_a_share_not_the_version() -> None:
    plain = load(MODEL, name="test")
    staged = load(MODEL + "stages: {mql: {enter: score >= 30}}\n", name="test")

    assert scoring_of(staged.file) == scoring_of(plain.file)
    assert load(with_section(SOUND), name="test").version == plain.version
