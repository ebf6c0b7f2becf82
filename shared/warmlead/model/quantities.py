"""Checks values against each other: decay, limits of groups, promises of sales, steps and hours."""

from itertools import pairwise

from warmlead.model.limits import most_of_group
from warmlead.model.positions import Path
from warmlead.model.report import Report
from warmlead.model.schema import Group, Handoff, Hours, ModelFile, Route, Sequence, Signal
from warmlead.model.structure import Sound


def check_quantities(sound: Sound, report: Report) -> None:
    """Finds values that contradict each other, and steps that cannot be taken in turn."""
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
    _check_what_follows(sound, report)


def _check_what_follows(sound: Sound, report: Report) -> None:
    file = sound.file
    if file.handoff:
        _check_promises(file.handoff, sound, report)
        for i, route in enumerate(file.handoff.routes):
            _check_owners(("handoff", "routes", i), route, report)
    for name, sequence in file.sequences.items():
        _check_steps(name, sequence, report)
        path = ("sequences", name, "hours")
        if sequence.hours and sound.is_own((*path, "from")):
            _check_hours(path, sequence.hours, report)


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


def _check_promises(handoff: Handoff, sound: Sound, report: Report) -> None:
    if not sound.is_own(("handoff", "first_touch_within")):
        return
    if handoff.reminded_after >= handoff.first_touch_within:
        message = "sales would be reminded when the time to speak to the lead is up already"
        suggestion = "let it be shorter than first_touch_within"
        report.error(("handoff", "remind_after"), message, suggestion)
    if handoff.accept_within < handoff.first_touch_within:
        message = "is shorter than first_touch_within: sales would decide before it has spoken"
        report.error(("handoff", "accept_within"), message)


def _check_owners(path: Path, route: Route, report: Report) -> None:
    if route.owner is None and route.owners is None:
        report.error(path, "names nobody", "add owner: or owners:")
    elif route.owner is not None and route.owners is not None:
        message = "owner and owners exclude each other"
        report.error((*path, "owners"), message, "keep one of them", key=True)
    seen: set[str] = set()
    for i, owner in enumerate(route.owners or []):
        if owner in seen:
            message = f'"{owner}" is named twice, and gets twice as many leads'
            report.warn((*path, "owners", i), message)
        seen.add(owner)


def _check_hours(path: Path, hours: Hours, report: Report) -> None:
    if hours.opens == hours.closes:
        report.error((*path, "to"), "no time is left in which a message could go out")
    elif hours.opens > hours.closes:
        message = "the hours end before they begin; they are those of one day"
        report.error((*path, "to"), message, "swap from and to")


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
            message = f'"{step.message}" is sent twice'
            report.error((*path, i, "message"), message, "give each message a name of its own")
        seen.add(step.message)
