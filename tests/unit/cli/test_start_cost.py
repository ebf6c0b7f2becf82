"""What the command costs before it does anything: nothing is imported that is not used."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

from warmlead.cli.commands import COMMANDS, OF_LEAD, Place, loaded

HEAVY = (
    *("asyncio", "cel_expr_python", "dotenv", "functions_framework", "google", "msgspec"),
    *("pydantic", "rich", "sqlite3", "starlette", "uvicorn", "yaml"),
)
_LOADED = """
import json, sys
before = set(sys.modules)
from warmlead.cli.main import app
try:
    app(sys.argv[1:])
finally:
    print("\\n" + json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded_by(*arguments: str) -> set[str]:
    """The modules that the command has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *arguments], capture_output=True, text=True, check=False
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [("--help",), (), ("--version",)], ids=" ".join)
def test_help_imports_no_command_and_nothing_that_commands_need(arguments: tuple[str, ...]) -> None:
    modules = loaded_by(*arguments)
    assert {name.partition(".")[0] for name in modules}.isdisjoint(HEAVY)
    ours = {name for name in modules if name.startswith("warmlead.cli.")}
    assert ours == {"warmlead.cli.commands", "warmlead.cli.main"}


@pytest.mark.slow
def test_a_command_imports_no_other() -> None:
    modules = loaded_by("lead", "list", "--help")
    assert modules.isdisjoint(
        ("functions_framework", "uvicorn", "google.protobuf", "starlette", "yaml")
    )
    others = {f"warmlead.cli.{name}" for name in ("local.serve", "privacy", "model")}
    assert all(map(find_spec, others))
    assert modules.isdisjoint(others)


@pytest.mark.parametrize(
    ("name", "place"), [*COMMANDS.items(), *OF_LEAD.items()], ids=lambda each: str(each)[:10]
)
def test_help_says_of_each_command_what_its_own_help_begins_with(name: str, place: Place) -> None:
    command = loaded(place, name)
    assert command.name == name
    assert command.help.split("\n\n")[0].replace("\n", " ").strip() == place.line
    assert len(place.line) <= 62  # what a terminal of 80 columns shows of it
