"""The time zone of a person: from what they say, or from a country that has one clock."""

from datetime import UTC, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from warmlead.domain.country_codes import CODES
from warmlead.domain.time_zones import MAX_NAME, zone_of, zones_of_countries

HALF_DAYS = [datetime(2024, 1, 1, tzinfo=UTC) + n * timedelta(hours=12) for n in range(2 * 1_096)]


@pytest.mark.parametrize(
    ("facts", "zone"),
    [
        ({"time_zone": "America/New_York"}, "America/New_York"),
        ({"time_zone": " Europe/Paris "}, "Europe/Paris"),
        ({"time_zone": "America/Argentina/Salta"}, "America/Argentina/Salta"),
        ({"time_zone": "Etc/GMT+2"}, "Etc/GMT+2"),
        ({"time_zone": "UTC"}, "UTC"),
        ({"time_zone": "Europe/Paris", "country": "JP"}, "Europe/Paris"),
        ({"time_zone": "CET-ish", "country": "JP"}, "Asia/Tokyo"),
        ({"time_zone": "../../etc/passwd", "country": "JP"}, "Asia/Tokyo"),
        ({"time_zone": "right/Europe/Paris", "country": "JP"}, "Asia/Tokyo"),
        ({"time_zone": "posix/Europe/Paris", "country": "JP"}, "Asia/Tokyo"),
        ({"time_zone": "Europe", "country": "JP"}, "Asia/Tokyo"),
        ({"time_zone": "Europe/" + "x" * MAX_NAME, "country": "DE"}, "Europe/Berlin"),
        ({"country": "US"}, None),
        ({"country": "Atlantis"}, None),
        ({}, None),
    ],
)
def test_a_stated_zone_counts_before_that_of_the_country(
    facts: dict[str, object], zone: str | None
) -> None:
    assert zone_of(facts) == zone


@pytest.mark.slow
def test_a_country_has_a_zone_if_all_of_its_clocks_show_the_same() -> None:
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    zones: dict[str, list[str]] = {}
    for line in table.splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            zones.setdefault(country, []).append(zone)

    def clock(zone: str) -> tuple[object, ...]:
        known = ZoneInfo(zone)
        return tuple(at.astimezone(known).utcoffset() for at in HALF_DAYS)

    alike = {
        country: names[0]
        for country, names in zones.items()
        if len(names) == 1 or len({clock(name) for name in names}) == 1
    }
    assert zones_of_countries() == alike
    assert alike.keys() <= CODES
