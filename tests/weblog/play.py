"""Plays visits through the product: translated as a relay's page calls, applied on SQLite."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

from builders import StandingClock
from warmlead.application.apply import Scoring, apply
from warmlead.application.explain import view
from warmlead.domain.event import Trust
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.model.loading import ready_text
from warmlead.ports import RawRequest
from warmlead.runtime import backends
from warmlead.senders.segment import SegmentSource
from warmlead.settings import read_settings
from weblog.lines import Visit

CALLS = 100
KEY = "a-key-of-the-log"


class Standing(NamedTuple):
    """All of a lead that must not depend on the order, and who it is."""

    visitor: str
    score: int
    stage: str
    traits: str
    signals: str
    events: str


async def played(
    visits: Sequence[Visit], folder: Path, *, now: datetime, robots: str
) -> dict[str, Standing]:
    """Every visitor's lead after the visits, in their order; ``robots`` is as in a model."""
    model = folder / "model.yaml"
    model.write_text(f"robots: {robots}\n{ready_text('b2b-saas')}", encoding="utf-8")
    given = {"WARMLEAD_DATA": str(folder / "data"), "WARMLEAD_MODEL": str(model)}
    source = SegmentSource({KEY: Trust.PUBLIC})
    async with backends.embedded(read_settings(given)) as system:
        scoring = Scoring(system.model.rules, system.ids)
        for request in _requests(visits, now):
            events = source.translate(request, source.verify(request)).events
            await apply(
                [event for _, event in events],
                store=system.store,
                bus=system.bus,
                scoring=scoring,
                clock=StandingClock(now),
            )
        return {
            lead.id: _standing(lead, system.model.rules, now) async for lead in system.store.leads()
        }


def _requests(visits: Sequence[Visit], now: datetime) -> Iterator[RawRequest]:
    """Batches of a hundred page calls, the last visit of the log being a moment ago."""
    later = now - timedelta(minutes=1) - max(visit.at for visit in visits)
    for at in range(0, len(visits), CALLS):
        calls = [_page(visit, visit.at + later) for visit in visits[at : at + CALLS]]
        body = json.dumps({"batch": calls, "writeKey": KEY}).encode()
        yield RawRequest("POST", "/v1/batch", "", {}, body, now, f"request-{at}")


def _page(visit: Visit, at: datetime) -> dict[str, object]:
    return {
        "type": "page",
        "messageId": f"line-{visit.number}",
        "anonymousId": visit.visitor,
        "timestamp": at.astimezone(UTC).isoformat(),
        "properties": {"path": visit.path.partition("?")[0]},
        "context": {"page": {"referrer": visit.referrer}, "userAgent": visit.agent},
    }


def _standing(lead: Lead, rules: Rules, now: datetime) -> Standing:
    seen = view(lead, rules, now)
    (visitor,) = seen.identifiers["anonymous"]
    counts = lead.tally()
    return Standing(
        visitor,
        seen.score,
        seen.stage,
        _text(seen.traits),
        _text({name: dict(days) for name, days in counts.signals.items()}),
        _text({name: dict(days) for name, days in counts.names.items()}),
    )


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def shuffled(visits: Sequence[Visit], seed: int) -> list[Visit]:
    """The same in another order, three in ten of them twice."""
    chance = Random(seed)
    again = chance.sample(list(visits), len(visits) * 3 // 10)
    mixed = [*visits, *again]
    chance.shuffle(mixed)
    return mixed
