"""What weights are drawn towards, and how strongly: chosen by leads that were held out."""

import numpy as np
import pytest

from unit.learning.made_leads import leads
from warmlead.learning.algebra import surprise
from warmlead.learning.anchoring import Penalty, author_weights, choose
from warmlead.learning.fitting import fit


def test_good_points_of_few_leads_are_kept_and_bad_ones_are_dropped() -> None:
    made = leads(3000, seed=21)
    x, won, x_later, won_later = made.x[:150], made.won[:150], made.x[150:], made.won[150:]

    def loss(penalty: Penalty) -> float:
        """That of leads that neither the choice nor the fit has seen."""
        learned = fit(x, won, strength=penalty.strength, towards=penalty.towards)
        signs = np.where(won_later > 0, 1.0, -1.0)
        return float(surprise(signs * learned.log_odds(x_later)).mean())

    good = choose(x, won, author=(made.weights * 10).round().tolist())
    assert good.anchored
    assert good.strength >= 30
    bad = choose(x, won, author=(-made.weights * 10).round().tolist())
    assert bad.towards is None or not any(bad.towards)
    assert loss(good) < loss(choose(x, won))
    assert loss(bad) == pytest.approx(loss(choose(x, won)))


def test_many_leads_outweigh_points_that_are_wrong_in_part() -> None:
    made = leads(2000, seed=21)
    points = made.weights * 10
    points[:4] *= -1
    chosen = choose(made.x, made.won, author=points.tolist())
    learned = fit(made.x, made.won, strength=chosen.strength, towards=chosen.towards)
    assert [np.sign(each) for each in learned.weights[:4]] == np.sign(made.weights[:4]).tolist()


def test_the_strongest_penalty_within_one_standard_error_is_taken() -> None:
    made = leads(400, seed=3)
    chosen = choose(made.x, made.won)
    assert min(each.behind for each in chosen.tried) == 0
    near = [each.strength for each in chosen.tried if each.behind <= each.error]
    assert chosen.strength == max(near)
    assert len(chosen.tried) == 8
    assert choose(made.x, made.won) == chosen


def test_the_authors_points_are_scaled_to_log_odds() -> None:
    made = leads(4000, seed=5)
    scaled = author_weights(made.x, made.won, (made.weights * 7).tolist())
    assert scaled == pytest.approx(made.weights, rel=0.15)
    assert not author_weights(made.x, made.won, (-made.weights).tolist()).any()
    assert not author_weights(made.x, made.won, [0.0] * 17).any()


def test_fewer_leads_of_an_outcome_than_folds_choose_nothing() -> None:
    made = leads(50, columns=2, seed=1)
    won = np.arange(50) < 4
    with pytest.raises(ValueError, match="each fold"):
        choose(made.x, won)
