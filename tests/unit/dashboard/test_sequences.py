"""Nurture on the overview, of the reports of finished months that were kept."""

from datetime import timedelta

from builders import NOW, a_lead_named, a_transition, an_event, keeping
from unit.dashboard.seen import Seen
from warmlead.application.report import Reporting, report
from warmlead.dashboard.cohorts import Share
from warmlead.dashboard.figures import overview
from warmlead.dashboard.sequences import SequenceRow, StepRow, sequence_rows, step_rows
from warmlead.domain.event import Trust
from warmlead.domain.nurture_record import NurtureFact, NurtureRecord, NurtureTurn
from warmlead.reporting.periods import read_period

DAY = timedelta(days=1)
MONTHS = ("2026-01", "2026-02")


async def reported(seen: Seen) -> None:
    """Ada is sent both mails in January, Bob the first in February; Ada becomes an SQL."""
    january, february = (read_period(name, NOW).start + DAY for name in MONTHS)
    start = NurtureFact(NurtureTurn.STARTED, "welcome", 1)
    mails = [NurtureFact(NurtureTurn.SENT, "welcome", 1, n, f"mail <{n}>") for n in (1, 2)]
    ada, bob = a_lead_named("ada"), a_lead_named("bob")
    records = [
        (ada.id, NurtureRecord(january, "mql", (start, mails[0]))),
        (ada.id, NurtureRecord(january + DAY, "mql", (mails[1],))),
        (ada.id, NurtureRecord(january + 3 * DAY, "sql", (ended("goal"),))),
        (bob.id, NurtureRecord(february, "mql", (start, mails[0], ended("suppressed")))),
    ]
    moves = [(ada.id, a_transition(at=january + 3 * DAY, from_stage="mql", to_stage="sql"))]
    await seen.parts.leads.update([], keeping(ada, bob, transitions=moves, nurtured=records))
    bus = seen.parts.bus
    reporting = Reporting(seen.parts.leads, seen.parts.reports, bus, seen.parts.rules)
    for name in MONTHS:
        await report(reporting, read_period(name, NOW), NOW)


def ended(why: str) -> NurtureFact:
    return NurtureFact(NurtureTurn.ENDED, "welcome", 1, ending=why)


async def test_months_are_summed_and_those_without_the_time_are_left_out(seen: Seen) -> None:
    await reported(seen)
    months = (await overview(seen.parts, NOW)).months
    assert sequence_rows(months) == [SequenceRow("welcome", 2, 0, 1, 0, 1)]
    nobody = Share(0.0, "0 of 1; likely 0 to 79 %", is_small=True)
    reached = Share(100.0, "1 of 1; likely 21 to 100 %", is_small=True)
    unfinished = "; not all have had the time"
    first, second = step_rows(months)
    assert second == StepRow("welcome", 2, "mail <2>", 1, reached, nobody)
    assert first.to_sql == Share(100.0, reached.title + unfinished, True, False)
    assert (first.step, first.sent, first.to_customer.is_finished) == (1, 2, False)


async def test_the_overview_has_a_section_once_there_is_a_sequence(seen: Seen) -> None:
    await seen.apply(an_event(email="cyn@example.com", trust=Trust.SIGNED))
    assert b"What becomes of nurture" not in (await seen.get("/")).body
    await reported(seen)
    body = (await seen.get("/")).body.decode()
    assert "What becomes of nurture" in body
    assert "welcome 2: mail &lt;2&gt;" in body
