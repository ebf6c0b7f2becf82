"""The compiled model for the domain: classification, points, fit and stages.

The model file is compiled to this, without YAML or CEL.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from warmlead.domain.alerts import ACTS_WITHIN, AlertPolicy
from warmlead.domain.consent import SuppressionPolicy
from warmlead.domain.event import Event, Property
from warmlead.domain.handoff import HandoffPolicy
from warmlead.domain.measures import Measure
from warmlead.domain.mirror import UpdatePolicy
from warmlead.domain.nurture import SequencePolicy
from warmlead.domain.packed_history import Shape
from warmlead.domain.scoring import BonusPoints, FitPoints, ScoringPolicy
from warmlead.domain.stages import ANONYMOUS, LEAD, RECYCLED, SALES_STAGES, Facts, StagePolicy


class FitPolicy(Protocol):
    """A rule that gives points: for a lead's traits, or, as a bonus, for what it did."""

    @property
    def name(self) -> str:
        """The name of the rule in the model."""
        ...

    @property
    def points(self) -> int:
        """Its points; negative if it speaks against the lead."""
        ...

    def holds(self, facts: Facts) -> bool:
        """Whether the rule holds, as far as known."""
        ...


def _none(_: Mapping[str, Property]) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Rules:
    """A model, compiled. ``version`` is the hash of its content."""

    version: str
    classify: Callable[[Event], tuple[str, ...]]
    """The names of an event's signals, in alphabetical order; none for most robots' events."""
    know: Callable[[Mapping[str, Property]], Facts]
    """Traits as conditions see them: of the declared type, unknown ones absent."""
    fit_rules: tuple[FitPolicy, ...]
    scoring: ScoringPolicy
    stages: tuple[StagePolicy, ...]
    counters: frozenset[Measure]
    """What some condition reads of the number of events."""
    handoff: HandoffPolicy | None = None
    sequences: tuple[SequencePolicy, ...] = ()
    suppression: SuppressionPolicy = field(default_factory=SuppressionPolicy)
    kept_as: Mapping[str, str] = field(default_factory=dict)
    """Published event names that conditions count, with the name under which each is kept."""
    robots_count: bool = False
    """Whether robots' events count like people's."""
    not_understood: Callable[[Mapping[str, Property]], tuple[str, ...]] = _none
    """The traits whose values could not be read, so that conditions do not see them."""
    names: frozenset[str] = frozenset()
    """The event names that are known: of signals, of counters, and Warmlead's own vocabulary."""
    traits: frozenset[str] = frozenset()
    """The traits that the model knows: the standard ones, and its own."""
    alerts: tuple[AlertPolicy, ...] = ()
    acts_within: timedelta = ACTS_WITHIN
    """How old an act may be and still cause something."""
    updates: UpdatePolicy | None = None
    """What tools mirror; ``None``: nothing."""
    bonuses: tuple[FitPolicy, ...] = ()
    reads_origin: bool = False
    """Whether some condition asks where a lead came from."""
    kept_days: Mapping[str, int] = field(default_factory=dict)
    """The days for which counts of event names are kept that are measured over more than usual."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """What stands for each signal with its classification, and each name that is kept for long."""
    shown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The signals that make steps of the journey, each with the properties that a step shows."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """The titles of signals, fit rules, groups and stages; not all have one."""

    def recognises(self, shape: Shape) -> bool:
        """Whether the model knows events of a name and these signals."""
        name, signals = shape
        return bool(signals) or name in self.names

    def labels_of(self, shape: Shape) -> frozenset[str]:
        """The labels under which the model may count an event of a name and these signals."""
        name, signals = shape
        return frozenset((*signals, name) if name in self.names else signals)

    def fit(self, facts: Facts) -> tuple[FitPoints, ...]:
        """The fit rules that hold."""
        return tuple(
            FitPoints(rule.name, rule.points) for rule in self.fit_rules if rule.holds(facts)
        )

    def bonus(self, facts: Facts) -> tuple[BonusPoints, ...]:
        """The bonuses that hold; ``facts`` are all that do not depend on the score."""
        return tuple(
            BonusPoints(rule.name, rule.points) for rule in self.bonuses if rule.holds(facts)
        )

    @property
    def stage_order(self) -> tuple[str, ...]:
        """All stages from the first to the furthest."""
        model = tuple(stage.name for stage in self.stages if stage.name not in SALES_STAGES)
        sql, opportunity, customer, disqualified = SALES_STAGES
        return (ANONYMOUS, RECYCLED, LEAD, *model, disqualified, sql, opportunity, customer)
