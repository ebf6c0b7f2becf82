"""The page of the model in force: what counts, what opens a stage, and whether it still holds."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from warmlead.dashboard.parts import Parts
from warmlead.dashboard.rendering import page
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import SignalPolicy
from warmlead.learning.kept_looks import watched_months
from warmlead.learning.watching import last_due, question_of
from warmlead.messages.wording import title_of
from warmlead.web.answers import Answer


class SignalRow(Struct, frozen=True):
    """What one signal brings, and what limits it, in words."""

    title: str
    points: int
    fades: str
    limits: str
    group: str


class StageRow(Struct, frozen=True):
    """What opens and closes a stage, as the model says it; empty if a plan does not keep it."""

    name: str
    enter: str
    leave: str
    bypass: Sequence[str]


async def model_page(parts: Parts, now: datetime) -> Answer:
    """The page of the model of this process."""
    rules = parts.rules
    last = last_due(question_of(rules.probability), now)
    return page(
        "model.html",
        here="model",
        rules=rules,
        signals=signals_of(rules),
        fit=[(title_of(each.name, rules.titles), each.points) for each in rules.fit_rules],
        bonuses=[(title_of(each.name, rules.titles), each.points) for each in rules.bonuses],
        stages=stages_of(rules),
        months=await watched_months(parts.reports, rules.version, last),
        now=now,
    )


def signals_of(rules: Rules) -> list[SignalRow]:
    """The signals, those with the most points first."""
    found = [
        SignalRow(
            _capital(title_of(name, rules.titles)),
            policy.points,
            _fades(policy),
            _limits(policy),
            title_of(policy.group, rules.titles) if policy.group else "",
        )
        for name, policy in rules.scoring.signals.items()
    ]
    return sorted(found, key=lambda row: (-abs(row.points), row.title))


def _fades(policy: SignalPolicy) -> str:
    if policy.half_life_days is not None:
        return f"half in {policy.half_life_days:g} days"
    if policy.expires_after_days is not None:
        return f"ends after {policy.expires_after_days} days"
    return "never"


def _limits(policy: SignalPolicy) -> str:
    per_day = f"{policy.per_day} a day" if policy.per_day < SignalPolicy(0).per_day else ""
    in_all = f"{policy.max_count} in all" if policy.max_count is not None else ""
    return ", ".join(filter(None, (per_day, in_all)))


def stages_of(rules: Rules) -> list[StageRow]:
    """The stages of the model, in its order."""
    return [
        StageRow(
            stage.name,
            getattr(stage.enter, "text", ""),
            getattr(stage.leave, "text", "") if stage.leave else "",
            sorted(_bypass(name, rules) for name in stage.bypass),
        )
        for stage in rules.stages
    ]


def _bypass(name: str, rules: Rules) -> str:
    """A bypass signal in words; one that counts only from a signed source says so."""
    signal, _, signed = name.partition(":")
    return _capital(title_of(signal, rules.titles)) + (" (if signed)" if signed else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
