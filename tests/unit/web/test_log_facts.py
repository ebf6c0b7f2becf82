"""The list of the log's fields names exactly what the code passes: no line drops a fact."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

import warmlead
from warmlead.application.deliver import Delivered
from warmlead.application.due import RunProgress
from warmlead.web.logging import FIELDS

PACKAGE = Path(warmlead.__file__).parent
OF_LEADS = {"Observation"}  # its facts are those of a lead
NO_FIELDS = {"level", "error"}  # arguments of log_event itself
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[Function]:
    """The functions of all modules that log, or pass facts to what does."""
    for file in sorted(PACKAGE.rglob("*.py")):
        text = file.read_text()
        if "facts=" not in text and "log_event" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def calls(function: Function) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2], node


class Names:
    """The names of the facts that one function passes on, however it writes them."""

    def __init__(self, function: Function) -> None:
        self.found: set[str] = set()
        self.forwards = False
        self._others = function.args.kwarg.arg if function.args.kwarg else None
        self._assigned = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for name, call in calls(function):
            for keyword in call.keywords:
                if keyword.arg == "facts" and name not in OF_LEADS:
                    self.read(keyword.value)
                elif name == "log_event":
                    self._read_argument(keyword)

    def _read_argument(self, keyword: ast.keyword) -> None:
        if keyword.arg is None:
            self.read(keyword.value)
        elif keyword.arg not in NO_FIELDS:
            self.found.add(keyword.arg)

    def read(self, value: ast.expr) -> None:
        match value:
            case ast.Dict(keys, values):
                for key, inner in zip(keys, values, strict=True):
                    if key is None:
                        self.read(inner)
                    else:
                        self.found.add(ast.literal_eval(key))
            case ast.IfExp(_, one, other):
                self.read(one)
                self.read(other)
            case ast.Name(name) if name == self._others:
                self.forwards = True
            case ast.Name(name):
                self.read(self._assigned[name])
            case ast.Attribute(attr="facts"):  # those of an answer, which somebody has made
                pass
            case ast.Attribute(attr="counts"):
                self.found.update(RunProgress().counts, Delivered().counts)
            case _:
                raise AssertionError(f"write the names of these facts: {ast.unparse(value)}")


@pytest.mark.slow
def test_the_list_names_every_fact_that_is_passed_to_the_log_and_no_other() -> None:
    all_functions = list(functions())
    named = [(function.name, Names(function)) for function in all_functions]
    found = {fact for _, names in named for fact in names.found}
    forwarding = {name for name, names in named if names.forwards and name != "log_event"}
    for function in all_functions:
        for name, call in calls(function):
            if name in forwarding:
                found.update(keyword.arg for keyword in call.keywords if keyword.arg)

    assert found == FIELDS
