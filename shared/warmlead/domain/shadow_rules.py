"""A second model beside the one in force: what is recorded for it, and a lead as it sees it.

Signals that both models see in the same events are recorded once. A signal of the second that the
one in force does not see in the same events is recorded under a label of its own, which no
model's signal can have.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from msgspec import structs

from warmlead.domain.event import Event
from warmlead.domain.history import History, day_at, packed_anew
from warmlead.domain.knowledge import Knowledge, known_together, learnt, replayed
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.merged_progress import merge_progress
from warmlead.domain.packed_history import NONE_PACKED, OF_SHADOW, KeptEvent
from warmlead.domain.readings import NO_READINGS, Meter, Readings
from warmlead.domain.rules import Rules
from warmlead.domain.shadow import MOST_MOVES, Shadow
from warmlead.domain.snapshot import Snapshot
from warmlead.domain.stages import is_signed_only


def with_shadow(rules: Rules, second: Rules) -> Rules:
    """The rules, which record also what a second model counts; the same if it is the same model.

    Scores, stages and messages under these rules are those of ``rules`` alone.
    """
    if second.version == rules.version:
        return rules
    labels = _labels(rules, second)
    meters = {name: _relabelled(meter, labels) for name, meter in second.meters.items()}
    named = {name: meter.name for name, meter in meters.items()}
    shadow = replace(
        second,
        labels=labels,
        meters={meter.name: meter for meter in meters.values()},
        latest={name: named[meter] for name, meter in second.latest.items()},
        marks={mark: named.get(label, label) for mark, label in second.marks.items()},
        handoff=None,
        sequences=(),
        alerts=(),
        updates=None,
        shadow=None,
    )

    def classify(event: Event) -> tuple[str, ...]:
        more = [labels[name] for name in second.classify(event) if name in labels]
        return (*rules.classify(event), *sorted(more))

    def values_of(event: Event, meter: Meter) -> Iterable[object]:
        return (rules if meter.name in rules.meters else second).values_of(event, meter)

    of_robots = {labels[name] for name in second.robots_signals if name in labels}
    return replace(
        rules,
        classify=classify,
        values_of=values_of,
        meters={**shadow.meters, **_longer(rules.meters, shadow.meters)},
        kept_days=_longest(rules.kept_days, second.kept_days),
        robots_signals=rules.robots_signals | of_robots,
        shadow=shadow,
    )


def _labels(rules: Rules, second: Rules) -> dict[str, str]:
    """The labels of those signals of the second model that the first sees in other events."""
    marks = {name: mark for mark, name in second.marks.items()}
    stages = second.stages
    signals = {*second.scoring.signals, *(s for stage in stages for s in stage.bypass)}
    return {
        name: f"{OF_SHADOW}{marks.get(name, '')}.{name}"
        for name in sorted(signals)
        if name not in marks or rules.marks.get(marks[name]) != name
    }


def _relabelled(meter: Meter, labels: Mapping[str, str]) -> Meter:
    return structs.replace(meter, label=labels.get(meter.label, meter.label))


def _longer(meters: Mapping[str, Meter], others: Mapping[str, Meter]) -> dict[str, Meter]:
    """The meters, each over as many days as it or the same of the others is measured."""
    return {
        name: structs.replace(meter, days=max(meter.days, others.get(name, meter).days))
        for name, meter in meters.items()
    }


def _longest(kept: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    return {name: max(kept.get(name, 0), others.get(name, 0)) for name in {**kept, **others}}


# --- a lead as the second model sees it -----------------------------------------------------


def shadow_of(lead: Lead, second: Rules, now: datetime) -> Shadow:
    """The lead's shadow under the second model; one that begins now, if it has none of it.

    It begins where the lead stands. Of a signal that only the second model knows nothing is known
    from before, unless the lead itself is new.
    """
    if lead.shadow is not None and lead.shadow.version == second.version:
        return lead.shadow
    known = lead.knowledge or (Knowledge() if lead.snapshot else None)
    return Shadow(second.version, now, lead.progress, knowledge=known)


def in_shadow(lead: Lead, shadow: Shadow) -> Lead:
    """The lead as it stands under the second model, for an evaluation under it."""
    snapshot = lead.snapshot
    if shadow.day is not None:
        points = (shadow.score, shadow.engagement, shadow.fit)
        snapshot = Snapshot(*points, shadow.day, shadow.version)
    return replace(
        lead,
        progress=shadow.progress,
        snapshot=snapshot,
        knowledge=shadow.knowledge,
        shadow=None,
    )


def replayed_in_shadow(
    lead: Lead, second: Rules, whole_since_day: int | None, now: datetime
) -> Lead:
    """The lead whose shadow knows what was read again; see ``knowledge.replayed``."""
    lead = of_present_model(lead, second)
    shadow = shadow_of(lead, second, now)
    known = replayed(learnt(shadow.knowledge, second, day_at(now)), whole_since_day)
    return replace(lead, shadow=structs.replace(shadow, knowledge=known))


def merged_shadow(leads: Iterable[Lead], rules: Rules, now: datetime) -> Shadow | None:
    """The shadow of one person of whom several leads were kept, some of them perhaps without any.

    It has seen the person since it saw the last of those that were there before it.
    """
    held = [lead for lead in leads if lead.shadow is not None]
    if not held or rules.shadow is None:
        return held[0].shadow if held else None
    second = rules.shadow
    parts = [(lead, shadow_of(lead, second, now)) for lead in leads]
    late = [part.since for lead, part in parts if part.since > lead.created_at]
    shadows = [part for _, part in parts]
    latest = max(shadows, key=lambda part: (part.day or 0, part.since))
    moves = sorted({move for part in shadows for move in part.moves})
    return structs.replace(
        latest,
        since=max(late) if late else min(part.since for part in shadows),
        progress=merge_progress(second.stage_order, [part.progress for part in shadows]),
        knowledge=known_together(part.knowledge for part in shadows),
        moves=tuple(moves[-MOST_MOVES:]),
    )


# --- after its end --------------------------------------------------------------------------


def without_shadow(lead: Lead, second: Rules | None) -> Lead:
    """The lead without what was recorded for a second model, but for what the present one reads."""
    labels = frozenset(second.labels.values() if second else ())
    meters = frozenset(second.meters if second else ())
    trails = {id_: _left(trail, labels, meters) for id_, trail in lead.trails.items()}
    return replace(lead, trails=trails, shadow=None)


def _left(trail: Trail, labels: Collection[str], meters: Collection[str]) -> Trail:
    unjudged = {
        key: structs.replace(each, readings=_readings_left(each.readings, meters))
        for key, each in trail.unjudged.items()
    }
    return replace(
        trail,
        history=_history_left(trail.history, labels),
        readings=_readings_left(trail.readings, meters),
        unjudged=unjudged,
    )


def _history_left(history: History, labels: Collection[str]) -> History:
    held = _labels_in(history)
    gone = {label for label in held if label.startswith(OF_SHADOW) and label not in labels}
    return _relabelled_history(history, {}, gone) if gone else history


def _labels_in(history: History) -> set[str]:
    held = {label for event in history.kept.values() for label in event.signals}
    return held.union(history.signal_days)


def _relabelled_history(
    history: History, names: Mapping[str, str], gone: Collection[str]
) -> History:
    """The history with other labels for some signals, and without those that are gone."""

    def left(event: KeptEvent) -> KeptEvent:
        signals = {names.get(each, each) for each in event.signals if each not in gone}
        return event._replace(signals=tuple(sorted(signals)))

    days = {n: each for n, each in history.signal_days.items() if n not in gone}
    recent = {key: left(event) for key, event in history.kept.items()}
    return packed_anew(
        structs.replace(
            history,
            recent=recent,
            signal_days={names.get(label, label): each for label, each in days.items()},
            packed=NONE_PACKED,
        )
    )


def _readings_left(readings: Readings, meters: Collection[str]) -> Readings:
    if readings is NO_READINGS:
        return readings
    left = {
        part: {
            name: each
            for name, each in getattr(readings, part).items()
            if f".{OF_SHADOW}" not in name or name in meters
        }
        for part in Readings.__struct_fields__
    }
    kept = Readings(**left)
    return readings if kept == readings else kept


# --- when it takes the place of the first ---------------------------------------------------


def promoted(lead: Lead, rules: Rules) -> Lead:
    """The lead whose shadow's model is in force by now: what it has counted is the lead's own.

    What the model before counted under the same names goes: these were other events. So the lead
    has the score that its shadow had, and knows what it knew.
    """
    shadow = lead.shadow
    if shadow is None or shadow.version != rules.version:
        return lead
    heard = lead.knowledge.heard if lead.knowledge else frozenset()
    changed = {label for mark, label in rules.marks.items() if mark not in heard}
    trails = {id_: _promoted_trail(trail, rules, changed) for id_, trail in lead.trails.items()}
    return replace(lead, trails=trails, knowledge=shadow.knowledge, shadow=None)


def _promoted_trail(trail: Trail, rules: Rules, changed: Collection[str]) -> Trail:
    names = {
        label: label.partition(".")[2]
        for label in _labels_in(trail.history)
        if label.startswith(OF_SHADOW)
    }
    gone = {name for name in rules.scoring.signals if name in changed}
    gone |= {name for name in changed if is_signed_only(name)}
    history = trail.history
    if names or not gone.isdisjoint(_labels_in(history)):
        history = _relabelled_history(history, names, gone)
    unjudged = {
        key: structs.replace(each, readings=_promoted_readings(each.readings, gone, rules))
        for key, each in trail.unjudged.items()
    }
    readings = _promoted_readings(trail.readings, gone, rules)
    return replace(trail, history=history, readings=readings, unjudged=unjudged)


def _promoted_readings(readings: Readings, gone: Collection[str], rules: Rules) -> Readings:
    if readings is NO_READINGS:
        return readings
    others = {name for name, meter in rules.meters.items() if meter.label in gone}
    named = {
        part: {
            _OF_SHADOW_IN_METER.sub(".", name): each
            for name, each in getattr(readings, part).items()
            if name not in others
        }
        for part in Readings.__struct_fields__
    }
    return Readings(**named)


_OF_SHADOW_IN_METER = re.compile(rf"\.{OF_SHADOW}[0-9a-f]*\.")
"""What a meter's name has more if it reads a signal that only a second model has."""


def of_present_model(lead: Lead, second: Rules) -> Lead:
    """The lead without a shadow of another model than the present second one."""
    if lead.shadow is None or lead.shadow.version == second.version:
        return lead
    return without_shadow(lead, second)


def is_shadowed(label: str) -> bool:
    """Whether a label is none of the model's own signals: a second model's, or that of a bypass."""
    return label.startswith(OF_SHADOW) or is_signed_only(label)
