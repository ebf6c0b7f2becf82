"""What the checker asks of alerts and updates: each told once, and not too often, and none lost.

What was promised is written here a second time, from the documentation.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from faults.between import Life, lives
from faults.books import Books, Told
from warmlead.domain.alerts import AlertPolicy
from warmlead.domain.history import to_ms


def heard_once(books: Books) -> list[str]:
    """I8: sales heard of each act at most once, of those of known leads, and with a rest."""
    return [
        found
        for life in lives(books)
        for policy in books.rules.alerts
        for found in _alerts(life, policy)
    ]


def _alerts(life: Life, policy: AlertPolicy) -> Iterator[str]:
    id_, record = life.lead.id, life.lead.alerted.get(policy.name)
    alerts = [told for told in life.of("alerted") if told.data["alert"] == policy.name]
    alerts.sort(key=lambda told: told.at)
    if strange := {told.data["stage"] for told in alerts} - policy.stages:
        yield f"I8: {policy.name} of {id_} was sent in {strange}"
    if life.merged:
        return
    yield from _counted(id_, policy.name, alerts, record.count if record else 0)
    for one, other in pairwise(alerts):
        if other.at - one.at < policy.again_after:
            yield f"I8: {policy.name} of {id_} came again after {other.at - one.at}"
    heard = {told.at for told in (*alerts, *life.of("offered"))}
    if record and record.at not in heard:
        yield f"I8: {id_} says that sales heard of it at {record.at}, and nobody was told"
    yield from _acts(life, policy, alerts)
    yield from _unheard(life, policy, sorted(map(to_ms, heard)))


def _counted(id_: str, what: str, told: Sequence[Told], count: int) -> Iterator[str]:
    if sorted(each.cycle for each in told) != [*range(1, count + 1)]:
        yield f"I8: {what} of {id_} was sent as {[each.cycle for each in told]}, known is {count}"


def _acts(life: Life, policy: AlertPolicy, alerts: Sequence[Told]) -> Iterator[str]:
    """Each act stands in one alert at most."""
    kept = Counter(
        signal
        for trail in life.lead.trails.values()
        for event in trail.history.kept.values()
        for signal in event.signals
    )
    told: Counter[str] = Counter()
    for alert in alerts:
        told.update({act["name"]: act["times"] for act in alert.data["acts"]})
    for name, count in told.items():
        if name not in policy.on or count > kept[name]:
            yield f"I8: sales heard {count} times of {name} by {life.lead.id}, done {kept[name]}"


def _unheard(life: Life, policy: AlertPolicy, heard_ms: Sequence[int]) -> Iterator[str]:
    """Of what came while the lead was in one of the stages sales heard, if not just before."""
    learnt_ms, rest_ms = (
        to_ms(life.lead.progress.learnt_at),
        policy.again_after.total_seconds() * 1_000,
    )
    if life.lead.progress.stage not in policy.stages:
        return
    for trail in life.lead.trails.values():
        for event in trail.history.kept.values():
            is_hot = event.received_ms > learnt_ms and not policy.on.isdisjoint(event.signals)
            if is_hot and not any(at >= event.received_ms - rest_ms for at in heard_ms):
                yield f"I8: sales never heard of {event.name} {event.key} by {life.lead.id}"


def mirrored(books: Books) -> list[str]:
    """I8: tools know of each lead what is so now, or will be told when the time is over."""
    if books.rules.updates is None:
        return []
    return [found for life in lives(books) for found in _updates(life, books)]


def _updates(life: Life, books: Books) -> Iterator[str]:
    lead, updates = life.lead, sorted(life.of("updated"), key=lambda told: told.cycle)
    mirror, policy = lead.mirror, books.rules.updates
    if mirror.due is not None and mirror.due <= books.now:
        yield f"I8: an update of {lead.id} was due at {mirror.due}"
    if life.merged or policy is None:
        return
    yield from _counted(lead.id, "an update", updates, mirror.count)
    for one, other in pairwise(updates):
        if other.at - one.at < policy.at_most_every:
            yield f"I8: {lead.id} was updated again after {other.at - one.at}"
    known = lead.snapshot and (lead.progress.stage, lead.snapshot.score)
    if mirror.due is None and lead.identified:
        last = (updates[-1].data["stage"], updates[-1].data["score"]) if updates else None
        if last != known:
            yield f"I8: tools know {last} of {lead.id}, which is {known}"
