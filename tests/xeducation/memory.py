"""X Education's leads in memory: the files of an import, lived through without a store.

The import lives through every moment of a lead, with its stages, offers and messages. A score of
one moment needs none of these, so this takes a fraction of its time.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from warmlead.domain.event import Event, Property, Trust
from warmlead.domain.identity import LeadIds, identifiers_of
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Trail, touch_trails
from warmlead.domain.rules import Rules
from warmlead.learning.cases import Case
from warmlead.learning.observations import Observation
from warmlead.learning.observing import observation_of
from warmlead.senders.countries import country_code

AFTER = timedelta(days=7)
IDS = LeadIds(b"nobody real is in this table")
TRAITS = {
    "City": "city",
    "Occupation": "occupation",
    "Job Title": "title",
    "Specialization": "specialization",
    "Lead Source": "lead_source",
    "Choice": "course_choice",
    "Heard By": "heard_by",
    "TotalVisits": "total_visits",
    "Total Time Spent on Website": "seconds_on_site",
    "Page Views Per Visit": "pages_per_visit",
}
"""As ``mapping.yaml`` says it."""

TYPED = {
    "Tags": "tag",
    "Lead Quality": "lead_quality",
    "Lead Profile": "lead_profile",
    "Asymmetrique Activity Score": "activity_score",
    "Asymmetrique Profile Score": "profile_score",
}
"""What sales typed."""

Row = Mapping[str, str]


def observations(folder: Path, rules: Rules, *, leaky: bool = False) -> Iterator[Observation]:
    """Every lead of the files in a folder, a week after it became known, in order of that time."""
    events, outcomes = defaultdict[str, list[Row]](list), dict[str, Row]()
    for row in _rows(folder / "events.csv"):
        events[row["Email"]].append(row)
    for row in _rows(folder / "outcomes.csv"):
        outcomes[row["Email"]] = row
    leads = sorted(_rows(folder / "leads.csv"), key=lambda row: row["Created"])
    for row in leads:
        email = row["Email"]
        typed = outcomes[email] if leaky else {}
        yield _observed(row, events[email], outcomes[email]["Won"], typed, rules)


def _rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _observed(row: Row, did: list[Row], won: str, typed: Row, rules: Rules) -> Observation:
    known_at = datetime.fromisoformat(row["Created"])
    trails: dict[str, Trail] = {}
    for event in (_known(row, known_at, typed), *(_did(each) for each in did)):
        ids = {identifier: IDS.of(identifier) for identifier in identifiers_of(event)}
        trails = touch_trails(trails, event, ids, rules)
    at = known_at + AFTER
    (lead,) = resolve_identities([], trails, rules, at)
    reached = datetime.fromisoformat(won) if won else None
    return observation_of(Case(lead, known_at, at, bool(won), reached), rules)


def _known(row: Row, known_at: datetime, typed: Row) -> Event:
    """The form, with everything that the lead's row says."""
    traits: dict[str, Property] = {
        trait: row[column]
        for column, trait in TRAITS.items()
        if row[column] and row[column] != "Select"
    }
    traits |= {t: typed[c] for c, t in TYPED.items() if typed.get(c) and typed[c] != "Select"}
    if code := country_code(row["Country"]):
        traits["country"] = code
    origin = {"utm_source": row["Source"], "utm_medium": row["Medium"]}
    return Event.checked(
        id=row["Lead Number"],
        source="import",
        trust=Trust.SIGNED,
        name="form_submitted",
        occurred_at=known_at,
        received_at=known_at,
        email=row["Email"],
        traits=traits,
        properties={"form": row["Lead Origin"]},
        attribution={name: value for name, value in origin.items() if value},
    )


def _did(row: Row) -> Event:
    at = datetime.fromisoformat(row["At"])
    properties: dict[str, Property] = {"path": row["Path"]} if row["Path"] else {}
    properties |= {"seconds": int(row["Seconds"])} if row["Seconds"] else {}
    return Event.checked(
        id=f"event-{row['Event Number']}",
        source="import",
        trust=Trust.SIGNED,
        name=row["Event"],
        occurred_at=at,
        received_at=at,
        email=row["Email"],
        properties=properties,
    )
