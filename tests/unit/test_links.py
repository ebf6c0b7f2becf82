"""Links between documents lead somewhere, and the index and the guide name what there is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "functions", "infra", "shared", "tests")
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(
            page
            for folder in FOLDERS
            for page in (ROOT / folder).rglob("*.md")
            if "node_modules" not in page.parts
        ),
    ]
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADLESS = re.compile(r"(?:^|\n\n)(\|.*)\n(?!\|[-:| ]+\n)")
"""A table's first row with no line of dashes below: GitHub shows it as text."""


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        if ":" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


def test_no_blank_line_cuts_a_table_in_two() -> None:
    found = {
        page: HEADLESS.findall(FENCE.sub("", page.read_text(encoding="utf-8"))) for page in PAGES
    }
    assert {page: rows for page, rows in found.items() if rows} == {}
    assert HEADLESS.findall("| a |\n|---|\n| b |\n\n| c |\n\nd") == ["| c |"]


INDEX = ROOT / "docs/README.md"
DOCS_OF_FOLDERS = sorted((ROOT / "docs").glob("*/README.md"))


def linked_from(page: Path) -> set[Path]:
    """The files to which a page leads."""
    links = LINK.findall(page.read_text(encoding="utf-8"))
    return {(page.parent / link.partition("#")[0]).resolve() for link in links}


def test_the_index_lists_every_page() -> None:
    parts = (ROOT / part / "README.md" for part in ("functions", "infra", "tests"))
    pages = {*ROOT.glob("*.md"), *parts, *(ROOT / "docs").glob("*.md"), *DOCS_OF_FOLDERS} - {INDEX}
    assert {str(page.relative_to(ROOT)) for page in pages - linked_from(INDEX)} == set()


def test_a_page_in_a_folder_is_listed_by_the_folder_or_the_index() -> None:
    listed = linked_from(INDEX).union(*map(linked_from, DOCS_OF_FOLDERS))
    pages = set((ROOT / "docs").rglob("*.md")) - {INDEX}
    assert {str(page.relative_to(ROOT)) for page in pages - listed} == set()


def test_every_page_of_a_sender_is_linked_from_one_that_the_index_lists() -> None:
    pages = [ROOT / "docs" / name for name in ("README.md", "senders.md", "destinations.md")]
    linked = set[Path]().union(*map(linked_from, pages))
    senders = {*(ROOT / "shared").rglob("README.md")}
    assert {str(page.relative_to(ROOT)) for page in senders - linked} == set()


def test_the_guide_names_files_that_exist() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"[a-z0-9_/.]+/[\w.]+\.(?:py|md|json|toml)\b", guide))
    named -= {name for name in named if "TYPE" in name}
    roots = (ROOT, ROOT / "shared/warmlead")
    assert len(named) > 20
    assert {name for name in named if not any((root / name).exists() for root in roots)} == set()
