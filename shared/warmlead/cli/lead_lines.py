"""Lines about a lead that several commands print, as markup of the terminal."""

from collections.abc import Mapping, Sequence
from datetime import date

from rich.markup import escape

from warmlead.application.explain import ConsentStatement, ConsentView, LeadView, ProbabilityView


def consent_lines(consent: ConsentView) -> Sequence[str]:
    """Whether the person may be written to and why, then what else was stated; none if nothing."""
    if not consent.statements:
        return ()
    decided = consent.decided_by
    why = f": {_statement(decided)}" if decided else ""
    may = "may be mailed" if consent.may_be_mailed else "[red]must not be mailed[/]"
    others = [_statement(each) for each in consent.statements if each != decided]
    also = [f"[dim]also stated[/]  {escape('; '.join(others))}"] if others else []
    return (f"[dim]consent[/]  {consent.status}, {may}{escape(why)}", *also)


def _statement(stated: ConsentStatement) -> str:
    of_list = f" of {stated.mailing_list!r}" if stated.mailing_list else ""
    who = f"by {stated.source}, {stated.trust}" if stated.source else "kept by the day"
    return f"{stated.cause.replace('_', ' ')}{of_list} {stated.at:%Y-%m-%d %H:%M} UTC ({who})"


def known_since_line(since: Mapping[str, date]) -> str:
    """What the model measures, and the history knows only from a day on; empty if nothing is so."""
    if not since:
        return ""
    told = ", ".join(f"{escape(label)} before {day}" for label, day in since.items())
    return (
        f"[yellow]not known: {told}; the model did not count it then. "
        "To count it now: warmlead replay[/]"
    )


def share_line(share: ProbabilityView) -> str:
    """What the column *of 100* of a list means."""
    return (
        f"of 100: how many of 100 leads with such a score reached {escape(share.outcome)} within "
        f"{share.within_days} days, learned of {share.leads:,} leads"
    )


def graded(grade: str) -> str:
    """The grade behind other numbers; empty if the model has none."""
    return f", grade [bold]{escape(grade)}[/]" if grade else ""


def since(seen: LeadView) -> str:
    """Since when the lead is in its stage, and when that was learnt, if it was on a later day."""
    if seen.created_at > seen.as_of:
        return f"(not known yet: first heard of on {seen.created_at:%Y-%m-%d %H:%M} UTC)"
    words = f"since {seen.stage_since:%Y-%m-%d %H:%M} UTC"
    if seen.stage_learnt_at.date() > seen.stage_since.date():
        words += f", learnt {seen.stage_learnt_at:%Y-%m-%d %H:%M}"
    return f"{words}; at rest until it acts" if seen.resting_since else words


def late_line(seen: LeadView) -> str:
    """A line of its own about a stage learnt late, of old facts, or before the lead was known."""
    is_late = seen.stage_learnt_at.date() > seen.stage_since.date()
    is_told = is_late or seen.resting_since or seen.created_at > seen.as_of
    return f"{escape(seen.stage)} {since(seen)}.\n" if is_told else ""
