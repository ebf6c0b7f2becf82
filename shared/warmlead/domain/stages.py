"""Stages: where a lead stands between anonymous and customer, and how it moves.

Anonymous and lead follow from identity. The model's stages (mql, and others it names) are
entered and left by conditions. Stages that sales sets are never left by a score.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from warmlead.domain.history import day_at

ANONYMOUS = "anonymous"
LEAD = "lead"
RECYCLED = "recycled"
SALES_STAGES = ("sql", "opportunity", "customer", "disqualified")
"""Stages that sales sets; the last of them is a dead end, the others lead to a sale.

A model may have a rule for ``SQL`` besides. Once in one of them, a lead is moved by sales alone.
"""

SQL = "sql"

DISQUALIFIED = "disqualified"

MODEL = "model"
"""The source of moves that the model's conditions make."""

BUILT_IN_STAGES = (ANONYMOUS, LEAD, RECYCLED, *SALES_STAGES)

_ASIDE = (RECYCLED, DISQUALIFIED)

BYPASS_DAYS = 30
"""How many days a bypass signal opens its stage and keeps it open."""

Facts: TypeAlias = Mapping[str, object]
"""What a condition may name: score, fit, traits, ``last_30d.webinar_attended`` …"""


class Condition(Protocol):
    """A reviewed condition over facts; one that names an unknown fact does not hold."""

    def __call__(self, facts: Facts) -> bool:
        """Whether it holds."""
        ...

    def missing(self, facts: Facts) -> tuple[str, ...]:
        """What would have to hold besides, in the condition's own words; empty if it holds."""
        ...


ConditionT = TypeVar("ConditionT")
"""A condition: its text in a plan, something that can be asked in a policy."""


@dataclass(frozen=True, slots=True)
class StageDefinition(Generic[ConditionT]):
    """When a lead enters and leaves a stage of the model.

    ``bypass`` signals open the stage, even if the conditions do not hold; one with a condition in
    ``bypass_when`` does so as long as that holds. After a rejection by sales the stage is closed
    for ``cooldown``, unless a bypass signal comes after it.
    """

    name: str
    enter: ConditionT
    leave: ConditionT | None = None
    cooldown: timedelta = timedelta(0)
    bypass: frozenset[str] = frozenset()
    bypass_when: Mapping[str, ConditionT] = field(default_factory=dict)


_SIGNED = ":signed"


def as_shown(stages: Iterable[str]) -> list[str]:
    """Stages in their order as people read it: those beside the way to a sale come last."""
    return sorted(stages, key=lambda stage: stage in _ASIDE)


def signed_only(signal: str) -> str:
    """The label of a signal's events that came signed, for a bypass that trusts no others."""
    return signal + _SIGNED


def is_signed_only(label: str) -> bool:
    """Whether the label is one of those, and no signal of the model."""
    return label.endswith(_SIGNED)


def bypass_signal(label: str) -> str:
    """The signal of the model that a bypass names."""
    return label.removesuffix(_SIGNED)


@dataclass(frozen=True, slots=True)
class StagePolicy(StageDefinition[Condition]):
    """A stage whose conditions can be asked."""


@dataclass(frozen=True, slots=True)
class Cooling:
    """The time after a rejection in which a lead is not offered again."""

    since: datetime
    until: datetime


class Rest(Struct, frozen=True):
    """The rest of a lead of which only old facts tell: it is not acted upon until it acts itself.

    ``since`` is when it began. If old facts moved the lead to its stage, ``from_stage`` and
    ``reason`` are those of the move, of which nobody was told yet.
    """

    since: datetime
    from_stage: str = ""
    reason: str = ""


MAX_MOVES_A_DAY = 10
"""After this many moves of the model on a UTC day a lead stays in its stage until the next one.

Whoever may state a trait of it could otherwise have it offered without end. Statements of sales
and bypass signals still move it.
"""


class DayOfMoves(Struct, frozen=True):
    """A UTC day number, and how often the model has moved a lead on it."""

    day: int
    count: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a lead stands: its stage and since when, and how often it entered each stage.

    ``since`` is when it was so, ``learnt`` when that was learnt; ``None``: at the same time. With
    ``rest`` the lead stands where it does because of old facts, and nothing is sent about it.
    ``moved`` is how often the model has moved it on the day of its last move. ``qualified`` is
    since when it has been in stages of the model, if it came to this one from another of them.
    ``verdict`` is the key of the last word of sales that moved it. ``grounds`` are the fit
    rules that held when sales found it unfit: it stays disqualified until they change. ``held``:
    it is in a stage of the model by imported records, which it does not leave by a condition.
    """

    stage: str
    since: datetime
    entered: Mapping[str, int] = field(default_factory=dict)
    peak_score: int = 0
    cooling: Cooling | None = None
    verdict: str = ""
    grounds: str | None = None
    learnt: datetime | None = None
    rest: "Rest | None" = None
    moved: "DayOfMoves | None" = None
    qualified: datetime | None = None
    held: bool = False

    @property
    def learnt_at(self) -> datetime:
        """When it was learnt that the lead is in its stage."""
        return self.learnt or self.since


class MoveCause(StrEnum):
    """The cause of a move. Reports count by it; the ``reason`` that people read is made of it."""

    KNOWN = "known"
    """It became known by an email or a user id."""
    ENTERED = "entered"
    """The stage's enter condition holds."""
    BYPASSED = "bypassed"
    """A signal opens the stage; the detail is the signal."""
    LEFT = "left"
    """The leave condition of the stage before holds."""
    DROPPED = "dropped"
    """The model has no such stage any more."""
    FIT_CHANGED = "fit_changed"
    """The reason against its fit no longer holds."""
    QUALIFIED = "qualified"
    """It was in the stage by records that were imported."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """Sales refused it; the detail is the refusal."""
    OPPORTUNITY = "opportunity"
    WON = "won"
    LOST = "lost"
    """The deal was lost; the detail is what sales wrote."""
    OFFERED = "offered"
    """It is offered to sales in the stage in which it is already; no move."""
    UNKNOWN = "unknown"
    """It is no longer known, or an older release recorded no cause."""


class Why(Struct, frozen=True):
    """Why a lead moves: the cause, a word of detail, and the sentence that people read."""

    cause: MoveCause
    reason: str
    detail: str = ""


NO_MOVE = Why(MoveCause.UNKNOWN, "")


@dataclass(frozen=True, slots=True)
class Transition:
    """One move between stages, true from ``at`` on: what the CRM or the event says.

    ``learnt`` is when Warmlead learnt of it; ``None``: at the same time. Reports go by ``at``,
    promises and triggers by ``learnt_at``. ``cycle`` counts how often the lead has entered
    ``to_stage``, this time included. ``source`` is who moved it: the model, or a sender that speaks
    for sales. ``attribution`` is that of the lead's last touch. A move that offered the lead to
    sales says by when sales promised to contact it (``touch_by``), and to accept or reject it
    (``accept_by``). ``qualified`` is since when the lead had been in stages of the model, if it had
    been in others before ``from_stage``. ``reason`` is for people; ``cause`` and ``detail`` say the
    same to programs. ``imported`` is the import that made the move, or empty: nobody promised
    anything about such a move, and no tool was told of it.
    """

    at: datetime
    from_stage: str
    to_stage: str
    cycle: int
    reason: str
    score: int
    fit: int
    hours_in_stage: float
    model_version: str
    source: str = MODEL
    attribution: tuple[tuple[str, str], ...] = ()
    touch_by: datetime | None = None
    accept_by: datetime | None = None
    cause: MoveCause = MoveCause.UNKNOWN
    detail: str = ""
    learnt: datetime | None = None
    qualified: datetime | None = None
    imported: str = ""

    @property
    def learnt_at(self) -> datetime:
        """When it was learnt; never before it was so."""
        return self.learnt or self.at

    @property
    def is_move(self) -> bool:
        """Whether the lead changed its stage; otherwise it was offered in the stage it was in."""
        return self.from_stage != self.to_stage

    @property
    def is_late(self) -> bool:
        """Whether it was learnt on a later UTC day than that on which it was so."""
        return self.learnt_at.date() > self.at.date()


def _never(_label: str, _moment: datetime) -> bool:
    return False


class Standing(Struct, frozen=True, eq=False):
    """The score of a lead at a moment, as far as stages need it.

    Two are equal if they say the same, wherever ``seen_later`` looks.
    """

    identified: bool
    facts: Facts
    last_days: Mapping[str, int]
    """Signal → the UTC day number on which it was last seen."""
    seen_later: Callable[[str, datetime], bool] = _never
    """Whether a signal was seen after a moment, on the same UTC day."""

    def __eq__(self, other: object) -> bool:
        """Whether the other says the same."""
        if not isinstance(other, Standing):
            return NotImplemented
        mine = (self.identified, self.facts, self.last_days)
        return mine == (other.identified, other.facts, other.last_days)

    __hash__ = None  # type: ignore[assignment]  # its facts may change

    def is_after(self, label: str, moment: datetime) -> bool:
        """Whether a signal that was seen was last seen after a moment."""
        day, of_moment = self.last_days[label], day_at(moment)
        return day > of_moment or (day == of_moment and self.seen_later(label, moment))


def next_stage(
    policies: Sequence[StagePolicy], progress: Progress, standing: Standing, now: datetime
) -> tuple[str, Why]:
    """The stage in which the lead belongs now, and why; the present one if nothing moves.

    Sales stages stay; if the model has a rule for ``sql``, it is the last of ``policies``. A stage
    of the model is kept until its ``leave`` condition holds, even if
    ``enter`` no longer does: between the two thresholds the stage does not change.
    """
    if progress.stage in SALES_STAGES:
        return progress.stage, NO_MOVE
    if not standing.identified:  # a deal that nobody has tied to a person may be recycled too
        return (RECYCLED if progress.stage == RECYCLED else ANONYMOUS), NO_MOVE
    stays = has_moved_enough(progress, now)
    for policy in reversed(policies):
        if policy.name == progress.stage:
            if progress.held or stays or not _must_leave(policy, standing, now):
                return policy.name, NO_MOVE
        elif why := _opens(policy, progress, standing, now):
            return policy.name, why
    return _known(policies, progress.stage)


def has_moved_enough(progress: Progress, now: datetime) -> bool:
    """Whether the model has moved the lead so often that it moves it no more on this UTC day."""
    moved = progress.moved
    return moved is not None and moved.count >= MAX_MOVES_A_DAY and moved.day == day_at(now)


def _known(policies: Sequence[StagePolicy], stage: str) -> tuple[str, Why]:
    """The stage of a known person that no stage of the model holds, and why."""
    if stage in (LEAD, RECYCLED):
        return stage, NO_MOVE
    if stage == ANONYMOUS:
        return LEAD, Why(MoveCause.KNOWN, "became known by an email or a user id")
    if any(policy.name == stage for policy in policies):
        return LEAD, Why(MoveCause.LEFT, f"the {stage} stage's leave condition holds")
    return LEAD, Why(MoveCause.DROPPED, f"the model has no {stage} stage any more")


def _opens(
    policy: StagePolicy, progress: Progress, standing: Standing, now: datetime
) -> Why | None:
    """Why the lead may enter the stage now; ``None`` if it may not."""
    cooling = progress.cooling
    if label := _recent_bypass(policy, standing, now, cooling.since if cooling else None):
        signal = bypass_signal(label)
        return Why(MoveCause.BYPASSED, f"{signal} opens the {policy.name} stage at once", signal)
    if has_moved_enough(progress, now) or (cooling is not None and now < cooling.until):
        return None
    if not policy.enter(standing.facts) or _must_leave(policy, standing, now):
        return None  # what it must leave it would leave with the next event
    return Why(MoveCause.ENTERED, f"the {policy.name} stage's enter condition holds")


def _must_leave(policy: StagePolicy, standing: Standing, now: datetime) -> bool:
    if policy.leave is None or not policy.leave(standing.facts):
        return False
    return not _recent_bypass(policy, standing, now, None)


class Bypassing(Struct, frozen=True):
    """A bypass signal of the last 30 days: its last UTC day number, and what it still lacks.

    ``is_cooling``: it came before sales rejected the lead, and does not open the stage again.
    """

    signal: str
    day: int
    missing: tuple[str, ...] = ()
    is_cooling: bool = False

    @property
    def opens(self) -> bool:
        """Whether it opens the stage."""
        return not self.missing and not self.is_cooling

    @property
    def until_day(self) -> int:
        """The first UTC day number on which it no longer does."""
        return self.day + BYPASS_DAYS


def bypassing(
    policy: StagePolicy, progress: Progress, standing: Standing, now: datetime
) -> list[Bypassing]:
    """The recent bypass signals of a stage, the latest first, and whether each opens it."""
    today = day_at(now)
    cooling = progress.cooling
    found = []
    for label in sorted(policy.bypass):
        day = standing.last_days.get(label)
        if day is None or day <= today - BYPASS_DAYS:
            continue
        when = policy.bypass_when.get(label)
        missing = when.missing(standing.facts) if when else ()
        is_old = cooling is not None and not standing.is_after(label, cooling.since)
        is_cooling = is_old and progress.stage != policy.name
        found.append(Bypassing(bypass_signal(label), day, missing, is_cooling))
    return sorted(found, key=lambda each: (-each.day, each.signal))


def _recent_bypass(
    policy: StagePolicy, standing: Standing, now: datetime, rejected: datetime | None
) -> str:
    """A bypass signal of the last 30 days, and from after the last rejection."""
    seen = policy.bypass & standing.last_days.keys()
    if not seen:
        return ""
    oldest = day_at(now) - BYPASS_DAYS
    recent = [s for s in seen if standing.last_days[s] > oldest]
    if rejected is not None:
        recent = [s for s in recent if standing.is_after(s, rejected)]
    if policy.bypass_when:
        asked, facts = policy.bypass_when, standing.facts
        recent = [s for s in recent if s not in asked or asked[s](facts)]
    return min(recent, default="")


def move(
    progress: Progress,
    to_stage: str,
    why: Why,
    now: datetime,
    *,
    score: int,
    fit: int,
    model_version: str,
    at: datetime | None = None,
    source: str = MODEL,
    attribution: tuple[tuple[str, str], ...] = (),
) -> tuple[Progress, Transition]:
    """The progress after a move, and the record of it; never learnt before the last move.

    ``at`` is when it was so, if that was before ``now``.
    """
    learnt = max(now, progress.learnt_at)
    since = learnt if at is None else min(at, learnt)
    cycle = progress.entered.get(to_stage, 0) + 1
    transition = Transition(
        at=since,
        from_stage=progress.stage,
        to_stage=to_stage,
        cycle=cycle,
        reason=why.reason,
        score=score,
        fit=fit,
        hours_in_stage=round(max(0.0, (since - progress.since).total_seconds()) / 3600, 3),
        model_version=model_version,
        source=source,
        attribution=attribution,
        cause=why.cause,
        detail=why.detail,
        learnt=learnt if learnt != since else None,
        qualified=progress.qualified,
    )
    is_within = is_of_model(progress.stage) and is_of_model(to_stage)
    after = replace(
        progress,
        stage=to_stage,
        since=since,
        learnt=transition.learnt,
        entered={**progress.entered, to_stage: cycle},
        qualified=(progress.qualified or progress.since) if is_within else None,
        held=False,
    )
    if source == MODEL:
        day, last = day_at(learnt), progress.moved
        count = last.count + 1 if last and last.day == day else 1
        after = replace(after, moved=DayOfMoves(day, count))
    return after, transition


def is_of_model(stage: str) -> bool:
    """Whether a stage is one that a model names, and so makes a lead marketing-qualified."""
    return stage not in BUILT_IN_STAGES


def cool_down(progress: Progress, policies: Sequence[StagePolicy], since: datetime) -> Progress:
    """The progress of a lead that must not be offered again for a while.

    The longest cool-down of the model closes all of its stages, because sales rejected the lead
    itself. The lead's stage at that time does not matter, so the order of arrival does not matter
    either.
    """
    longest = max((policy.cooldown for policy in policies), default=timedelta(0))
    return replace(progress, cooling=Cooling(since, since + longest))
