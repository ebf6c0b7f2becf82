"""How figures with their intervals are written, and the pages of what outcomes teach."""

from collections.abc import Mapping
from pathlib import Path

from warmlead.application.explain import Shape
from warmlead.cli.output import EXIT_MISUSE, count_of, fail
from warmlead.domain.text import one_line
from warmlead.learning.backtest_report import UNKNOWN_PAST, Likely, PublicShare
from warmlead.learning.cases import LeftOut


def per_cent(share: float | None) -> str:
    """A share as people write it: one digit behind the point below ten per cent."""
    if share is None:
        return "–"
    return f"{share:.1%}" if abs(share) < 0.1 else f"{share:.0%}"  # noqa: PLR2004  # ten per cent


def spread(found: Likely, *, shape: str = "") -> str:
    """A figure with its interval: ``34% (30%–39%)``, or in another ``shape`` of numbers."""
    if found.value is None or found.low is None or found.high is None:
        return "–"
    if not shape:
        return f"{per_cent(found.value)} ({per_cent(found.low)}–{per_cent(found.high)})"
    low, high = f"{found.low:{shape}}", f"{found.high:{shape}}"
    return f"{found.value:{shape}} ({low} to {high})"


def weeks_of(number: float) -> str:
    """A number of weeks in words."""
    return f"{number:g} week" if number == 1 else f"{number:g} weeks"


def reason(left_out: str) -> str:
    """Why leads are not judged, in words."""
    if left_out == UNKNOWN_PAST:
        return "whose history does not know what a model counts"
    return LeftOut(left_out).words


TO_KNOW_IT = (
    "To know it, put the model to use in a copy of the data folder, and run warmlead replay there; "
    "what was imported, import again under it, into an empty folder."
)
"""What to do about what histories do not know of a model."""

MOST_UNKNOWN = 12
"""How many names of what is not known are told, those of the most leads first."""

MOST_SOURCES = 3
TELLING = 0.05
"""The share of all leads from which on such leads are told of."""


def told_of_unknown(unknown: Mapping[str, int]) -> str:
    """What histories do not know, with the number of leads concerned; empty if that is nothing."""
    ordered = sorted(unknown.items(), key=lambda each: (-each[1], each[0]))
    told = [f"{name} ({count_of(leads, 'lead')})" for name, leads in ordered[:MOST_UNKNOWN]]
    more = len(ordered) - MOST_UNKNOWN
    return ", ".join(told) + (f", and {more:,} more" if more > 0 else "")


def told_of_public(public: PublicShare) -> str:
    """What is to be known of leads that anybody can have made up; empty if they are few."""
    leads, of = public.leads, public.of
    if not leads or leads < TELLING * of:
        return ""
    others = ""
    if of > leads:
        others = f", {per_cent((public.of_won - public.won) / (of - leads))} of the others"
    named = [f"{one_line(each.source)} {each.leads:,}" for each in public.sources[:MOST_SOURCES]]
    if rest := sum(each.leads for each in public.sources[MOST_SOURCES:]):
        named.append(f"others {rest:,}")
    return (
        f"Of {leads:,} of {of:,} leads ({per_cent(leads / of)}) only the public has said who they "
        "are: not sales, no import, and no signed sender. Anybody can have made them up. "
        f"{per_cent(public.won / leads)} of them won{others}. "
        f"By source: {', '.join(named)}. --trust signed leaves them out."
    )


def as_page(template: str, report: Shape, **drawn: object) -> str:
    """The report as one page of HTML, which fetches nothing and runs nothing.

    ``drawn`` is what the page draws of it.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  # pages alone

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"per_cent": per_cent, "spread": spread, "reason": reason}
    environment.globals |= {"told_of_public": told_of_public, "to_know_it": TO_KNOW_IT}
    environment.globals |= {"weeks_of": weeks_of, "told_of_unknown": told_of_unknown}
    return environment.get_template(template).render(report=report, **drawn)


def demand_folder(page: Path | None) -> None:
    """Ends the command, before it works for minutes, if there is no place for the page.

    Only another page is written over: not a model or a table whose name was given by mistake.
    """
    if page is None:
        return
    if not page.absolute().parent.is_dir():
        raise fail(f"{page}: it cannot be written: there is no such folder.", code=EXIT_MISUSE)
    if page.exists() and not _is_page(page):
        raise fail(
            f"{page}: it is there, and is not a page: choose another name.", code=EXIT_MISUSE
        )


def _is_page(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_BEGINNING)).lower() in (_BEGINNING, b"")
    except OSError:
        return False


_BEGINNING = b"<!doctype html>"


def written(path: Path, text: str) -> None:
    """Writes a page; ends the command if that cannot be, or something else is there."""
    demand_folder(path)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        why = f"it cannot be written: {error.strerror or type(error).__name__}"
        raise fail(f"{path}: {why}.", code=EXIT_MISUSE) from error
