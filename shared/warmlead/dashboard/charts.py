"""Small drawings for the pages: SVG of numbers alone, so nothing that a person wrote is in them."""

from collections.abc import Sequence

from markupsafe import Markup

SPARK_WIDTH, SPARK_HEIGHT = 120, 28
BARS_HEIGHT = 120


def spark(values: Sequence[float | None], *, label: str) -> Markup:
    """A line through values, the last one marked; gaps where there is none."""
    known = [value for value in values if value is not None]
    if len(known) < 2:  # noqa: PLR2004  # a line has two ends
        return Markup("")
    low, high = min(known), max(known)
    span = (high - low) or 1
    step = SPARK_WIDTH / max(1, len(values) - 1)
    points = [
        (n * step, SPARK_HEIGHT - 4 - (value - low) / span * (SPARK_HEIGHT - 8))
        for n, value in enumerate(values)
        if value is not None
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return Markup(
        '<svg class="spark" viewBox="-3 0 {} {}" role="img" aria-label="{}">'
        '<polyline points="{}"/><circle cx="{:.1f}" cy="{:.1f}" r="2.6"/></svg>'
    ).format(SPARK_WIDTH + 6, SPARK_HEIGHT, label, line, x, y)


def share_bar(share: float, *, kind: str = "") -> Markup:
    """A bar that fills a share (0 to 1) of its width."""
    width = max(0.0, min(1.0, share)) * 100
    return Markup(
        '<svg class="bar {}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="6"/><rect width="{:.1f}" height="6"/></svg>'
    ).format(kind, width)


def contribution_bar(points: float, most: float) -> Markup:
    """A bar to the right of the middle for points gained, to the left for points lost."""
    half = min(1.0, abs(points) / most) * 50 if most else 0
    start = 50.0 if points >= 0 else 50 - half
    return Markup(
        '<svg class="bar both {}" viewBox="0 0 100 6" preserveAspectRatio="none" '
        'aria-hidden="true"><rect class="axis" x="49.7" width=".6" height="6"/>'
        '<rect x="{:.1f}" width="{:.1f}" height="6"/></svg>'
    ).format("gain" if points >= 0 else "loss", start, half)


def whisker(low: float, middle: float, high: float, *, most: float) -> Markup:
    """A share with its interval of confidence, on a scale from 0 to ``most``."""

    def place(value: float) -> float:
        return min(1.0, value / most) * 100 if most else 0

    return Markup(
        '<svg class="whisker" viewBox="-2 0 104 12" preserveAspectRatio="none" '
        'aria-hidden="true"><line x1="0" x2="100" y1="6" y2="6" class="track"/>'
        '<line x1="{0:.1f}" x2="{1:.1f}" y1="6" y2="6"/>'
        '<rect x="{2:.1f}" y="1.5" width="2" height="9"/></svg>'
    ).format(place(low), place(high), place(middle) - 1)


def histogram(counts: Sequence[int], *, from_band: int, label: str) -> Markup:
    """Bars of counts; those from a band on are marked, as they pass a threshold."""
    most = max(counts, default=0) or 1
    width = 600 / max(1, len(counts))
    bars = Markup("").join(
        Markup(
            '<rect data-band="{}" class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
        ).format(
            n,
            "in" if n >= from_band else "out",
            n * width + 1,
            BARS_HEIGHT - count / most * (BARS_HEIGHT - 4),
            width - 2,
            count / most * (BARS_HEIGHT - 4),
        )
        for n, count in enumerate(counts)
    )
    return Markup(
        '<svg class="histogram" viewBox="0 0 600 {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}</svg>'
    ).format(BARS_HEIGHT + 1, label, bars)
