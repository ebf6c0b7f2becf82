"""Checks what gives points as a whole: whether each bonus can hold, and what grades mean."""

import re
from collections.abc import Iterator

from warmlead.domain.attribution import Channel
from warmlead.model.conditions import Context, compared_with
from warmlead.model.document import did_you_mean
from warmlead.model.lint.satisfiability import Prospect, Region, fit_range
from warmlead.model.schema import GRADE_PATTERN, ModelFile
from warmlead.model.structure import Report, Sound
from warmlead.model.vocabulary import ORIGIN_FACTS

_CHANNELS = {str(channel): channel for channel in Channel if channel is not Channel.UNKNOWN}


def check_points(sound: Sound, prospect: Prospect, report: Report) -> None:
    """Finds bonuses that nobody gets and grades that mean nothing; doubts what everybody gets."""
    file = sound.file
    for name, bonus in file.bonuses.items():
        _check_bonus(name, bonus.when, bonus.points, prospect, report)
    for name in sorted(file.bonuses.keys() & (file.signals.keys() | file.fit.keys())):
        message = "a signal or fit rule has the same name: people cannot tell the reasons apart"
        report.warn(("bonuses", name), message, key=True)
    _check_grades(sound, report)


def _check_bonus(name: str, when: str, points: int, prospect: Prospect, report: Report) -> None:
    path = ("bonuses", name, "when")
    outlook = prospect.of(path, when, Region())
    if outlook is None:
        return
    if outlook.never:
        impossible = [why for _, why in prospect.impossible(outlook)]
        why = impossible[0] if impossible else "its parts exclude each other"
        report.error(path, f"can never hold: no lead gets these points: {why}")
    elif outlook.always:
        report.warn(path, "always holds: every lead gets these points", f"write base: {points}")


def _check_grades(sound: Sound, report: Report) -> None:
    grades = sound.file.grades
    most = fit_range(sound.file).most
    seen: dict[int, str] = {}
    for name, least in grades.items():
        path = ("grades", name)
        if not re.match(GRADE_PATTERN, name):
            message = f'"{name}" is not a grade: write a letter or a short word'
            report.error(path, message, "write A, B, C and D", key=True)
        elif least in seen:
            message = f"takes as many points as {seen[least]}: it could be either"
            report.error(path, message, "give each grade a threshold of its own")
        elif sound.is_whole("fit") and least > most:
            report.warn(path, f"no lead gets this grade: fit is at most {most:.0f}")
        seen.setdefault(least, name)
    for section in ("signals", "traits"):
        if grades and "grade" in getattr(sound.file, section):
            message = '"grade" is a fact about every lead, because the model has grades'
            report.error((section, "grade"), message, key=True)


def unknown_words(text: str, context: Context, file: ModelFile) -> Iterator[tuple[int, str, str]]:
    """Texts that a fact never is, though a condition compares it with them: place, fault, guess."""
    if file.grades and "grade" in context.types:
        for literal in compared_with("grade", text):
            said = literal.text.strip("\"'")
            if said not in file.grades:
                meant = said.upper() if said.upper() in file.grades else ""
                guess = f'did you mean "{meant}"?' if meant else did_you_mean(said, file.grades)
                listed = guess or f"the grades are {', '.join(file.grades)}"
                yield literal.at + 1, f'there is no grade "{said}"', listed
    for name in context.types.keys() & ORIGIN_FACTS.keys():
        for literal in compared_with(name, text):
            said = literal.text.strip("\"'")
            if name.endswith(".channel") and said not in _CHANNELS:
                guess = did_you_mean(said.capitalize(), _CHANNELS)
                listed = guess or f"the channels are {', '.join(_CHANNELS)}"
                yield literal.at + 1, f'there is no channel "{said}"', listed
            elif name.endswith((".source", ".medium")) and said != said.lower():
                message = f'{name} is in small letters, so it never equals "{said}"'
                yield literal.at + 1, message, f'write "{said.lower()}"'
