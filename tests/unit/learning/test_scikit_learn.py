"""Scikit-learn judges what is learned: an implementation that is not ours."""

from typing import Any

import numpy as np
import pytest

from unit.learning.made_leads import leads
from warmlead.learning.fitting import fit
from warmlead.learning.judging import auc, log_loss
from warmlead.learning.probability import platt

pytestmark = pytest.mark.slow  # importing scikit-learn takes seconds

MADE = leads(1500, seed=11)


def judge(module: str) -> Any:
    """Imported when it is asked: collecting tests must not take seconds."""
    return pytest.importorskip(f"sklearn.{module}")


def test_auc_and_log_loss_are_those_of_scikit_learn() -> None:
    metrics = judge("metrics")
    chance = np.random.default_rng(0)
    for scores in (chance.random(1500), chance.integers(0, 5, 1500), np.zeros(1500)):
        assert auc(scores, MADE.won).value == pytest.approx(
            metrics.roc_auc_score(MADE.won, scores), abs=1e-9
        )
    probabilities = chance.random(1500)
    assert log_loss(probabilities, MADE.won) == pytest.approx(
        metrics.log_loss(MADE.won, probabilities)
    )


def test_weights_are_those_of_scikit_learn() -> None:
    x = MADE.x * np.linspace(0.2, 3, 17)  # worths, not only yes and no
    for strength in (0.1, 1.0, 30.0):
        made = judge("linear_model").LogisticRegression(C=1 / strength, tol=1e-7, max_iter=1000)
        made.fit(x, MADE.won)
        learned = fit(x, MADE.won, strength=strength)
        assert learned.weights == pytest.approx(made.coef_[0], abs=1e-3)
        assert learned.base == pytest.approx(made.intercept_[0], abs=1e-3)


def test_probabilities_are_those_of_scikit_learns_sigmoid() -> None:
    for n in (40, 1500):
        scores = (MADE.x[:n] @ MADE.weights * 10 + 30).round()
        # The published way in takes a classifier; its sigmoid itself takes scores
        sigmoid = judge("calibration")._SigmoidCalibration()  # noqa: SLF001 - see above
        sigmoid.fit(scores, MADE.won[:n])
        learned = platt(scores.tolist(), MADE.won[:n].tolist())
        ours = [learned.of(score) for score in scores]
        assert ours == pytest.approx(sigmoid.predict(scores), abs=1e-3)
