"""Where the bar of a model could be: the shapes of the JSON, and of what its page shows."""

from warmlead.application.explain import Shape
from warmlead.learning.backtest_report import AskedReport, Likely, PublicShare


class BarRange(Shape):
    """Where 19 of 20 bars lie that other leads of the same kind would have led to.

    ``reached`` is the share of the draws, from 0 to 1, that led to a bar at all.
    """

    low: int
    high: int
    reached: float


class BarView(Shape):
    """One view: the bar that does what is asked, and what it lets pass.

    ``view`` is ``today``, ``capacity``, ``target`` or ``value``. ``bar`` is ``None`` if no bar does
    what is asked; then the figures are those of the ``nearest``. ``value_a_week`` is in the unit of
    the costs.
    """

    view: str
    asked: str
    bar: int | None
    nearest: int
    why: str
    passed: int
    won: int
    mqls_a_week: float
    precision: Likely
    recall: Likely
    value_a_week: float | None
    range: BarRange | None


class CurveStep(Shape):
    """What passes a bar."""

    bar: int
    passed: int
    won: int
    mqls_a_week: float
    precision: Likely


class BarReport(AskedReport):
    """Four views of one curve, on leads as of each one's own time.

    ``stage`` is the one whose condition asks for the score. What else it asks stays as it is:
    ``always`` leads pass any bar by a signal, ``never`` leads pass none. It is empty if no stage
    asks for a score: then the score alone decides.
    """

    model: str
    version: str
    stage: str
    leads: int
    won: int
    weeks: float
    always: int
    never: int
    left_out: dict[str, int]
    public: PublicShare
    gaps: dict[str, int]
    views: list[BarView]
    curve: list[CurveStep]
