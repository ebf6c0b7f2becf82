"""What is kept of a shadow, and how much room it takes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import NOW, a_lead, a_transition
from warmlead.domain.knowledge import Knowledge
from warmlead.domain.shadow import MOST_MOVES, Shadow, ShadowMove, bytes_of_shadow, shadow_moves
from warmlead.domain.stages import MoveCause, Progress
from warmlead.stores.codec import write_lead

LONG = "a_stage_with_a_name_that_is_as_long_as_any_name_may_be_in_models"


def test_the_latest_moves_of_the_model_into_and_out_of_its_stages_are_kept() -> None:
    moves = [
        a_transition(at=NOW + timedelta(days=n), from_stage="lead", to_stage="mql")
        for n in range(MOST_MOVES + 3)
    ]
    others = [
        a_transition(from_stage="anonymous", to_stage="lead"),
        a_transition(from_stage="mql", to_stage="sql", source="hubspot"),
    ]

    kept = shadow_moves(shadow_moves((), moves[:5]), [*others, *moves[5:]])

    assert [move.at for move in kept] == [move.at for move in moves[3:]]


@pytest.mark.parametrize("moves", [0, MOST_MOVES])
def test_no_shadow_takes_more_room_than_is_reckoned_for_it(moves: int) -> None:
    reason = f"{LONG} opens the {LONG} stage at once"
    progress = Progress(LONG, NOW, {LONG: 9, "mql": 30}, 9_000, learnt=NOW, qualified=NOW)
    move = ShadowMove(NOW, LONG, LONG, 9_000, 900, MoveCause.BYPASSED, reason, LONG, NOW)
    known = Knowledge("0a1b2" * 50, {f"{LONG[:40]}{n}": 20_000 for n in range(50)})
    shadow = Shadow("0123456789ab", NOW, progress, 1, 2, 3, 20_000, known, (move,) * moves)

    lead = a_lead()
    size = len(write_lead(replace(lead, shadow=shadow))) - len(write_lead(lead))

    assert 0 < size <= bytes_of_shadow(shadow) < size + 1_500
    assert bytes_of_shadow(None) == 0
