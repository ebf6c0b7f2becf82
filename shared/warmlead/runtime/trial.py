"""The process that tries a model file or a story: reads a question, writes a verdict, and ends.

It has limits of its own, so whatever somebody pastes can harm no request and no data.
"""

import asyncio
import os
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import json, structs

from warmlead.application.apply import Scoring
from warmlead.dashboard.trials import (
    MOST_DAYS,
    MOST_EVENTS,
    PlayedStory,
    StoryDays,
    StoryStep,
    TrialNote,
    TrialRequest,
    TrialResult,
)
from warmlead.domain.errors import ConfigurationError
from warmlead.domain.identity import LeadIds
from warmlead.model.differences import Difference, differences, kept_otherwise
from warmlead.model.document import Finding, Severity
from warmlead.model.loading import examine
from warmlead.model.plan import Plan, read_compiled, rules_of
from warmlead.model.wants import is_wanted, wants_of
from warmlead.runtime.backends import rehearsal
from warmlead.runtime.trials import OUT_OF_MEMORY
from warmlead.simulation.play import Story, StoryClock, simulate
from warmlead.simulation.ready import ready_story
from warmlead.simulation.report import DayRow, Line, in_words, report_of, together
from warmlead.simulation.story import Script, read_story

CPU_S = 15
"""Seconds of processor time after which the process is ended."""

MEMORY_BYTES = 1024**3
"""The address space of the process; what is mapped and never touched counts too."""

MOST_TOLD = 500
"""The most findings, differences and days that are passed on; a page shows fewer."""

LONGEST = 2_000
"""The longest text that is passed on, in characters."""

NICE = 5

_SECRET = b"nobody real is in a story"


def limit() -> None:
    """Puts limits on this process: its time, its memory, and its place behind the others."""
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


async def tried(question: TrialRequest) -> TrialResult:
    """The verdict on a question."""
    in_force = read_compiled(question.in_force.encode(), name="in force")
    plan, name, verdict = in_force, "in force", TrialResult()
    if question.model:
        try:
            own, findings = examine(question.model)
        except ConfigurationError as error:
            return TrialResult(failed=f"{error.subject} {'; '.join(error.problems)}")
        verdict = TrialResult(findings=_told(findings))
        if own is None:
            return verdict
        verdict = structs.replace(
            verdict,
            version=own.version,
            differences=[_shortened(each) for each in differences(in_force, own)[:MOST_TOLD]],
            kept_otherwise=kept_otherwise(in_force, own)[:MOST_TOLD],
        )
        plan, name = own, "of the file"
    if question.ready or question.story:
        text = ready_story(question.ready) if question.ready else question.story
        verdict = await _with_story(verdict, text, plan, name)
    return verdict


def _shortened(each: Difference) -> Difference:
    return structs.replace(each, before=each.before[:LONGEST], after=each.after[:LONGEST])


async def _with_story(verdict: TrialResult, text: str, plan: Plan, name: str) -> TrialResult:
    rules, wants = rules_of(plan), wants_of(plan)
    read = read_story(text, known_events=wants.signals, is_wanted=is_wanted(wants, rules.classify))
    findings = _told(read.findings)
    script = read.script
    if script is not None and len(script.events) > MOST_EVENTS:
        message = f"{len(script.events)} events: a page plays {MOST_EVENTS} at most"
        too_many = TrialNote(Severity.ERROR, 1, 1, "events", message, _BY_COMMAND)
        findings, script = [too_many, *findings], None
    if script is None:
        return structs.replace(verdict, story_findings=findings)
    ends = min(script.ends, script.begins + timedelta(days=MOST_DAYS))
    story = await _played(script, ends, plan)
    report = report_of(story, rules, about=script.about, model=name)
    days = [_days(rows) for rows in together(report.days)]
    played = PlayedStory(
        script.about[:LONGEST],
        f"{name}, version {plan.version}",
        days[:MOST_TOLD],
        [(heading, words[:LONGEST]) for heading, words in in_words(report.summary)],
        cut=ends < script.ends,
    )
    return structs.replace(verdict, story_findings=findings, story=played)


_BY_COMMAND = "warmlead model simulate story.yaml --model model.yaml"


async def _played(script: Script, ends: datetime, plan: Plan) -> Story:
    clock = StoryClock(script.begins)
    scoring = Scoring(rules_of(plan), LeadIds(_SECRET))
    async with rehearsal(clock) as (store, bus):
        return await simulate(
            script.events, until=ends, store=store, bus=bus, scoring=scoring, clock=clock
        )


def _days(rows: Sequence[DayRow]) -> StoryDays:
    first, last = rows[0], rows[-1]
    days = str(last.day) if len(rows) == 1 else f"{first.day}–{last.day}"
    return StoryDays(
        days, last.date.isoformat(), last.score, last.stage or "", list(_steps(last.lines))
    )


def _steps(lines: Iterable[Line]) -> Iterator[StoryStep]:
    before = None
    for line in lines:
        time = f"{line.at:%H:%M}" if line.at != before else ""
        before = line.at
        yield StoryStep(time, line.kind, line.text[:LONGEST])


def _told(findings: Iterable[Finding]) -> list[TrialNote]:
    return [
        TrialNote(
            each.severity,
            each.line,
            each.column,
            each.path[:LONGEST],
            each.message[:LONGEST],
            each.suggestion[:LONGEST],
        )
        for each in list(findings)[:MOST_TOLD]
    ]


def main() -> None:
    """Reads the question from standard input, and writes the verdict to standard output."""
    limit()
    question = json.decode(sys.stdin.buffer.read(), type=TrialRequest)
    try:
        verdict = asyncio.run(tried(question))
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)
    sys.stdout.buffer.write(json.encode(verdict))


if __name__ == "__main__":
    main()
