"""Each line of the page on what a stranger can do names tests, and they exist."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # reads every test

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
LINES = [
    line
    for line in PAGE.splitlines()
    if line.startswith("| ") and not re.search(r"held by \|$", line)
]
TEST = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")


def names_of_tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


@pytest.mark.parametrize("line", LINES, ids=[line[2:40] for line in LINES])
def test_a_line_is_held_by_tests_that_exist(line: str) -> None:
    held_by = TEST.findall(line.rsplit("|", maxsplit=2)[1])
    assert held_by
    for file, name in held_by:
        assert name in names_of_tests(ROOT / file)


def test_the_page_says_both_what_can_be_done_and_what_cannot() -> None:
    assert len(LINES) > 15
    assert len(LINES) == len(re.findall(r"^\| .*::test_", PAGE, re.MULTILINE))
