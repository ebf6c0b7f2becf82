"""The ten people on the page of each ready-made model, played and added up by hand."""

import ast
import math
import operator
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unit.cli.conftest import Workspace
from warmlead.model.loading import ready_model, ready_names

pytestmark = pytest.mark.slow  # plays a page of the documentation

PAGES = Path(__file__).parents[3] / "docs" / "models"
CALCULATES: dict[type, Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
}
MESSAGES: dict[str, Callable[[dict[str, Any]], str]] = {
    "warmlead.handoff.offered.v1": lambda _: "offered",
    "warmlead.nurture.step_due.v1": lambda data: str(data["message"]),
    "warmlead.lead.alerted.v1": lambda data: f"alert: {data['title']}",
}
"""What the column *sent* says of a message; it leaves out the moves, reminders and breaches."""


def people(name: str) -> list[dict[str, str]]:
    """The rows of a page's table, by their column."""
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    table = page.partition("<!-- people")[2].partition("-->\n")[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line[1:-1].split("|")] for line in table.splitlines()]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def story_of(row: dict[str, str]) -> Path:
    (link,) = re.findall(r"\]\((.+)\)", row["who"])
    return PAGES / str(link)


ROWS = [
    pytest.param(name, row, id=f"{name}-{story_of(row).stem}")
    for name in ready_names()
    for row in people(name)
]


def calculated(written: str) -> float:
    """The value of a sum as the pages write it: ``20 × 2^(−3/60) + 1``."""
    plain = written.replace("×", "*").replace("−", "-").replace("^", "**")
    return _value(ast.parse(plain.strip(), mode="eval").body)


def _value(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.UnaryOp(op=op, operand=operand):
            return CALCULATES[type(op)](_value(operand))
        case ast.BinOp(left=left, op=op, right=right):
            return CALCULATES[type(op)](_value(left), _value(right))
    raise AssertionError(ast.dump(node))


@pytest.mark.parametrize("name", ready_names())
def test_each_model_has_ten_people_and_no_story_is_left_over(name: str) -> None:
    stories = {story_of(row) for row in people(name)}
    assert len(stories) == 10
    assert stories == set((PAGES / name).iterdir())


@pytest.mark.parametrize("row", [values.values[1] for values in ROWS], ids=[p.id for p in ROWS])
def test_each_score_by_hand_adds_up(row: dict[str, str]) -> None:
    did, shown = row["did, by hand"].split(" = ")
    fit, fit_shown = row["fit, by hand"].split(" = ")
    assert f"{calculated(did):.2f}" == shown
    assert calculated(fit) == calculated(fit_shown)
    assert math.floor(calculated(did) + calculated(fit) + 0.5) == int(row["score"])


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_each_person_is_played_as_the_page_says(
    workspace: Workspace, name: str, row: dict[str, str]
) -> None:
    told = workspace.json("model", "simulate", str(story_of(row)), "--model", name)
    last = told["days"][-1]
    fit = int(calculated(row["fit, by hand"].split(" = ")[1]))
    assert (last["score"], last["fit"], last["stage"]) == (int(row["score"]), fit, row["stage"])
    assert last["engagement"] == math.floor(calculated(row["did, by hand"].split(" = ")[1]) + 0.5)
    assert ready_model(name).rules.scoring.grade_of(fit) == row.get("grade", "")

    sent = [
        MESSAGES[event["type"]](event["data"])
        for day in told["days"]
        for line in day["lines"]
        if line["kind"] == "sent" and (event := line["data"]["event"])["type"] in MESSAGES
    ]
    assert "; ".join(sent) == row["sent"]
