"""A web server's log in the combined format, as visits: who asked for what, and when."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

_LINE = re.compile(
    r'(?P<address>\S+) \S+ [^\[]*\[(?P<at>[^\]]{26})\] "(?P<method>[A-Z]+) (?P<path>\S+)[^"]*"'
    r' \d{3} \S+ "(?P<referrer>[^"]*)" "(?P<agent>[^"]*)"'
)
_CALLS_ITSELF_ONE = re.compile(
    r"bot|crawl|spider|slurp|feed|fetch|rss|monitor|check|archiv|http://|https://", re.IGNORECASE
)
_PHONE_OR_MAIL = re.compile(r"Build/|Android [\d.]+; CUBOT|ImageProxy|MailProxy")


class Visit(NamedTuple):
    """One line of the log. ``visitor`` stands for an address and an agent, and tells neither."""

    number: int
    visitor: str
    at: datetime
    method: str
    path: str
    referrer: str
    agent: str

    @property
    def is_robot_like(self) -> bool:
        """Whether the agent has a word in it that robots have; not what the product goes by."""
        if _PHONE_OR_MAIL.search(self.agent) and "compatible;" not in self.agent:
            return False
        return bool(_CALLS_ITSELF_ONE.search(self.agent))


def visits_in(lines: Iterable[str]) -> Iterator[Visit]:
    """The visits in a log; lines of another form are left out."""
    for number, line in enumerate(lines):
        if found := _LINE.match(line[:8_192]):
            known = f"{found['address']}\n{found['agent']}"
            yield Visit(
                number,
                hashlib.blake2b(known.encode(), digest_size=12).hexdigest(),
                datetime.strptime(found["at"], "%d/%b/%Y:%H:%M:%S %z"),
                found["method"],
                found["path"],
                "" if found["referrer"] == "-" else found["referrer"],
                found["agent"],
            )
