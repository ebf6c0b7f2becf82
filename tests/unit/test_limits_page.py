"""The limits on the page for operators are those of the code and of the deployment."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from warmlead.application.deliver import ATTEMPT_S
from warmlead.buses import pubsub, sqlite, topology
from warmlead.domain import capacity, dispatch, history, lead, outbox
from warmlead.domain.event import Trust
from warmlead.parsing import strict_json
from warmlead.ports.dispatching import AT_ONCE
from warmlead.senders import crm, webhooks
from warmlead.settings import Settings
from warmlead.stores.firestore.fields import SHARDS

ROOT = Path(__file__).parents[2]
OPERATE = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
VARIABLES = (ROOT / "infra/modules/warmlead/variables.tf").read_text(encoding="utf-8")
SIZING = (ROOT / "infra/modules/warmlead/sizing.tf").read_text(encoding="utf-8")
USUAL = Settings()


def chosen(name: str) -> int:
    """The default of a variable of the deployment."""
    [found] = re.findall(rf'^variable "{name}" {{(.*?)^}}', VARIABLES, re.MULTILINE | re.DOTALL)
    [default] = re.findall(r"default +=\s(\d+)", found)
    return int(default)


def sized(kind: str, trait: str) -> str:
    """A trait of a kind of function."""
    lines = [line for line in SIZING.splitlines() if re.match(rf" +{kind} += {{", line)]
    found = [m[1] for line in lines if (m := re.search(rf'{trait} = "?(\w+)"?', line))]
    return found[0]


[DELIVERS] = re.findall(r"bus +=.*?max_instances = (\d+)", SIZING.partition("reaching")[2])

KNOWN: Mapping[str, Sequence[int | float | str]] = {
    "bytes of a form's post": [USUAL.form_bytes],
    "bytes of a tracking call, of a batch": [USUAL.track_event_bytes, USUAL.track_batch_bytes],
    "items of a webhook, records of a CRM": [webhooks.MAX_ITEMS, crm.MAX_ITEMS],
    "depth of JSON, its objects and lists": [strict_json.MAX_DEPTH, strict_json.MAX_CONTAINERS],
    "seconds for a body to arrive": [USUAL.body_timeout_s],
    "requests of an instance at once": [int(sized("senders", "concurrency"))],
    "identifiers": [lead.MAX_TRAILS],
    "kept events of 31 days that the model knows, that it does not": [
        capacity.MAX_KNOWN_EVENTS,
        capacity.MAX_UNKNOWN_EVENTS,
    ],
    "bytes, public and signed": [
        capacity.MAX_LEAD_BYTES[trust] for trust in (Trust.PUBLIC, Trust.SIGNED)
    ],
    "of a signal that count a day": [history.MAX_PER_DAY],
    "bytes of messages that wait": [outbox.MAX_WAITING_BYTES],
    "days in which a repeat is known": [history.EXACT_DAYS],
    "days of the archive": [USUAL.archive_days],
    "days in quarantine, on one machine and in the cloud": [
        USUAL.quarantine_days,
        topology.QUARANTINE.keeps_s // topology.DAY_S,
    ],
    "days for which topics keep what was delivered": [chosen("topic_days")],
    "days of dead letters": [topology.dead_letters_of(topology.SCORE).keeps_s // topology.DAY_S],
    "days of dispatches that have ended": [dispatch.KEPT.days],
    "days of a daily backup": [chosen("backup_days")],
    "of a message at `score` and `deliver`": [topology.SCORE.attempts],
    "of a message on one machine": [sqlite.MAX_ATTEMPTS],
    "of a message at a tool": [dispatch.MAX_ATTEMPTS],
    "at one tool at once, of an instance": [AT_ONCE],
    "instances of an accepting function, of `score`, of `deliver`": [
        int(sized("senders", "max_instances")),
        int(sized("bus", "max_instances")),
        int(DELIVERS),
    ],
    "memory of an accepting function, of `score`": [
        sized("senders", "memory"),
        sized("bus", "memory"),
    ],
    "bytes of a message to Pub/Sub": [pubsub.MOST_BYTES],
    "shards of the queries by time": [SHARDS],
    "days until a secret is due": [chosen("rotation_days")],
}


def rows() -> dict[str, str]:
    """The second cell of each row of the table of limits, by the first."""
    table = OPERATE.partition("\n## Limits\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| ([^|]+) \| ([^|]*) \|.*\|$", table, re.MULTILINE)
    return {name: value for name, value in cells if value.strip() and not value.startswith("-")}


def test_every_row_is_compared() -> None:
    assert rows().keys() - {"limit"} == KNOWN.keys()


@pytest.mark.parametrize("name", KNOWN)
def test_a_limit_is_that_of_the_code(name: str) -> None:
    told = rows()[name].split(", ")
    expected = [
        f"{v:,g}" if isinstance(v, float) else f"{v:,}" if isinstance(v, int) else v
        for v in KNOWN[name]
    ]
    assert told[: len(expected)] == expected


def test_attempts_at_a_tool_end_over_three_days() -> None:
    assert 3 <= (sum(dispatch.PAUSES_S) + ATTEMPT_S) / 86_400 < 4
