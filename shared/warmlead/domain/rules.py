"""The compiled model for the domain: classification, points, fit and stages.

The model file is compiled to this, without YAML or CEL.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from msgspec import Struct

from warmlead.domain.alerts import ACTS_WITHIN, AlertPolicy
from warmlead.domain.consent import SuppressionPolicy
from warmlead.domain.event import Event, Property
from warmlead.domain.handoff import HandoffPolicy
from warmlead.domain.mail_scans import MachinePolicy
from warmlead.domain.measures import COUNTS, Measure
from warmlead.domain.mirror import UpdatePolicy
from warmlead.domain.nurture import SequencePolicy
from warmlead.domain.packed_history import Shape, own_signals
from warmlead.domain.probability import Probability
from warmlead.domain.readings import Meter, ValuesOf, meter_of
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


def _no_values(_: Event, _meter: Meter) -> tuple[object, ...]:
    return ()


class Counter(Struct, frozen=True):
    """A number that conditions read of events, and where its events are found.

    They are kept under ``label``, that of a signal or an event's name. ``meter`` is the name of
    what reads them; empty if the number of events by day is enough.
    """

    fact: str
    measure: Measure
    label: str
    meter: str
    is_signal: bool


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
    robots_signals: frozenset[str] = frozenset()
    """The signals that robots' events are too."""
    acts: frozenset[str] = frozenset()
    """The signals whose events are all the lead's own activity."""
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
    meters: Mapping[str, Meter] = field(default_factory=dict)
    """What is read of events besides their number, by the name of the meter."""
    latest: Mapping[str, str] = field(default_factory=dict)
    """The meters of latest values that conditions name, by the name that stands there."""
    before: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Traits as they were, by the name in conditions: the trait, and how many days ago."""
    values_of: ValuesOf = _no_values
    """The values that an event has for a meter."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """What stands for each signal with its classification, each meter, and each long window."""
    shown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The signals that make steps of the journey, each with the properties that a step shows."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """The titles of signals, fit rules, groups and stages; not all have one."""
    probability: Probability | None = None
    """What a score has meant so far, if the model was calibrated."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """The labels under which events of signals are kept that are not kept by their names."""
    shadow: "Rules | None" = None
    """The second model that runs beside this one, if any (``shadow_rules``)."""

    counted: tuple["Counter", ...] = field(init=False, compare=False, repr=False)
    """The counters, each with where its events are found."""
    unseen: Mapping[str, object] = field(init=False, compare=False, repr=False)
    """What conditions know of the events of a lead that has none: no signal, and 0 of each."""
    heard: str = field(init=False, compare=False, repr=False)
    """The marks in order, as one text."""
    machines: MachinePolicy = field(init=False, compare=False, repr=False)
    """What a click counts as that turns out to be a program's."""

    def __post_init__(self) -> None:
        """Computes once what is the same for all leads."""
        counted = tuple(map(self._counter, sorted(self.counters)))
        none_of_each = dict.fromkeys([counter.fact for counter in counted], 0)
        object.__setattr__(self, "counted", counted)
        object.__setattr__(
            self, "unseen", {**dict.fromkeys(self.scoring.signals, False), **none_of_each}
        )
        object.__setattr__(self, "heard", "".join(sorted(self.marks)))
        machines = MachinePolicy(self.robots_count, self.robots_signals)
        object.__setattr__(self, "machines", machines)

    def _counter(self, measure: Measure) -> "Counter":
        is_signal = measure.label in self.scoring.signals
        label = measure.label if is_signal else self.kept_as.get(measure.label, measure.label)
        kept = self.labels.get(label, label)
        meter = "" if measure.kind in COUNTS else meter_of(measure, kept).name
        return Counter(measure.fact, measure, label, meter, is_signal=is_signal)

    def recognises(self, shape: Shape) -> bool:
        """Whether the model knows events of a name and these signals."""
        name, signals = shape
        if self.shadow is not None:
            signals = own_signals(signals)
        return bool(signals) or name in self.names

    def labels_of(self, shape: Shape) -> frozenset[str]:
        """The labels under which the model may count an event of a name and these signals."""
        name, signals = shape
        if self.shadow is not None:
            signals = own_signals(signals)
        return frozenset((*signals, name) if name in self.names else signals)

    def fit(self, facts: Facts) -> tuple[FitPoints, ...]:
        """The fit rules that hold."""
        holding = [rule for rule in self.fit_rules if rule.holds(facts)]
        return tuple([FitPoints(rule.name, rule.points) for rule in holding])

    def bonus(self, facts: Facts) -> tuple[BonusPoints, ...]:
        """The bonuses that hold; ``facts`` are all that do not depend on the score."""
        holding = [rule for rule in self.bonuses if rule.holds(facts)]
        return tuple([BonusPoints(rule.name, rule.points) for rule in holding])

    @property
    def stage_order(self) -> tuple[str, ...]:
        """All stages from the first to the furthest."""
        model = tuple(stage.name for stage in self.stages if stage.name not in SALES_STAGES)
        sql, opportunity, customer, disqualified = SALES_STAGES
        return (ANONYMOUS, RECYCLED, LEAD, *model, disqualified, sql, opportunity, customer)
