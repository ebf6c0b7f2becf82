"""What a score means in words, for people and for triggers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from warmlead.domain.event import Automation
from warmlead.domain.journey import NotableStep
from warmlead.domain.probability import Probability
from warmlead.domain.scoring import MICRO, Contribution, Part, Score

MAX_REASONS = 5
"""The most contributions that a message names as reasons for a score."""

MOST_OF_FIT = 2
"""The fewest reasons that say who the lead is, if it has them: what it did leaves them room."""


def title_of(name: str, titles: Mapping[str, str]) -> str:
    """A signal's, rule's or group's name for people: its title, or the name with spaces."""
    return titles.get(name) or name.replace("_", " ").replace("-", " ")


def describe(line: Contribution, titles: Mapping[str, str]) -> str:
    """One contribution as a phrase: ``Pricing page viewed 4 times, last on 2026-03-09``."""
    phrase = _phrase(line, title_of(line.name, titles))
    return phrase[:1].upper() + phrase[1:]


_FOR_AND_AGAINST = {
    Part.BONUS: ("bonus", "deduction"),
    Part.FIT: ("fits", "speaks against"),
}


def _phrase(line: Contribution, title: str) -> str:
    match line.part:
        case Part.SIGNAL:
            times = "once" if line.count == 1 else f"{line.count} times"
            dated = "on" if line.first_day == line.last_day else "last on"
            return f"{title} {times}, {dated} {line.last_day}"
        case Part.BASE:
            return "what every lead begins with"
        case Part.BONUS | Part.FIT:
            return f"{_FOR_AND_AGAINST[line.part][line.exact_micro < 0]}: {title}"
        case Part.GROUP_LIMIT:
            bound = "most" if line.exact_micro < 0 else "least"
            return f"limit: the {bound} that {title} may count"
        case Part.INACTIVITY:
            times = "once" if line.steps == 1 else f"{line.steps} times"
            return f"faded for inactivity, {times}"
        case Part.FLOOR:
            return f"a score never falls below {line.raw_points}"


_PLURALS = {"customer": "customers", "opportunity": "opportunities", "mql": "MQLs", "sql": "SQLs"}


def such_leads(probability: Probability, score: int) -> str:
    """What a score has meant so far: ``of 100 such leads 34 became customers (842 leads)``.

    The number in brackets is that of the leads of which it was learned.
    """
    share = probability.of(score)
    number: int | str = probability.of_100(score)
    if number == 0:
        number = "fewer than 1"
    elif number == 100 and share < 1:  # noqa: PLR2004  # per cent
        number = "more than 99"
    outcome = _PLURALS.get(probability.outcome, probability.outcome)
    return f"of 100 such leads {number} became {outcome} ({probability.leads:,} leads)"


def losses(line: Contribution) -> tuple[str, ...]:
    """What took points from a signal: ``10 for the daily limit``, ``3.2 for age``."""
    taken = (
        ("the daily limit", line.per_day_took_micro),
        ("the limit in all", line.max_count_took_micro),
        ("age", line.decay_took_micro),
    )
    return tuple(f"{_amount(micro)} for {what}" for what, micro in taken if micro)


def _amount(micro: int) -> str:
    return f"{micro / MICRO:.1f}".replace("-", "−").removesuffix(".0")


def reasons(
    score: Score,
    titles: Mapping[str, str],
    notable: Collection[str] = (),
    steps: Collection[NotableStep] = (),
) -> Sequence[str]:
    """The contributions that matter most, as ``+20 demo requested once …``.

    First the ``notable`` signal that was done last, of one day that of the latest of the ``steps``;
    then the weightiest. The weightiest two of fit are always among them.
    """
    latest = max(steps, key=lambda step: step.at_ms).signal if steps else ""
    weighty = [line for line in score.contributions if line.points]
    weighty.sort(key=lambda line: (-abs(line.points), line.name))
    done = [line for line in weighty if line.name in notable and line.part is Part.SIGNAL]
    first = max(
        done, key=lambda line: (line.last_day or date.min, line.name == latest), default=None
    )
    fit = [line for line in weighty if line.part is Part.FIT][:MOST_OF_FIT]
    others = [line for line in weighty if line is not first]
    left = MAX_REASONS - (first is not None)
    chosen = others[:left]
    for line in fit:
        if line not in chosen:
            crowding = next(each for each in reversed(chosen) if each not in fit)
            chosen[chosen.index(crowding)] = line
    chosen.sort(key=others.index)
    told = chosen if first is None else [first, *chosen]
    return [f"{line.points:+d} {describe(line, titles)}" for line in told]


_AUTOMATED = {
    Automation.ROBOT: ("request of a declared robot", "requests of declared robots"),
    Automation.PREVIEW: ("link preview", "link previews"),
    Automation.HEADLESS: ("request of a headless browser", "requests of headless browsers"),
    Automation.MONITOR: ("availability check", "availability checks"),
    Automation.PREFETCH: ("prefetch", "prefetches"),
    Automation.HEAD: ("HEAD of a pixel", "HEADs of a pixel"),
    Automation.SCAN: ("click at a mail's delivery", "clicks at a mail's delivery"),
    Automation.BURST: (
        "click on one of several links at one moment",
        "clicks on several links at one moment",
    ),
}


def unseen(counts: Mapping[Automation, int]) -> str:
    """What was done while nobody looked: ``12 requests of declared robots, 1 link preview``."""
    told = ((count, _AUTOMATED[automation]) for automation, count in counts.items())
    return ", ".join(f"{count} {names[count != 1]}" for count, names in told)


def done(acts: Iterable[Mapping[str, Any]]) -> str:
    """What an alert is about, of the acts in its message: ``Demo requested 2 times, Replied``."""
    return ", ".join(
        act["title"] if act["times"] == 1 else f"{act['title']} {act['times']} times"
        for act in acts
    )
