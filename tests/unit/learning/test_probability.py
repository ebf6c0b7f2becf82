"""The probability beside a score."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from unit.learning.made_leads import leads
from warmlead.learning.judging import reliability
from warmlead.learning.probability import platt


def test_probabilities_become_true() -> None:
    made = leads(4000, seed=2)
    scores = (made.x @ made.weights * 10).round()
    learned = platt(scores[:2000].tolist(), made.won[:2000].tolist())
    expected = [learned.of(score) for score in scores[2000:]]
    assert reliability(expected, made.won[2000:]).ece < 0.03
    assert (learned.n, learned.won) == (2000, made.won[:2000].sum())


@given(
    st.lists(st.tuples(st.integers(-50, 150), st.booleans()), min_size=2, max_size=60).filter(
        lambda scored: 0 < sum(won for _, won in scored) < len(scored)
    ),
    st.sampled_from([1, 1000, 1e-3]),
)
@settings(max_examples=examples(80))
def test_any_leads_give_a_probability_that_the_unit_of_the_score_does_not_change(
    scored: list[tuple[int, bool]], unit: float
) -> None:
    scores, won = zip(*scored, strict=True)
    learned, other = platt(scores, won), platt([score * unit + 7 for score in scores], won)
    for score in (-50, 0, 30, 150):
        chance = learned.of(score)
        assert 0 <= chance <= 1
        assert other.of(score * unit + 7) == pytest.approx(chance, abs=1e-5)
    assert platt(scores[::-1], won[::-1]).of(20) == pytest.approx(learned.of(20), abs=1e-9)


def test_leads_of_one_outcome_teach_no_probability() -> None:
    for won in ([1, 1], [0, 0]):
        with pytest.raises(ValueError, match="both outcomes"):
            platt([1, 2], won)


def test_one_score_of_all_leads_gives_their_rate() -> None:
    assert platt([5] * 1000, [1] * 200 + [0] * 800).of(5) == pytest.approx(0.2, abs=0.002)
