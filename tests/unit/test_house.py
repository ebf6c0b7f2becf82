"""The house: one name means one thing, and no module is too long to be read at a sitting."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import warmlead

pytestmark = pytest.mark.slow  # reads every source file

PACKAGE = Path(warmlead.__file__).parent
ROOT = Path(__file__).parents[2]
MOST_LINES = 500

_ORDER = re.compile(r"\b(ordered|unpacked|added up)\b", re.IGNORECASE)
_IMPORT = re.compile(r"from (warmlead[\w.]*) import (\w+(?:, \w+)*)")


@cache
def modules() -> dict[str, ast.Module]:
    files = sorted(PACKAGE.rglob("*.py"))
    return {str(file.relative_to(PACKAGE)): ast.parse(file.read_text()) for file in files}


def test_no_two_public_classes_share_a_name() -> None:
    places = defaultdict(list)
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_titles_are_not_passed_beside_the_rules() -> None:
    both = [
        f"{module}: {node.name}"
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and {"rules", "titles"} <= {arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)}
    ]
    assert both == []


def test_a_value_is_a_named_tuple_only_where_its_order_is_meant() -> None:
    others = [
        f"{module}: {node.name}"
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "NamedTuple" for base in node.bases)
        and not _ORDER.search(ast.get_docstring(node) or "")
    ]
    assert others == []


def test_every_module_has_a_docstring() -> None:
    silent = [module for module, tree in modules().items() if not ast.get_docstring(tree)]
    assert silent == []


def test_every_module_is_short_enough_to_read_at_once() -> None:
    lengths = {str(f): len(f.read_text().splitlines()) for f in PACKAGE.rglob("*.py")}
    assert {file: n for file, n in lengths.items() if n > MOST_LINES} == {}


def imports_of(module: str, tree: ast.Module) -> set[str]:
    """Our modules that it imports, also late or only for its types; not a package for its own."""
    asked = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    named = {node.module or "" for node in asked}
    named |= {f"{node.module}.{each.name}" for node in asked for each in node.names}
    files = {name.removeprefix("warmlead.").replace(".", "/") + ".py" for name in named}
    return files & modules().keys() - {module}


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {module: imports_of(module, tree) for module, tree in modules().items()}
    assert sum(map(len, graph.values())) > len(graph)
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def texts_with_imports() -> Iterator[tuple[Path, str, list[str]]]:
    """What programs that stand in texts import of ours: no other check sees these."""
    for folder in ("tests", "infra"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" in file.parts:
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    for module, names in _IMPORT.findall(node.value):
                        yield file, module, names.split(", ")


def test_programs_in_strings_import_existing_names() -> None:
    found = list(texts_with_imports())
    assert found
    for file, module, names in found:
        assert find_spec(module), f"{file}: {module}"
        for name in names:
            assert hasattr(import_module(module), name) or find_spec(f"{module}.{name}"), file


def test_the_unit_tests_mirror_the_package() -> None:
    tests = ROOT / "tests" / "unit"
    folders = {file.parent.relative_to(tests) for file in tests.rglob("test_*.py")}
    assert len(folders) > 1
    assert [str(each) for each in folders if not (PACKAGE / each).is_dir()] == []
