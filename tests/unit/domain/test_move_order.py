from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations

import pytest

from builders import a_transition
from warmlead.domain.move_order import in_order_learnt, moved_back
from warmlead.domain.stages import ANONYMOUS, LEAD, RECYCLED

DAY = timedelta(days=1)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ORDER = (
    *(ANONYMOUS, RECYCLED, LEAD, "mql", "pql"),
    *("disqualified", "sql", "opportunity", "customer"),
)


def test_moves_that_were_learnt_together_follow_each_other() -> None:
    stages = [ANONYMOUS, LEAD, "mql", "sql"]
    times = [NOON, NOON, NOON - DAY]  # sales took it before all that
    moves = [
        a_transition(at=at, from_stage=one, to_stage=other, learnt=NOON + 2 * DAY)
        for at, (one, other) in zip(times, pairwise(stages), strict=True)
    ]
    first = a_transition(at=NOON, from_stage="sql", to_stage="customer", learnt=NOON + 3 * DAY)
    for order in permutations([*moves, first]):
        found = in_order_learnt(order)
        assert [m.from_stage for m in found] == stages


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ([ANONYMOUS, LEAD, "mql", "pql", "sql", "opportunity", "customer"], 0),
        ([LEAD, "mql", LEAD, "mql"], 1),
        (["mql", RECYCLED, "mql", "sql", RECYCLED], 2),
        ([LEAD, "disqualified", LEAD, "mql"], 1),
        (["mql", "disqualified", "customer"], 1),
        ([], 0),
    ],
)
def test_moves_back_are_counted(path: list[str], back: int) -> None:
    moves = [a_transition(from_stage=one, to_stage=other) for one, other in pairwise(path)]
    assert moved_back(moves, ORDER) == back


# --- sql by the model ----------------------------------------------------------------------
