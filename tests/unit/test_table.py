"""The table of functions and the registry of senders: each name stands in one list."""

import ast
import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from warmlead.buses.topology import SUBSCRIPTIONS
from warmlead.runtime import functions
from warmlead.runtime.backends import STAGED
from warmlead.runtime.table import (
    DESTINATIONS,
    SHORTEST_S,
    TABLE,
    CalledBy,
    Function,
    names,
    public,
    scheduled,
    with_database,
)
from warmlead.senders.registry import REGISTRY, by_name, functions_by_path
from warmlead.settings import Needed

ROOT = Path(__file__).parents[2]
TABLE_FILE = ROOT / "shared/warmlead/runtime/table.py"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
README = (ROOT / "functions/README.md").read_text()
NAMES = frozenset(names())
MOST_NAMES = 2
"""Three names of functions in one place are a second list."""


def rows(after: str) -> list[list[str]]:
    """The rows of the table in the page below a line, each as its cells, without its head."""
    _, _, rest = README.partition(after)
    lines = [line for line in rest.partition("\n\n")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


# --- the functions -------------------------------------------------------------------------


def test_the_table_holds_each_folder_of_functions_and_each_builder() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/main.py")}
    assert set(names()) == folders
    assert all(callable(getattr(functions, name)) for name in names())


def test_what_the_table_names_is_there() -> None:
    for each in TABLE:
        assert set(each.files) <= set(STAGED)
        assert set(each.demands) <= set(get_args(Needed))
        assert (each.called_by is CalledBy.CLOCK) == (each.every_s is not None)
        assert (each.called_by is CalledBy.SENDERS) == bool(each.sent_by)
        assert each.every_s is None or each.every_s >= SHORTEST_S
    pushed = {each.pushes_to for each in SUBSCRIPTIONS if each.pushes_to}
    assert pushed == {each.name for each in TABLE if each.called_by is CalledBy.BUS}


def test_a_function_that_senders_reach_does_not_need_the_database() -> None:
    assert [each.name for each in public() if each.needs_database] == []


def test_every_extra_belongs_to_functions_and_no_two_are_alike() -> None:
    extras = {
        name: frozenset(needs)
        for name, needs in PROJECT["project"]["optional-dependencies"].items()
    }
    of_functions = dict.fromkeys(each.extra for each in TABLE)
    assert extras.keys() == {*of_functions, "cli", "parquet", "learning"}  # of commands alone
    assert len(set(extras.values())) == len(extras)
    assert f"warmlead[{','.join(of_functions)}]" in extras["cli"]


def test_every_scheduled_function_has_a_run_and_a_help_text() -> None:
    for each in scheduled():
        assert callable(functions.run_of(each))
        assert getattr(functions, each.name).__doc__


HOW_OFTEN = {
    None: "",
    60.0: "every minute",
    300.0: "every five minutes",
    3_600.0: "every hour",
    86_400.0: "once a day",
}


def test_the_page_of_functions_has_a_row_for_each_in_the_order_of_the_table() -> None:
    assert [row[0] for row in rows("forms/main.py\n\n")[2:]] == [f"`{name}`" for name in names()]


@pytest.mark.parametrize("function", TABLE, ids=names())
def test_the_page_of_functions_tells_what_the_table_holds(function: Function) -> None:
    told = {name: row for name, *row in rows("forms/main.py\n\n")[2:]}
    called_by, _, _, publishes = told[f"`{function.name}`"]
    assert called_by.startswith(function.called_by)
    assert HOW_OFTEN[function.every_s] in called_by
    assert re.findall(r"`([a-z-]+)`", publishes) == list(function.publishes)


def test_the_page_of_settings_ticks_what_the_table_holds() -> None:
    head, _, *settings = rows("these [settings](../docs/settings.md):\n\n")
    ticked = {setting: [mark == "✓" for mark in marks] for setting, *marks in settings}

    def ticks(word: str) -> list[bool]:
        (found,) = (marks for setting, marks in ticked.items() if word in setting)
        return found

    assert head[1:] == [f"`{name}`" for name in names()]
    assert ticks("WARMLEAD_DATABASE") == [each.needs_database for each in TABLE]
    assert ticks("WARMLEAD_ID_SECRET") == ["id_secret" in each.demands for each in TABLE]
    assert ticks("WARMLEAD_WRITE_KEYS") == ["write_keys" in each.demands for each in TABLE]
    assert ticks("WARMLEAD_PUSH_AUDIENCE") == ["push" in each.demands for each in TABLE]
    configured = {each.function for each in REGISTRY if each.settings}
    assert ticks("the variables") == [
        each.name in configured or DESTINATIONS in each.files for each in TABLE
    ]


RUN = re.compile(rf"(?:`(?:{'|'.join(names())})`(?:, | and | or |, and )?){{3,}}")
"""Three names of functions or more, one after the other, in a sentence of a page."""

GROUPS = (
    TABLE,
    public(),
    with_database(),
    scheduled(),
    tuple(each for each in TABLE if "push" in each.demands),
    tuple(each for each in TABLE if "WARMLEAD_MODEL" in each.files),
    tuple(each for each in TABLE if "WARMLEAD_SHADOW_MODEL" in each.files),
)


def pages() -> list[Path]:
    """The pages of today; the changelog and decision records tell what was so at their time."""
    found = [
        *(path for path in ROOT.glob("*.md") if path.name != "CHANGELOG.md"),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "docs/messages").glob("*.md"),
    ]
    return [*found, *(ROOT / part / "README.md" for part in ("functions", "infra", "tests"))]


def test_a_page_that_lists_functions_lists_them_all() -> None:
    runs = [
        (str(path.relative_to(ROOT)), set(re.findall(r"`(\w+)`", run[0])))
        for path in pages()
        for run in RUN.finditer(path.read_text(encoding="utf-8"))
    ]
    assert runs
    assert [run for run in runs if run[1] not in [set(names(group)) for group in GROUPS]] == []


def sources() -> Iterator[tuple[Path, str]]:
    """The modules in which a list may be, with their texts; the table is none of them."""
    for part in ("shared", "functions", "infra", "tests"):
        for path in (ROOT / part).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if path != TABLE_FILE and sum(name in text for name in NAMES) > MOST_NAMES:
                yield path, text


def listed(node: ast.AST) -> set[str]:
    """The names of functions that one list, tuple, set, mapping or call holds as texts."""
    match node:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            pass
        case ast.Dict(keys=keys):
            parts = [key for key in keys if key]
        case ast.Call(args=parts):
            pass
        case _:
            return set()
    texts = {part.value for part in parts if isinstance(part, ast.Constant)}
    return {text for text in texts if isinstance(text, str)} & NAMES


@pytest.mark.slow
def test_names_of_functions_stand_in_no_second_list() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}: {sorted(listed(node))}"
        for path, text in sources()
        for node in ast.walk(ast.parse(text))
        if len(listed(node)) > MOST_NAMES
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    ['("forms", "track", "sales")', '{"score": 1, "decay": 2, "report": 3}'],
)
def test_a_second_list_would_be_found(text: str) -> None:
    assert any(len(listed(node)) > MOST_NAMES for node in ast.walk(ast.parse(text)))


# --- the senders ---------------------------------------------------------------------------


def test_every_sender_belongs_to_a_function_that_senders_reach() -> None:
    assert {each.function for each in REGISTRY} == set(names(public()))


def test_a_sender_has_a_name_and_a_path_of_its_own() -> None:
    assert len({each.name for each in REGISTRY}) == len(REGISTRY)
    assert len({(each.function, each.path) for each in REGISTRY}) == len(REGISTRY)
    assert functions_by_path()["generic"] == by_name("generic").function


@pytest.mark.parametrize("sender", REGISTRY, ids=lambda each: each.name)
def test_a_sender_has_its_package_its_page_its_fixtures_and_its_types(sender: object) -> None:
    registered = by_name(getattr(sender, "name", ""))
    folder = ROOT / "shared/warmlead/senders" / registered.name
    assert (folder / "README.md").is_file()
    assert list((ROOT / "tests/senders" / registered.name).glob("fixtures/*.json"))
    assert registered.adapter_type().name == registered.name
    if registered.settings:
        assert registered.settings_type().__module__.startswith(
            f"warmlead.senders.{registered.name}"
        )


def test_a_sender_without_a_file_has_no_settings_type() -> None:
    with pytest.raises(LookupError):
        by_name("segment").settings_type()


def test_the_page_of_senders_is_written_from_the_registry() -> None:
    written = runpy.run_path(str(ROOT / "infra/senders.py"))
    assert written["PAGE"].read_text(encoding="utf-8") == written["page"](), "run: make senders"


def test_every_package_of_a_sender_is_registered() -> None:
    packages = (ROOT / "shared/warmlead/senders").glob("*/__init__.py")
    assert sorted(path.parent.name for path in packages) == sorted(each.name for each in REGISTRY)


def test_no_sender_imports_another() -> None:
    """The contract of import-linter sees all imports but those of one ``__init__`` by another."""
    (contract,) = (
        each
        for each in PROJECT["tool"]["importlinter"]["contracts"]
        if each["name"] == "Senders know nothing of each other"
    )
    assert contract["modules"] == ["warmlead.senders.*"]
    among_themselves, *shared = [each.split(" -> ") for each in contract["ignore_imports"]]
    assert among_themselves == ["warmlead.senders.*", "warmlead.senders.*"]
    for importer, imported in shared:
        assert importer == "warmlead.senders.*.*"
        assert (ROOT / "shared" / f"{imported.replace('.', '/')}.py").is_file()
    for each in REGISTRY:
        package = ROOT / "shared/warmlead/senders" / each.name / "__init__.py"
        imported = re.findall(r"^from (\S+) import", package.read_text(), re.MULTILINE)
        assert all(name.startswith(f"warmlead.senders.{each.name}.") for name in imported)
