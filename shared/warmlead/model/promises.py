"""The ``handoff`` section of a model file: its promises of each stage, with all dates looked up."""

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

from warmlead.domain.handoff import HandoffDefinition, PromisesDefinition, RouteDefinition
from warmlead.domain.office_hours import OfficeHours
from warmlead.model.calendar import weekdays_of
from warmlead.model.holiday_dates import dates_of, holidays_until
from warmlead.model.schema import Handoff, HandoffHours, Route


def promises_of(handoff: Handoff, today: date) -> HandoffDefinition[str]:
    """The promises that the section states, with the holidays that are known today.

    Raises ``ConfigurationError`` if holidays are named that cannot be looked up here.
    """
    of_stages: dict[str, PromisesDefinition[str] | None] = {}
    for stage in handoff.stages:
        at_stage = handoff.at(stage)
        of_stages[stage] = _promises(at_stage, today) if at_stage else None
    for_all = _promises(handoff, today)
    return HandoffDefinition(
        for_all.first_touch_within,
        for_all.accept_within,
        for_all.remind_after,
        for_all.routes,
        for_all.hours,
        of_stages,
    )


def known_until(handoff: Handoff, today: date) -> date | None:
    """The last day whose holidays the section knows, if it names any of a country."""
    names = [*(handoff.hours.holidays if handoff.hours else ())]
    for _, route in handoff.all_routes:
        names += route.holidays or ()
    return holidays_until(names, today)


def _promises(handoff: Handoff, today: date) -> PromisesDefinition[str]:
    routes = tuple(
        RouteDefinition(
            tuple(route.all_owners), route.when, _hours_of_route(handoff.hours, route, today)
        )
        for route in handoff.routes
    )
    hours = office_hours(handoff.hours, today) if handoff.hours else None
    return PromisesDefinition(
        handoff.first_touch_within, handoff.accept_within, handoff.reminded_after, routes, hours
    )


def office_hours(written: HandoffHours, today: date) -> OfficeHours:
    """The hours that the section states for everybody."""
    holidays = dates_of(written.holidays, today)
    days = weekdays_of(written.days)
    return OfficeHours(days, written.opens, written.closes, written.time_zone, holidays)


def hours_a_week(written: HandoffHours) -> timedelta:
    """The office hours of a week, by the clock on the wall; none if they end before they begin."""
    opens, closes = (_since_midnight(each) for each in (written.opens, written.closes))
    return max(closes - opens, timedelta(0)) * len(weekdays_of(written.days))


def _since_midnight(at: time) -> timedelta:
    if at == time.max:
        return timedelta(days=1)
    return timedelta(hours=at.hour, minutes=at.minute)


def _hours_of_route(common: HandoffHours | None, route: Route, today: date) -> OfficeHours | None:
    own = {"time_zone": route.time_zone, "holidays": route.holidays}
    stated = {name: value for name, value in own.items() if value is not None}
    if common is None or not stated:
        return None
    return office_hours(common.model_copy(update=stated), today)


def content_of(handoff: Handoff, canonical: Callable[[str | None], str]) -> dict[str, Any]:
    """What the section says, for the version of a model: however it is written, the same.

    ``canonical`` is a condition without its spacing and comments.
    """
    content = handoff.model_dump(mode="json", exclude_defaults=True)
    content["remind_after"] = handoff.reminded_after.total_seconds()
    content["routes"] = [_route_content(route, canonical) for route in handoff.routes]
    if handoff.hours:
        days = sorted(weekdays_of(handoff.hours.days))
        content["hours"] |= {"days": days, "holidays": sorted(set(handoff.hours.holidays))}
    if handoff.stages:
        at = {stage: handoff.at(stage) for stage in handoff.stages}
        own = {stage: each and content_of(each, canonical) for stage, each in at.items()}
        common = {name: value for name, value in content.items() if name != "stages"}
        content["stages"] = {stage: each for stage, each in own.items() if each != common}
        if not content["stages"]:
            del content["stages"]
    return content


def _route_content(route: Route, canonical: Callable[[str | None], str]) -> list[Any]:
    own = [route.time_zone, sorted(set(route.holidays)) if route.holidays else None]
    return [canonical(route.when), route.all_owners, *(own if any(own) else ())]
