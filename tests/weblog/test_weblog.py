"""The player of web logs, on a small made one: robots get no points, in any order."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from weblog.__main__ import main
from weblog.lines import Visit, visits_in
from weblog.made import made_log
from weblog.play import Standing, played, shuffled

NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)


def test_a_line_is_a_visit_and_others_are_none() -> None:
    lines = [*made_log(28), "", "no line", '- - [x] "GET / HTTP/1.1"', "a " * 10_000]
    visits = list(visits_in(lines))
    assert [visit.number for visit in visits] == list(range(28))
    assert all(visit.at.tzinfo for visit in visits)


def test_robots_of_a_log_have_no_points_in_any_order(tmp_path: Path) -> None:
    visits = list(visits_in(made_log(300, seed=2)))
    robots = {visit.visitor for visit in visits if visit.is_robot_like}

    def play(order: Sequence[Visit], said: str, name: str) -> dict[str, Standing]:
        (tmp_path / name).mkdir()
        return asyncio.run(played(order, tmp_path / name, now=NOW, robots=said))

    ignored = play(visits, "ignore", "one")
    assert len(robots) > 5
    assert not any(lead.score for lead in ignored.values() if lead.visitor in robots)
    assert any(lead.score for lead in ignored.values())
    assert play(shuffled(visits, seed=3), "ignore", "other") == ignored
    counted = play(visits, "count", "counted")
    assert any(lead.score for lead in counted.values() if lead.visitor in robots)


@pytest.mark.parametrize("content", [None, "", "no line\n"])
def test_a_log_in_which_nobody_visits_is_misuse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    log = tmp_path / "access.log"
    if content is not None:
        log.write_text(content)
    with pytest.raises(SystemExit) as ended:
        main([str(log)])
    assert ended.value.code == 2
    assert ("cannot be read" if content is None else "combined format") in capsys.readouterr().err


def test_a_made_log_is_played(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--made", "--lines", "60"]) == 0
    assert "60 lines of " in capsys.readouterr().out
