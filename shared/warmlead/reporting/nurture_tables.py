"""The tables of nurture sequences in a report."""

from collections.abc import Iterator

from warmlead.domain.nurture import Ending
from warmlead.messages.kpis import KpiReport
from warmlead.reporting.sequences import AFTERWARDS_DAYS
from warmlead.reporting.tables import ReportTable, TableRow, number, rate_and_likely


def nurture_tables(report: KpiReport) -> Iterator[ReportTable]:
    """Runs by sequence, and messages by step; without rows if no sequence was in use."""
    rows = [
        TableRow(
            name,
            [
                *(number(found.enrolled), number(found.running)),
                *(number(found.ended.get(ending, 0)) for ending in Ending),
            ],
        )
        for name, found in report.nurture.items()
    ]
    note = "Running: of the enrolled, at the end of the period. Some that ended began before it."
    columns = ("enrolled", "running", *(str(ending) for ending in Ending))
    yield ReportTable("Nurture sequences", columns, rows, [note], is_long=True)
    yield _steps(report)


def _steps(report: KpiReport) -> ReportTable:
    sent = [(name, step) for name, found in report.nurture.items() for step in found.steps]
    rows = [
        TableRow(
            f"{name} {step.step}: {step.message}",
            [
                *(number(step.sent), number(step.persons), number(step.to_customer.of)),
                *map(rate_and_likely, (step.to_mql, step.to_sql, step.to_customer)),
            ],
        )
        for name, step in sent
    ]
    words = (
        f"Of persons who have had {AFTERWARDS_DAYS} days since: who came to the stage within them,"
        " and the likely range. It does not show that the message was the cause."
    )
    notes = [words]
    if not all(step.to_customer.is_finished for _, step in sent):
        notes.append("… some have not had the time yet; those who have are counted.")
    columns = ("sent", "persons", f"{AFTERWARDS_DAYS} days old", "MQL", "SQL", "customer")
    return ReportTable("Nurture steps", columns, rows, notes, is_long=True)
