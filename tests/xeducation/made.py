"""A made table of leads: the columns of X Education's, invented rows with planted effects."""

import csv
from collections.abc import Mapping
from pathlib import Path
from random import Random

from xeducation.files import COLUMNS

FIRST_NUMBER = 579_533


def write_made(path: Path, leads: int, seed: int = 1) -> Path:
    """Writes so many leads: who works and stays long often converts, who chats hardly ever."""
    chance = Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for nth in range(leads):
            writer.writerow(_row(FIRST_NUMBER + 9 * nth, chance))
    return path


def _row(number: int, chance: Random) -> Mapping[str, str]:
    works, chats = chance.random() < 0.2, chance.random() < 0.3
    seconds = 0 if chats else int(1_500 * chance.random() ** 2)
    won = chance.random() < 0.15 + 0.5 * works + 0.2 * (seconds > 300) - 0.1 * chats
    visits = chance.randrange(1, 6) if seconds else 0
    source = "Olark Chat" if chats else chance.choice(("Google", "Direct Traffic", "Reference"))
    return dict.fromkeys(COLUMNS, "") | {
        "Lead Number": str(number),
        "Lead Origin": "API" if chats else "Landing Page Submission",
        "Lead Source": source,
        "Converted": str(int(won)),
        "TotalVisits": str(visits),
        "Total Time Spent on Website": str(seconds),
        "Page Views Per Visit": "2.5" if visits else "0",
        "Last Activity": chance.choice(("Email Opened", "SMS Sent", "Email Bounced", "")),
        "Country": chance.choice(("India", "India", "United States", "")),
        "What is your current occupation": "Working Professional" if works else "Unemployed",
        "Do Not Email": chance.choice(("No", "No", "Yes")),
        "Tags": "Closed by Horizzon" if won else "Ringing",
        "Lead Quality": "Might be" if won else "Worst",
        "A free copy of Mastering The Interview": chance.choice(("Yes", "No")),
    }
