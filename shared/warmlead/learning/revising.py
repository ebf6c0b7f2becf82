"""The text of a model with what was learned: all changes are checked, and faulty ones undone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from warmlead.learning.candidates import Candidate
from warmlead.learning.editing import EditError, ModelText, Restated
from warmlead.learning.restating import PointBar
from warmlead.learning.weighing import SECTIONS, Points, points_of
from warmlead.model.document import Finding, Path, Plain, Severity, path_text
from warmlead.model.loading import check
from warmlead.model.schema import ModelFile

_MOST_TRIES = 5


@dataclass(frozen=True, eq=False)
class Changes:
    """What is to be changed in a model file."""

    points: Points
    added: Sequence[Candidate]
    base: int
    bars: Sequence[PointBar]
    grades: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Revision:
    """The changed text, which is a valid model; and what was left as it is, and why."""

    text: str
    undone: tuple[Finding, ...]


def revised(text: str, file: ModelFile, changes: Changes) -> Revision:
    """The text with the changes.

    A bar or a grade with which the model would not be valid stays as it was, and is told. Raises
    ``EditError`` if the model is not valid even then.
    """
    undone: list[Finding] = []
    for _ in range(_MOST_TRIES):
        spared = {finding.path for finding in undone}
        made = _edited(text, file, changes, spared)
        faults = [each for each in check(made) if each.severity is Severity.ERROR]
        if not faults:
            return Revision(made, tuple(undone))
        known = len(undone)
        undone += [each for each in faults if each.path not in spared]
        if len(undone) == known:
            break
    raise EditError("the changed model is not valid: " + "; ".join(map(str, faults[:3])))


def _edited(text: str, file: ModelFile, changes: Changes, spared: set[str]) -> str:
    into = ModelText(text)
    for key, author in points_of(file).items():
        if (points := changes.points[key]) != author:
            kind, _, name = key.partition(":")
            into.state((SECTIONS[kind], name, "points"), points)
    for each in changes.added:
        entry: dict[str, Plain] = {"when": each.when, "points": changes.points[each.key]}
        entry["title"] = each.title
        into.add(each.section, each.name, entry)
    if changes.base != file.base:
        into.state_top("base", changes.base)
    for path, numbers in _by_path(changes.bars).items():
        if not _is_spared(path, spared):
            into.restate(path, numbers)
    if not any(path.startswith("grades") for path in spared):
        for name, least in changes.grades.items():
            if least != file.grades[name]:
                into.state(("grades", name), least)
    return into.changed()


def _is_spared(path: Path, spared: set[str]) -> bool:
    """Whether a fault was found at a condition, or at what holds it, such as its stage."""
    own = path_text(path)
    return any(own == each or own.startswith((f"{each}.", f"{each}[")) for each in spared)


def _by_path(bars: Sequence[PointBar]) -> dict[Path, list[Restated]]:
    made: dict[Path, list[Restated]] = {}
    for bar in bars:
        if bar.before != bar.after:
            made.setdefault(bar.path, []).append(bar.change)
    return made
