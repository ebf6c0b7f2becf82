"""``--help`` of every command, as a stranger reads it on a terminal of 80 columns."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from unit.cli.conftest import Workspace
from warmlead.cli.commands import COMMANDS, OF_LEAD, laid_out, loaded

WIDTH = 80
PAGE = (Path(__file__).parents[3] / "docs/cli.md").read_text(encoding="utf-8")
TYPES = re.compile(r"<(?:str|int|path|int range)>")


def every_command() -> Iterator[tuple[str, ...]]:
    """The words of each command and of each group."""
    yield ()
    for name, place in COMMANDS.items():
        yield from under((name,), loaded(place, name))
    yield from (("lead", name) for name in OF_LEAD)


def under(words: tuple[str, ...], command: Any) -> Iterator[tuple[str, ...]]:
    yield words
    for name, below in getattr(command, "commands", {}).items():
        if words != ("lead",) or name not in OF_LEAD:
            yield from under((*words, name), below)


def helped(workspace: Workspace, *words: str) -> str:
    workspace.settings["COLUMNS"] = str(WIDTH)
    done = workspace.run(*words, "--help")
    assert done.code == 0
    return done.out


def examples(text: str) -> list[str]:
    """The commands of ours among the indented lines."""
    return re.findall(r"^ {4}(?:.*\| |[A-Z_]+=\S+ )?(warmlead .*)$", text, re.MULTILINE)


@pytest.mark.parametrize("words", sorted(every_command()), ids=" ".join)
def test_a_help_fits_the_terminal_and_teaches_with_an_example(
    workspace: Workspace, words: tuple[str, ...]
) -> None:
    text = helped(workspace, *words)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "..." not in text.partition("Commands:")[2]  # each line there is whole
    assert "```" not in text
    assert not TYPES.search(text.partition("Options:")[2])  # each value has a name
    own = " ".join(("warmlead", *words))
    assert any(example.startswith(own) for example in examples(text))


@pytest.mark.parametrize("words", sorted(every_command()), ids=" ".join)
def test_examples_in_a_help_use_existing_files_and_commands(
    workspace: Workspace, words: tuple[str, ...]
) -> None:
    known = set(every_command())
    for example in examples(helped(workspace, *words)):
        _, *typed = shlex.split(re.split(r" [|>] ", example)[0])
        used = next(tuple(typed[:n]) for n in (3, 2, 1) if tuple(typed[:n]) in known)
        options = {word for word in typed if word.startswith("--")}
        assert options <= set(re.findall(r"--[a-z-]+", helped(workspace, *used))), example


def test_the_page_of_commands_names_each_command_and_each_option(workspace: Workspace) -> None:
    table = re.findall(r"^\| (\[\w+\].*?) \|", PAGE, re.MULTILINE)
    assert set(re.findall(r"\[(\w+)\]", " ".join(table))) == set(COMMANDS)
    synopses = re.findall(r"^    (warmlead .*)$", PAGE, re.MULTILINE)
    for words in every_command():
        own = [line for line in synopses if line.split()[1 : len(words) + 1] == list(words)]
        told = set(re.findall(r"--[a-z-]+", " ".join(own)))
        has = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", helped(workspace, *words), re.MULTILINE))
        if words:  # those of all commands are said once
            assert has - {"--help"} <= told, words


def test_lines_of_an_example_stay_as_they_are_written() -> None:
    laid = laid_out("Do it:\n\n```text\nfirst\n  second\n```\n\nThat is all.")
    assert laid == "Do it:\n\n\b\n  first\n    second\n\nThat is all."
