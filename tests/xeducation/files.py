"""Import files of X Education's leads: a table of leads has no dates, and an import needs them.

Leads are spread over a span by their numbers, which grow with time. What a lead did lies in its
first week, what sales typed behind it, and the outcome two to eight weeks later. Each time is
decided by the lead's number, so that the same table makes the same files.
"""

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeAlias

LeadRow: TypeAlias = Mapping[str, str]

DAY = timedelta(days=1)
CALLED_AFTER = 10 * DAY
WON_AFTER_DAYS = (14, 56)
"""A deal is won so many days after the lead became known, at least and at most."""

RIPE_AFTER = 70 * DAY
"""So long before the import the last lead became known: by then every deal is won."""

MOST_VISITS = 8

COLUMNS = (
    *("Lead Number", "Lead Origin", "Lead Source", "Converted", "TotalVisits"),
    *("Total Time Spent on Website", "Page Views Per Visit", "Last Activity", "Country", "City"),
    *("Specialization", "What is your current occupation", "Do Not Email", "Tags"),
    *("What matters most to you in choosing a course", "Lead Quality", "Lead Profile"),
    *("How did you hear about X Education", "A free copy of Mastering The Interview"),
    *("Asymmetrique Activity Score", "Asymmetrique Profile Score"),
)
"""The columns of the table that are read."""

_SALES_TYPES = (
    *("Tags", "Lead Quality", "Lead Profile"),
    *("Asymmetrique Activity Score", "Asymmetrique Profile Score"),
)

_ACTIVITIES = {
    "Email Opened": "email_opened",
    "SMS Sent": "text_message_sent",
    "Olark Chat Conversation": "chat_started",
    "Page Visited on Website": "page_viewed",
    "Email Bounced": "email_bounced",
    "Email Link Clicked": "email_clicked",
    "View in browser link Clicked": "email_clicked",
    "Unreachable": "call_missed",
    "Unsubscribed": "email_unsubscribed",
    "Had a Phone Conversation": "call_answered",
    "Email Marked Spam": "email_marked_spam",
}
"""The last activity by the names of events; becoming a lead, and forms, are told anyway."""

_MEDIA = {
    "direct traffic": ("(direct)", ""),
    "olark chat": ("olark", "chat"),
    "organic search": ("search", "organic"),
    "reference": ("reference", "referral"),
    "welingak website": ("welingak", "referral"),
    "referral sites": ("sites", "referral"),
}
"""The source and the medium of lead sources that are none by themselves."""


class Event(NamedTuple):
    """Something that a lead did; unpacked into a row."""

    name: str
    at: datetime
    path: str = ""
    seconds: str = ""


def rows_of(table: Path) -> list[LeadRow]:
    """The leads of the table; raises ``ValueError`` if a column is missing."""
    with table.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{table} lacks the columns {', '.join(missing)}")
        return list(reader)


def write_files(
    rows: Sequence[LeadRow], folder: Path, *, now: datetime, days: int, leaky: bool = False
) -> list[Path]:
    """The files of leads, events and outcomes; ``leaky``: sales typed before the first week ended.

    ``days`` is the span over which the leads are spread.
    """
    numbers = [int(row["Lead Number"]) for row in rows]
    first, last = min(numbers), max(numbers)
    start = now - RIPE_AFTER - days * DAY
    known = {n: start + days * DAY * ((n - first) / max(1, last - first)) for n in numbers}
    called_after = DAY if leaky else CALLED_AFTER
    return [
        _write(folder / "leads.csv", (_lead(row, known[int(row["Lead Number"])]) for row in rows)),
        _write(folder / "events.csv", _events(rows, known)),
        _write(
            folder / "outcomes.csv",
            (_outcome(row, known[int(row["Lead Number"])], called_after) for row in rows),
        ),
    ]


def email_of(number: str) -> str:
    """The address that stands for a lead: the table has none."""
    return f"lead-{number}@people.example"


def _write(path: Path, rows: Iterator[Mapping[str, str]]) -> Path:
    first = next(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(rows)
    return path


def _lead(row: LeadRow, known: datetime) -> dict[str, str]:
    source = row["Lead Source"].strip().lower()
    named, medium = _MEDIA.get(source, (source, ""))
    return {
        "Lead Number": row["Lead Number"],
        "Email": email_of(row["Lead Number"]),
        "Created": known.isoformat(),
        "Lead Origin": row["Lead Origin"],
        "Source": named,
        "Medium": medium,
        "Lead Source": row["Lead Source"],
        "Country": row["Country"],
        "City": row["City"],
        "Occupation": row["What is your current occupation"],
        "Job Title": row["What is your current occupation"],
        "Specialization": row["Specialization"],
        "Choice": row["What matters most to you in choosing a course"],
        "Heard By": row["How did you hear about X Education"],
        "TotalVisits": row["TotalVisits"],
        "Total Time Spent on Website": row["Total Time Spent on Website"],
        "Page Views Per Visit": row["Page Views Per Visit"],
    }


def _events(rows: Sequence[LeadRow], known: Mapping[int, datetime]) -> Iterator[dict[str, str]]:
    number = 0
    for row in rows:
        for event in _done_by(row, known[int(row["Lead Number"])]):
            number += 1
            yield {
                "Event Number": str(number),
                "Email": email_of(row["Lead Number"]),
                "Event": event.name,
                "At": event.at.isoformat(),
                "Path": event.path,
                "Seconds": event.seconds,
                "Kind": "",
            }


def _done_by(row: LeadRow, known: datetime) -> Iterator[Event]:
    """What a lead did in its first week: visits on its days, and one of each other thing."""
    visits = min(MOST_VISITS, int(float(row["TotalVisits"] or 0)))
    seconds = int(float(row["Total Time Spent on Website"] or 0))
    for visit in range(visits):
        at = known + timedelta(minutes=10) + visit * 6.5 * DAY / visits
        yield Event("page_viewed", at, path="/courses")
        if seconds:
            stayed = timedelta(seconds=seconds / visits)
            yield Event("page_left", at + stayed, path="/courses", seconds=str(seconds // visits))
    if row["A free copy of Mastering The Interview"] == "Yes":
        yield Event("content_downloaded", known + timedelta(minutes=30))
    if row["Do Not Email"] == "Yes":
        yield Event("email_unsubscribed", known + timedelta(hours=2))
    if row["Lead Source"] == "Olark Chat":
        yield Event("chat_started", known + timedelta(minutes=5))
    if name := _ACTIVITIES.get(row["Last Activity"]):
        yield Event(name, known + (1 + 5 * _share(row, "activity")) * DAY)


def _outcome(row: LeadRow, known: datetime, called_after: timedelta) -> dict[str, str]:
    least, most = WON_AFTER_DAYS
    won = known + (least + (most - least) * _share(row, "won")) * DAY
    return {
        "Lead Number": row["Lead Number"],
        "Email": email_of(row["Lead Number"]),
        "Called": (known + called_after).isoformat(),
        "Won": won.isoformat() if row["Converted"] == "1" else "",
        **{name: row[name] for name in _SALES_TYPES},
    }


def _share(row: LeadRow, of: str) -> float:
    """A number from 0 to 1 that a lead always has for something."""
    digest = hashlib.sha256(f"{of} {row['Lead Number']}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32
