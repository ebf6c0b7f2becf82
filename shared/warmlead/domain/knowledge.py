"""What a lead's history does not know: new signals and meters, and names kept too briefly."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from warmlead.domain.history import NAME_DAYS
from warmlead.domain.rules import Rules

MARK = 5
"""The length of a mark: what stands for a signal with its classification, or for a long window."""


class Knowledge(Struct, frozen=True):
    """What a lead was last counted by, and since when.

    ``marks`` are those of the model, in order, as one text. ``since`` has the labels of which
    events from before a UTC day number were not counted, or are no longer kept.
    """

    marks: str = ""
    since: Mapping[str, int] = {}

    @property
    def heard(self) -> frozenset[str]:
        """The marks, each by itself."""
        return frozenset(self.marks[at : at + MARK] for at in range(0, len(self.marks), MARK))


def learnt(before: Knowledge | None, rules: Rules, today: int) -> Knowledge | None:
    """What the lead knows when it is evaluated under a model on a UTC day number.

    Of a lead without any knowledge all is known: it is new, or an earlier release kept none.
    """
    marks = rules.heard
    if before is not None and before.marks == marks:
        return before
    if before is None:
        return Knowledge(marks) if marks else None
    heard = before.heard
    labels = set(rules.marks.values())
    since = {label: day for label, day in before.since.items() if label in labels}
    for mark, label in rules.marks.items():
        if mark not in heard:
            is_new = label in rules.scoring.signals or label in rules.meters
            known_from = today if is_new else today - NAME_DAYS + 1
            since[label] = max(known_from, since.get(label, known_from))
    return Knowledge(marks, since)


def known_since(before: Knowledge | None, rules: Rules, today: int) -> dict[str, int]:
    """The labels of which the model would need older events than are known, with the first day."""
    knowledge = learnt(before, rules, today)
    return {
        label: day
        for label, day in sorted((knowledge or Knowledge()).since.items())
        if label in rules.scoring.signals or not _is_over(label, day, rules, today)
    }


def _is_over(label: str, day: int, rules: Rules, today: int) -> bool:
    """Whether nothing from before the day is measured any more, of a name or by a meter."""
    meter = rules.meters.get(label)
    if meter is None:
        return day <= today - rules.kept_days.get(label, NAME_DAYS) + 1
    return 0 < meter.days <= today - day + 1


def replayed(before: Knowledge | None, whole_since_day: int | None) -> Knowledge | None:
    """What a lead knows after its events were read again, all or those from a UTC day number on."""
    if before is None:
        return None
    if whole_since_day is None:
        return Knowledge(before.marks)
    since = {label: min(day, whole_since_day) for label, day in before.since.items()}
    return Knowledge(before.marks, since)


def known_together(parts: Iterable[Knowledge | None]) -> Knowledge | None:
    """What several leads of one person know together: no more than each of them."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    heard = [part.heard for part in known]
    since: dict[str, int] = {}
    for part in known:
        for label, day in part.since.items():
            since[label] = max(day, since.get(label, day))
    return Knowledge("".join(sorted(frozenset.intersection(*heard))), since)
