"""What the pages of back-tests and bars draw: places and lengths, and no drawing."""

from collections.abc import Iterable, Sequence
from math import ceil, floor, log10

from msgspec import Struct

from warmlead.cli.learned_forms import per_cent, spread
from warmlead.learning.backtest_report import BacktestReport, JudgedModel, Likely
from warmlead.learning.bar_report import BarReport, BarView, CurveStep

_WIDTH = 1000

_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 680, 10, 270
"""The frame of the curve, in the units of its picture."""


class FigureRow(Struct, frozen=True):
    """A figure of each model, in words."""

    label: str
    cells: Sequence[str]


def figures(models: Sequence[JudgedModel]) -> list[FigureRow]:
    """The figures of a back-test, one row each."""
    rows = [FigureRow("AUC", [spread(model.auc, shape=".3f") for model in models])]
    if models[1:]:
        gains = ["–" if m.gain is None else spread(m.gain, shape="+.3f") for m in models]
        rows.append(FigureRow("AUC: better than the first by", gains))
    return [
        *rows,
        FigureRow("bar", [model.at_bar.bar or "no stage" for model in models]),
        FigureRow("MQLs a week", [f"{model.at_bar.mqls_a_week:.1f}" for model in models]),
        FigureRow("passed", [f"{model.at_bar.passed:,}" for model in models]),
        FigureRow("precision: of these won", [spread(m.at_bar.precision) for m in models]),
        FigureRow("recall: of winners passed", [spread(m.at_bar.recall) for m in models]),
        FigureRow("cannot be said of", [f"{model.at_bar.unknown:,}" for model in models]),
        FigureRow("calibration error", [per_cent(m.reliability.calibration_error) for m in models]),
        FigureRow("log-loss", [f"{model.reliability.log_loss:.3f}" for model in models]),
    ]


class LikelyMark(Struct, frozen=True):
    """A figure with its interval on a scale of thousandths; ``x`` is its place on another one."""

    label: str
    words: str
    low: int
    at: int
    high: int
    x: int = 0


class LongBar(Struct, frozen=True):
    """A bar, as long as its share of the longest, in thousandths."""

    label: str
    words: str
    length: int


class ModelCharts(Struct, frozen=True):
    """What is drawn of one model."""

    name: str
    tenths: Sequence[LongBar]
    reliable: Sequence[LikelyMark]


def aucs(report: BacktestReport) -> list[LikelyMark]:
    """The AUC of each model."""
    return [
        _marked(model.auc, model.name, f"{model.auc.value or 0:.3f}") for model in report.models
    ]


def charts(report: BacktestReport) -> list[ModelCharts]:
    """The tenths and the reliability of each model."""
    return [
        ModelCharts(
            model.name,
            [
                LongBar(
                    f"from {tenth.least_score}",
                    f"{per_cent(tenth.rate)}, {tenth.lift:.1f} ×",
                    round(_WIDTH * tenth.rate),
                )
                for tenth in model.tenths
            ],
            [
                _marked(
                    band.came,
                    "",
                    f"{band.leads:,} leads: {per_cent(band.expected)} expected, "
                    f"{spread(band.came)} came",
                    x=round(_WIDTH * band.expected),
                )
                for band in model.reliability.bands
            ],
        )
        for model in report.models
    ]


def _marked(found: Likely, label: str, words: str, *, x: int = 0) -> LikelyMark:
    low, at, high = (round(_WIDTH * (each or 0)) for each in (found.low, found.value, found.high))
    return LikelyMark(label, words, low, at, high, x)


class AxisMark(Struct, frozen=True):
    """A place on an axis, in the units of the picture, and what stands there."""

    at: int
    words: str


class CurveDrawing(Struct, frozen=True):
    """The curve of a bar: lines as points of SVG, and what stands at its axes."""

    precision: str
    likely: str
    volume: str
    rates: Sequence[AxisMark]
    volumes: Sequence[AxisMark]
    bars: Sequence[AxisMark]
    marks: Sequence[AxisMark]


def drawing(report: BarReport) -> CurveDrawing:
    """Precision with its interval, and MQLs a week, by bar; with the bars of the views."""
    steps = report.curve
    first, last = steps[0].bar, steps[-1].bar
    most_rate = min(1.0, ceil(10 * max(step.precision.high or 0 for step in steps)) / 10)
    most = max(step.mqls_a_week for step in steps) or 1.0

    def x(bar: float) -> int:
        return round(_LEFT + (_RIGHT - _LEFT) * (bar - first) / max(1, last - first))

    def y(share: float) -> int:
        return round(_BOTTOM - (_BOTTOM - _TOP) * share)

    def line(points: Iterable[tuple[float, float]]) -> str:
        return " ".join(f"{x(bar)},{y(share)}" for bar, share in points)

    def rate(step: CurveStep, share: float | None) -> tuple[float, float]:
        return step.bar, (share or 0) / most_rate

    lows = [rate(step, step.precision.low) for step in steps]
    highs = [rate(step, step.precision.high) for step in steps]
    return CurveDrawing(
        precision=line(rate(step, step.precision.value) for step in steps),
        likely=line([*lows, *reversed(highs)]),
        volume=line((step.bar, step.mqls_a_week / most) for step in steps),
        rates=[AxisMark(y(part), per_cent(part * most_rate)) for part in (0, 0.25, 0.5, 0.75, 1)],
        volumes=[AxisMark(y(part), f"{part * most:.3g}") for part in (0, 0.25, 0.5, 0.75, 1)],
        bars=[AxisMark(x(bar), str(bar)) for bar in _round_numbers(first, last)],
        marks=[
            AxisMark(x(bar), f"{', '.join(views)}: {bar}")
            for bar, views in _together(report.views).items()
            if first <= bar <= last
        ],
    )


def _together(views: Iterable[BarView]) -> dict[int, list[str]]:
    """The names of the views by their bars."""
    names: dict[int, list[str]] = {}
    for view in views:
        if view.bar is not None:
            names.setdefault(view.bar, []).append(view.view)
    return names


def _round_numbers(first: int, last: int) -> list[int]:
    """At most about ten round numbers of a range."""
    width = max(1, last - first)
    unit = 10 ** floor(log10(width))
    step = max(1, next(s * unit // 10 for s in (1, 2, 5, 10, 20) if width * 10 <= 10 * s * unit))
    return list(range(-(-first // step) * step, last + 1, step))
