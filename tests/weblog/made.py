"""A made log: real names of agents, invented visits. Robots are a fifth of it, and come often."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from senders.agents import DECLARED, PEOPLE

DAYS = 4
ROBOTS_IN_TEN = 2
PAGES = (
    *("/", "/blog/one", "/blog/two", "/docs/start", "/docs/use", "/pricing", "/plans"),
    *("/customers/acme", "/compare/rival", "/careers"),
)
FILES = tuple(f"/static/{name}" for name in ("style.css", "logo.png", "site.js", "font.woff2"))
_END = datetime(2026, 3, 10, 12, tzinfo=UTC)


def made_log(lines: int, seed: int = 1) -> Iterator[str]:
    """Lines in the combined format, in the order of their times."""
    chance = Random(seed)
    agents = [agent for agent, _ in DECLARED]
    robots = [(_address(chance), chance.choice(agents)) for _ in range(lines // 28)]
    people = [(_address(chance), chance.choice(PEOPLE)) for _ in range(lines // 7)]
    for nth in range(lines):
        share = (nth + chance.random()) / lines
        at = _END - timedelta(days=DAYS * (1 - share))
        if chance.randrange(10) < ROBOTS_IN_TEN:
            crowd = robots[: 1 + int(len(robots) * chance.random() ** 2)]  # some come often
            path = chance.choice(PAGES)
        else:
            come = int(len(people) * share)  # a person comes on one day, perhaps two
            crowd = people[max(0, come - len(people) // 5) : come + 1]
            path = chance.choice(FILES if chance.randrange(3) else PAGES)
        address, agent = chance.choice(crowd)
        referrer = chance.choice(("-", "-", "https://www.google.com/"))
        yield (
            f"{address} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "
            f'"GET {path} HTTP/1.1" 200 4877 "{referrer}" "{agent}"'
        )


def _address(chance: Random) -> str:
    return f"host-{chance.randrange(10**9)}.example"
