"""Checks numbers against each other: decay, limits of groups, and the steps of sequences."""

from itertools import pairwise

from warmlead.model.limits import most_of_group
from warmlead.model.report import Report
from warmlead.model.schema import Group, ModelFile, Sequence, Signal
from warmlead.model.structure import Sound


def check_quantities(sound: Sound, report: Report) -> None:
    """Finds limits that contradict each other, and steps that cannot be taken in turn."""
    file = sound.file
    for name, signal in file.signals.items():
        _check_decay(name, signal, report)
        if group := file.groups.get(signal.group or ""):
            _check_daily_worth(name, signal, group, report)
    for name, group in file.groups.items():
        if group.min is None and group.max is None:
            report.warn(("groups", name), "limits nothing", "give it a max or a min", key=True)
    if _has_known_members(sound):
        for name, group in file.groups.items():
            _check_members(file, name, group, report)
    for name, sequence in file.sequences.items():
        _check_steps(name, sequence, report)


def _check_decay(name: str, signal: Signal, report: Report) -> None:
    stated = [key for key in ("half_life", "expires_after", "decay") if getattr(signal, key)]
    for extra in stated[1:]:
        report.error(
            ("signals", name, extra),
            f"{stated[0]} and {extra} exclude each other",
            "keep one of them",
            key=True,
        )


def _check_daily_worth(name: str, signal: Signal, group: Group, report: Report) -> None:
    """Two limits that overlap: the daily one could never take effect beside the group's."""
    daily = signal.points * signal.per_day
    limit = group.max if signal.points > 0 else group.min
    if limit is None or abs(daily) <= abs(limit):
        return
    bound = "max" if signal.points > 0 else "min"
    within = abs(limit) // abs(signal.points)
    report.error(
        ("signals", name),
        f"overlapping limits: {signal.points} points × {signal.per_day} a day is {daily}, "
        f"beyond the {bound} {limit} of its group {signal.group}",
        f"write per_day: {within}" if within else f"raise the {bound} of the group",
        key=True,
    )


def _has_known_members(sound: Sound) -> bool:
    """Whether it is certain who is in which group: no signal is faulty or names none."""
    groups = {None, *sound.file.groups}
    whole = sound.is_whole("signals", "groups")
    return whole and all(s.group in groups for s in sound.file.signals.values())


def _check_members(file: ModelFile, name: str, group: Group, report: Report) -> None:
    path = ("groups", name)
    if all(signal.group != name for signal in file.signals.values()):
        report.error(path, f'no signal is in the group "{name}"', key=True)
    elif group.max is not None and (most := most_of_group(file, name)) < group.max:
        message = f"its signals add up to {most:.0f} at most: this limit takes no effect"
        report.warn((*path, "max"), message)


def _check_steps(name: str, sequence: Sequence, report: Report) -> None:
    path = ("sequences", name, "steps")
    if not sequence.steps:
        report.error(path, "a sequence needs at least one step")
    for i, (step, following) in enumerate(pairwise(sequence.steps), start=1):
        if following.after < step.after:
            report.error((*path, i, "after"), "steps are out of order: this one is due earlier")
        elif following.after == step.after:
            report.error((*path, i, "after"), "ambiguous: due at the same time as the one before")
    seen: set[str] = set()
    for i, step in enumerate(sequence.steps):
        if step.message in seen:
            report.warn((*path, i, "message"), f'"{step.message}" is sent twice')
        seen.add(step.message)
