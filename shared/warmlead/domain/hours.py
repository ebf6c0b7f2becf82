"""Hours in which people may be written to, in their time zone."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Hours:
    """When messages may go out: weekdays (Monday is 0), from a time to a time in a time zone."""

    weekdays: frozenset[int]
    opens: time
    closes: time
    zone: str

    def next_open(self, moment: datetime) -> datetime:
        """The moment itself if it is within hours, otherwise when they next begin; in UTC."""
        local = moment.astimezone(ZoneInfo(self.zone))
        for ahead in range(8):
            day = local.date() + timedelta(days=ahead)
            if day.weekday() not in self.weekdays:
                continue
            opens = datetime.combine(day, self.opens, local.tzinfo)
            closes = datetime.combine(day, self.closes, local.tzinfo)
            if local < closes:
                return max(local, opens).astimezone(moment.tzinfo)
        raise ValueError("there is no open day in a week")
