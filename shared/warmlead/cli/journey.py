"""What a lead did, as lines for people."""

from collections.abc import Sequence

from warmlead.application.explain import SaidView, StepView
from warmlead.domain.text import one_line

MOST_STEPS = 10
"""How many steps of a journey a person sees; the others are in the JSON."""


def journey_lines(steps: Sequence[StepView]) -> Sequence[str]:
    """A line for each step, the latest first: when, what, and its details."""
    lines = [f"{step.at:%Y-%m-%d %H:%M}  {_in_words(step)}" for step in steps[:MOST_STEPS]]
    left = len(steps) - len(lines)
    return [*lines, f"and {left} earlier (all: --json)"] if left else lines


def _in_words(step: StepView) -> str:
    """``Whitepaper downloaded: content The CRM guide, kind whitepaper``."""
    told = ", ".join(f"{name} {one_line(text)}" for name, text in step.details.items())
    return f"{one_line(step.title)}: {told}" if told else one_line(step.title)


def sales_lines(statements: Sequence[SaidView]) -> Sequence[str]:
    """A line for each statement of sales, the latest first."""
    latest = statements[::-1]
    lines = [f"{each.at:%Y-%m-%d %H:%M}  {_said_in_words(each)}" for each in latest[:MOST_STEPS]]
    left = len(latest) - len(lines)
    return [*lines, f"and {left} earlier (all: --json)"] if left else lines


def _said_in_words(said: SaidView) -> str:
    """``rejected (not ready) by hubspot: timing Q3, note Call again in July``."""
    reason = f" ({said.reason.replace('_', ' ')})" if said.reason else ""
    told = ", ".join(f"{name} {one_line(text)}" for name, text in said.details.items())
    return one_line(f"{said.said}{reason} by {said.source}") + (f": {told}" if told else "")
