"""Checks what sales promises: the times, the stages, the owners, and the hours at work."""

from collections.abc import Set as AbstractSet
from datetime import timedelta

from warmlead.model.document import Path, did_you_mean
from warmlead.model.holiday_dates import fault_of
from warmlead.model.promises import hours_a_week
from warmlead.model.schema import NO_OFFERS, Handoff, HandoffHours, Route
from warmlead.model.structure import Report, Sound

_A_YEAR = 52
"""The most weeks of office hours that a promise may take."""


def check_handoff(handoff: Handoff, sound: Sound, report: Report) -> None:
    """Finds promises that contradict each other, and owners and hours that mean nothing."""
    path: Path = ("handoff",)
    if sound.is_own((*path, "first_touch_within")):
        _check_times(path, handoff, handoff.model_fields_set, sound, report)
    _check_stages(handoff, sound, report)
    _check_cooldown(handoff, sound, report)
    for route_path, route in handoff.all_routes:
        _check_owners(route_path, route, report)
    if handoff.hours:
        _check_hours((*path, "hours"), handoff.hours, sound, report)
    _check_owners_hours(handoff, report)


def _check_times(
    path: Path, promised: Handoff, stated: AbstractSet[str], sound: Sound, report: Report
) -> None:
    """Judges the times that hold together; a fault stands at a key that is ``stated`` here."""

    def at(key: str) -> Path:
        return (*path, key if key in stated else "first_touch_within")

    if promised.reminded_after >= promised.first_touch_within:
        message = "sales would be reminded when the time to speak to the lead is up already"
        suggestion = "let it be shorter than first_touch_within"
        if "remind_after" not in stated:
            suggestion = "write a remind_after that is shorter"
        report.error(at("remind_after"), message, suggestion)
    if promised.accept_within < promised.first_touch_within:
        message = "is shorter than first_touch_within: sales would decide before it has spoken"
        if "accept_within" not in stated:
            message = "is longer than accept_within: sales would decide before it has spoken"
        report.error(at("accept_within"), message)
    is_own = not any(bad[:2] == ("handoff", "hours") for bad in sound.replaced)
    a_week = hours_a_week(promised.hours) if promised.hours and is_own else timedelta(0)
    for key in sorted({"first_touch_within", "accept_within"} & stated if a_week else ()):
        if getattr(promised, key) > _A_YEAR * a_week:
            message = f"takes more than a year of office hours: a week has {_hours(a_week)}"
            report.error((*path, key), message, "write working time: 8h is a day of work")
        elif getattr(promised, key) % timedelta(days=1) == timedelta(0):
            message = (
                f"is working time, and so is longer than it looks: a week has {_hours(a_week)}"
            )
            report.warn((*path, key), message, "write the hours of work that are meant")


def _hours(length: timedelta) -> str:
    return f"{length / timedelta(hours=1):.3g} hours"


def _check_stages(handoff: Handoff, sound: Sound, report: Report) -> None:
    stages = sound.file.stages
    for name, own in handoff.stages.items():
        path: Path = ("handoff", "stages", name)
        if name not in stages and sound.is_whole("stages"):
            message = f'the model has no stage "{name}"'
            report.error(path, message, did_you_mean(name, stages), key=True)
        if own is NO_OFFERS:
            continue
        if own == NO_OFFERS and not any(bad[: len(path)] == path for bad in sound.replaced):
            message = "changes nothing of what holds for all stages"
            report.warn(path, message, "leave it out, or write none: no offers", key=True)
        at_stage = handoff.at(name)
        if at_stage and sound.is_own(("handoff", "first_touch_within")):
            _check_times(path, at_stage, own.model_fields_set, sound, report)
    if stages and all(handoff.stages.get(name) is NO_OFFERS for name in stages):
        report.warn(("handoff",), "no stage is offered", "leave the section out", key=True)


def _check_cooldown(handoff: Handoff, sound: Sound, report: Report) -> None:
    """Doubts that sales gets back at once what it has just rejected."""
    stages = sound.file.stages
    offered = [name for name in stages if handoff.stages.get(name) is not NO_OFFERS]
    stated = any("cooldown" in stage.model_fields_set for stage in stages.values())
    if offered and not stated and sound.is_whole("stages", "handoff"):
        message = "has no cooldown: a lead that sales rejects is offered again at once"
        suggestion = "add cooldown: 30d, or cooldown: 0d if that is meant"
        report.warn(("stages", offered[0]), message, suggestion, key=True)


def _check_owners(path: Path, route: Route, report: Report) -> None:
    if route.owner is None and route.owners is None:
        report.error(path, "has no owner", "add owner: or owners:")
    elif route.owner is not None and route.owners is not None:
        message = "owner and owners exclude each other"
        report.error((*path, "owners"), message, "keep one of them", key=True)
    seen: set[str] = set()
    for i, owner in enumerate(route.owners or []):
        if owner in seen:
            message = f'"{owner}" is named twice, and gets twice as many leads'
            report.warn((*path, "owners", i), message)
        seen.add(owner)


def _check_hours(path: Path, hours: HandoffHours, sound: Sound, report: Report) -> None:
    if sound.is_own((*path, "from")) and sound.is_own((*path, "to")):
        if hours.opens == hours.closes:
            report.error((*path, "to"), "no time is left in which sales could be at work")
        elif hours.opens > hours.closes:
            message = "the hours end before they begin; they are those of one day"
            report.error((*path, "to"), message, "swap from and to")
    _check_holidays((*path, "holidays"), hours.holidays, report)


def _check_holidays(path: Path, names: list[str], report: Report) -> None:
    for i, name in enumerate(names):
        message, suggestion = fault_of(name)
        if message:
            report.error((*path, i), message, suggestion)


def _check_owners_hours(handoff: Handoff, report: Report) -> None:
    """What routes say of their owners' hours: nothing without hours, and of each owner the same."""
    own: dict[str, tuple[object, object]] = {}
    for path, route in handoff.all_routes:
        stated = [key for key in ("time_zone", "holidays") if getattr(route, key) is not None]
        if stated and handoff.hours is None:
            message = "takes no effect: without office hours promises run day and night"
            report.error((*path, stated[0]), message, "add hours: to handoff", key=True)
        _check_holidays((*path, "holidays"), route.holidays or [], report)
        hours = (route.time_zone, route.holidays)
        for owner in route.all_owners:
            if own.setdefault(owner, hours) != hours:
                message = f'"{owner}" has other hours than in the route where it is named first'
                report.error(path, message, "write the same time_zone and holidays in both")
