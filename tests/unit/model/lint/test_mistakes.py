"""Typical mistakes, each a file: found at its place, and mended by following the suggestion.

A file begins with what its author thought, where the mistake is found, and what is suggested. The
test does what the suggestion says, word by word and with no mind of its own.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from warmlead.model.document import Finding, Severity
from warmlead.model.lint.synonyms import COUNTRY_NAMES, TRAIT_SYNONYMS
from warmlead.model.loading import check
from warmlead.senders.countries import country_code
from warmlead.senders.person import standard_name

FILES = sorted((Path(__file__).parent / "mistakes").glob("*.yaml"))
HEAD = re.compile(r"# .+\.\n# found: (\d+):(\d+)\n# says: (.+)\n")


SOUND = (Path(__file__).parent / "sound.yaml").read_text(encoding="utf-8")
SAID = yaml.safe_load((Path(__file__).parent / "said.yaml").read_text(encoding="utf-8"))


class Mistake(NamedTuple):
    text: str
    line: int
    column: int
    suggestion: str


def mistake_in(file: Path) -> Mistake:
    text = file.read_text(encoding="utf-8")
    head = HEAD.match(text)
    assert head, "a mistake begins with what its author thought, # found: and # says:"
    return Mistake(text, int(head[1]), int(head[2]), head[3])


@cache
def found_in(text: str) -> Sequence[Finding]:
    return [found for found in check(text) if found.severity is not Severity.NOTE]


def without_key(text: str, found: Finding) -> str:
    """The text without the key that a finding is about, and what belongs to it."""
    lines = text.splitlines(keepends=True)
    line, indent = lines[found.line - 1], found.column - 1
    if line[:indent].strip():
        shorter = line[:indent].rstrip(", ") + re.sub(r"^[^,}]*", "", line[indent:], count=1)
        return "".join([*lines[: found.line - 1], shorter, *lines[found.line :]])
    rest = dropwhile(lambda each: each.startswith(" " * (indent + 1)), lines[found.line :])
    return "".join([*lines[: found.line - 1], *rest])


def with_lines_moved(text: str, found: Finding) -> str | None:
    """The text with lines elsewhere or otherwise indented, if the suggestion says so."""
    if line := re.fullmatch(r"move what it holds to line (\d+), and .+", found.suggestion):
        lines = text.splitlines(keepends=True)
        held = list(takewhile(lambda each: each.startswith(" "), lines[found.line :]))
        rest = [*lines[: found.line - 1], *lines[found.line + len(held) :]]
        return "".join([*rest[: int(line[1])], *held, *rest[int(line[1]) :]])
    if line := re.fullmatch(r"indent this line as line (\d+)", found.suggestion):
        lines = text.splitlines(keepends=True)
        like = lines[int(line[1]) - 1]
        indent = like[: len(like) - len(like.lstrip())]
        lines[found.line - 1] = indent + lines[found.line - 1].lstrip()
        return "".join(lines)
    return None


def followed(text: str, found: Finding) -> str:
    """The text after somebody did what the suggestion says."""
    if found.suggestion in ("indent with spaces, not with tabs", "write spaces, not tabs"):
        return text.replace("\t", "  ")
    if found.suggestion == "keep one of them":
        return without_key(text, found)
    if (moved := with_lines_moved(text, found)) is not None:
        return moved
    if clause := re.fullmatch(r"add (&& .+) to enter, or leads may flap", found.suggestion):
        enter = r"(\n +enter: (['\"]?).+?)(\2\n)"
        return re.sub(enter, lambda line: f"{line[1]} {clause[1]}{line[3]}", text, count=1)
    suggestion, _, added = found.suggestion.partition("add to ")
    suggestion = suggestion.removesuffix(", and ")
    lines = text.splitlines(keepends=True)
    start = sum(map(len, lines[: found.line - 1])) + found.column - 1
    before, after = text[:start], text[start:]
    if added and not suggestion.startswith("write"):
        mended = text
    elif meant := re.fullmatch(r'did you mean "(.+)"\?', suggestion):
        mended = before + re.sub(r"^[\w./-]+", lambda _: meant[1], after, count=1)
    elif placed := re.fullmatch(r"write (.+) for (.+)", suggestion):
        assert after.startswith(placed[2]), (after[:60], placed[2])
        mended = before + placed[1] + after.removeprefix(placed[2])
    elif value := re.fullmatch(r"write (.+?)(?: without quotes)?", suggestion):
        mended = before + re.sub(r'^("[^"]*"|[^,}\n]+)', lambda _: value[1], after, count=1)
    else:
        pytest.fail(f"nobody can follow this: {suggestion}")
    if added:
        section, _, entry = added.partition(": ")
        head = f"{section}:\n"
        mended = mended if head in mended else f"{mended}{head}"
        mended = mended.replace(head, f"{head}  {entry}\n", 1)
    return mended


def test_there_are_thirty_mistakes_at_least() -> None:
    assert len(FILES) >= 30


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_mistake_is_found_once_at_its_place_and_its_suggestion_mends_it(file: Path) -> None:
    mistake = mistake_in(file)

    found = found_in(mistake.text)

    assert [(f.line, f.column, f.suggestion) for f in found] == [mistake[1:]], found
    assert found_in(followed(mistake.text, found[0])) == []


@pytest.mark.parametrize("said", SAID, ids=lambda said: said["written"])
def test_what_people_write_instead_is_mended_by_the_suggestions(said: dict[str, str]) -> None:
    assert said["sound"] in SOUND
    text = SOUND.replace(said["sound"], said["written"], 1)
    found = found_in(text)
    assert found[0].suggestion == said["says"], found

    for _ in range(len(found) + 1):  # what stands in the mended text may be found then
        if left := found_in(text):
            text = followed(text, left[0])

    assert found_in(text) == []


def test_the_model_into_which_mistakes_are_written_has_none() -> None:
    assert found_in(SOUND) == []


def test_several_mistakes_in_one_condition_are_all_found() -> None:
    text = mistake_in(FILES[0].with_name("single-equals.yaml")).text
    several = 'country = USA AND company_size >= "50" OR titel == "x"'
    text = text.replace('country = "US"', several)

    assert [found.suggestion for found in found_in(text)] == [
        "write == for =",
        'write "US" for USA',
        "write && for AND",
        "write employees for company_size",
        'write >= 50 for >= "50"',
        "write || for OR",
        'did you mean "title"?',
    ]


@pytest.mark.parametrize("other", sorted(COUNTRY_NAMES))
def test_a_country_is_called_as_the_senders_call_it(other: str) -> None:
    assert country_code(other) == COUNTRY_NAMES[other]


def test_a_trait_is_called_as_the_senders_call_it_where_they_know_the_word() -> None:
    translated = {other: standard_name(other) for other in TRAIT_SYNONYMS}
    known = {other: name for other, name in translated.items() if name}

    assert {other: TRAIT_SYNONYMS[other] for other in known} == known
    assert known.keys() >= {"company_size", "job_title", "company_name", "number_of_employees"}
