"""The dates of public holidays: looked up when a model is compiled, and kept in its plan.

The package ``holidays`` knows them. It is imported only for a model that names some. Deployed
functions read a compiled model, and only the process in which the dashboard tries a file looks
holidays up.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from types import ModuleType

from warmlead.domain.errors import ConfigurationError
from warmlead.model.document import closest, did_you_mean

FIRST_YEAR = 2025
YEARS_AHEAD = 3
"""How many years ahead a compiled model knows the holidays; it begins with the first year."""

_OF_A_PLACE = re.compile(r"([A-Z]{2})(?:-(.+))?")
_OF_A_YEAR = re.compile(r"\d{4}-\d{2}-\d{2}")
_OF_EVERY_YEAR = re.compile(r"(\d{2})-(\d{2})")
_LEAP_YEAR = 2028


def years_known(today: date) -> range:
    """The years whose holidays a model knows that is compiled today."""
    return range(FIRST_YEAR, max(today.year, FIRST_YEAR) + YEARS_AHEAD + 1)


def holidays_until(names: Iterable[str], today: date) -> date | None:
    """The last day whose public holidays are known; ``None`` if all dates are of every year."""
    places = any(_OF_A_PLACE.fullmatch(name) for name in names)
    return date(years_known(today)[-1], 12, 31) if places else None


def dates_of(names: Iterable[str], today: date) -> frozenset[date]:
    """The dates of holidays: of a country or a part of it, of every year, or of one day.

    Raises ``ConfigurationError`` if the package that knows them is not installed.
    """
    return frozenset(found for name in names for found in _dates(name, years_known(today)))


def _dates(name: str, years: range) -> Iterator[date]:
    if place := _OF_A_PLACE.fullmatch(name):
        known = _package().country_holidays(place[1], subdiv=place[2], years=years)
        yield from known
    elif day := _OF_EVERY_YEAR.fullmatch(name):
        month_and_day = int(day[1]), int(day[2])
        leaps = month_and_day == (2, 29)
        yield from (date(y, *month_and_day) for y in years if not leaps or y == _LEAP_YEAR)
    else:
        yield date.fromisoformat(name)


_DAY_AND_MONTH = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.?\s?(\d{4})?", re.ASCII)
"""24.12. and 24.12.2026, as it is written in much of Europe."""

_MONTH_AND_DAY = re.compile(r"(\d{1,2})[/-](\d{1,2})(?:/(\d{4}))?", re.ASCII)
"""12/24 and 12/24/2026, as it is written in America."""


def fault_of(name: str) -> tuple[str, str]:
    """What is wrong with the name of a holiday, and what to write instead; empty if nothing is.

    Raises ``ConfigurationError`` if the package that knows them is not installed.
    """
    place = _OF_A_PLACE.fullmatch(name)
    if place is None:
        return ("", "") if _is_date(name) else _no_holiday(name)
    known = _package().list_supported_countries(include_aliases=True)
    country, part = place[1], place[2]
    if country not in known:
        return f'there are no holidays of "{country}"', did_you_mean(country, known)
    if part is None or part in known[country]:
        return "", ""
    parts = known[country]
    meant = closest(part, parts)
    guess = f'did you mean "{country}-{meant}"?' if meant else f"its parts are {', '.join(parts)}"
    return f'"{country}" has no part "{part}"', guess if parts else f"write {country}"


def _no_holiday(name: str) -> tuple[str, str]:
    if day := _DAY_AND_MONTH.fullmatch(name):
        year = f"{day[3]}-" if day[3] else ""
        better = f"{year}{day[2]:0>2}-{day[1]:0>2}"
        return f'"{name}" is written with the day first', f"write {better}"
    if (day := _MONTH_AND_DAY.fullmatch(name)) and _is_date(f"{day[1]:0>2}-{day[2]:0>2}"):
        year = f"{day[3]}-" if day[3] else ""
        better = f"{year}{day[1]:0>2}-{day[2]:0>2}"
        return f'"{name}" is not written as dates are here', f"write {better}"
    if _OF_A_YEAR.fullmatch(name[:10]) and name[10:]:
        return f'"{name}" is more than a date', f"write {name[:10]}"
    better = name.strip().replace("_", "-").replace("/", "-").upper()
    if not _OF_A_PLACE.fullmatch(better):
        words = (word[:1].upper() + word[1:] for word in name.split())
        better = getattr(getattr(_package(), "".join(words), None), "country", "")
    guess = f"write {better}" if better and better != name else ""
    message = (
        f'"{name}" is no holiday: write a country or a part of it (US, DE-BY), or a date '
        "(12-24, 2026-12-24)"
    )
    return message, guess


def _is_date(name: str) -> bool:
    written = name if _OF_A_YEAR.fullmatch(name) else f"{_LEAP_YEAR}-{name}"
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return _OF_A_YEAR.fullmatch(written) is not None


def _package() -> ModuleType:
    try:
        import holidays  # noqa: PLC0415  # takes a tenth of a second, and few models need it
    except ImportError as error:
        raise ConfigurationError.one(
            "The model names holidays, and nothing here knows their dates:",
            "pip install 'warmlead[cli]', or compile the model first with make stage",
        ) from error
    return holidays
