"""How many leads are enough."""

import pytest

from unit.learning.made_leads import leads
from warmlead.learning.gates import TooFewLeadsError, enough, learning_curve


@pytest.mark.parametrize(
    ("ripe", "won", "points", "bands"),
    [
        (99, 40, False, False),
        (100, 29, False, False),
        (100, 71, False, False),
        (100, 30, True, False),
        (199, 100, True, False),
        (200, 30, True, True),
        (300, 29, False, False),
    ],
)
def test_points_and_bands_need_so_many_leads(
    ripe: int, won: int, points: bool, bands: bool
) -> None:
    found = enough(ripe, won)
    assert (found.points, found.bands) == (points, bands)
    assert bool(found.missing) != points


def test_a_refusal_says_all_that_is_missing() -> None:
    with pytest.raises(TooFewLeadsError) as refused:
        enough(40, 12).require()
    assert str(refused.value) == (
        "too few leads: of 100 ripe leads that are needed there are 40; "
        "of 30 with the outcome that are needed there are 12; "
        "of 30 without the outcome that are needed there are 28"
    )
    enough(100, 50).require()


def test_more_leads_teach_more_and_vary_less() -> None:
    made = leads(1000, seed=8)
    curve = learning_curve(made.x, made.won, strength=1.0, draws=10)
    assert [each.leads for each in curve] == [50, 100, 200, 400, 800]
    reached = [each.auc for each in curve]
    assert reached[:3] == sorted(reached[:3])
    assert min(reached[3:]) - reached[0] > 0.03
    assert curve[0].deviation > curve[3].deviation
    assert [each.leads for each in learning_curve(made.x[:200], made.won[:200], strength=1.0)] == [
        50,
        100,
    ]
