"""Checks what gives points as a whole: whether each bonus can hold, and does not always."""

from warmlead.model.lint.satisfiability import Prospect, Region
from warmlead.model.structure import Report, Sound


def check_points(sound: Sound, prospect: Prospect, report: Report) -> None:
    """Finds bonuses that nobody gets, and doubts those that everybody gets."""
    for name, bonus in sound.file.bonuses.items():
        path = ("bonuses", name, "when")
        outlook = prospect.of(path, bonus.when, Region())
        if outlook is None:
            continue
        if outlook.never:
            impossible = [why for _, why in prospect.impossible(outlook)]
            why = impossible[0] if impossible else "its parts exclude each other"
            report.error(path, f"can never hold: no lead gets these points: {why}")
        elif outlook.always:
            message = "always holds: every lead gets these points"
            report.warn(path, message, f"write base: {bonus.points}")
    for name in sorted(sound.file.bonuses.keys() & (sound.file.signals.keys() | sound.file.fit)):
        message = "a signal or fit rule has the same name: people cannot tell the reasons apart"
        report.warn(("bonuses", name), message, key=True)
