"""What people write for a count: a signal as a number, a period in words, a count of nothing.

Each way looks at one place of a condition that CEL cannot compile, as those of ``slips`` do.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from warmlead.domain.measures import LONGEST_DAYS, MeasureKind, parse_measure
from warmlead.model.condition_syntax import Token
from warmlead.model.conditions import Context
from warmlead.model.document import closest
from warmlead.model.lint.synonyms import our_word
from warmlead.model.lint.unaskable import unaskable_name
from warmlead.model.vocabulary import ValueType

PERIODS = {"day": 1, "week": 7, "month": 30, "quarter": 90, "year": 365}
"""Days of the periods that people name; a month is 30 days."""

_USUAL_DAYS = 30
_COUNTING = ("count", "counts", "number_of", "num", "times", "total")
_WITHIN = ("in", "within", "during")
_COMPARING = ("==", "!=", "<", "<=", ">", ">=")
_ASKED_ALONE = (MeasureKind.LAST, MeasureKind.DAYS, MeasureKind.VISITS, MeasureKind.DISTINCT)
_NAMED = re.compile(rf"(?:last|past|this|previous)_({'|'.join(PERIODS)})\.(\w+)")
_BEHIND = re.compile(r"(\w+?)(?:\.(?:count|last)(?:_(\d{1,3})d)?|_(\d{1,3})d)")
OF_A_WEBSITE = {
    **dict.fromkeys(("visits", "sessions", "visit_count"), "visits_30d.page_viewed"),
    **dict.fromkeys(("pages", "unique_pages"), "distinct_30d.page_viewed.path"),
    **dict.fromkeys(("pages_viewed", "page_views", "pageviews"), "last_30d.page_viewed"),
    **dict.fromkeys(("opens", "emails_opened", "marketing_emails_opened"), "last_30d.email_opened"),
    **dict.fromkeys(("emails_clicked", "marketing_emails_clicked"), "last_30d.email_clicked"),
    **dict.fromkeys(("form_submissions", "forms_submitted"), "last_30d.form_submitted"),
}
"""What tools call counts of what was done on a website and with mails, and what is counted."""
_DAYS = re.compile(r"(?:last|past)_(\d{1,3})_?(day|week|month|year)s?\.(\w+)")


_PREFIX = re.compile(r"\A(?:total_)?(?:number_of_|count_of_|num_|total_)")


def bare_count(name: str) -> str:
    """The name of a count in small letters, without the words that say that it is one."""
    return _PREFIX.sub("", name.lower())


class Meant(NamedTuple):
    """What to write from a place up to the ``last`` token, and why; unpacked where it is used."""

    last: int
    instead: str
    message: str


def miscount(tokens: Sequence[Token], i: int, context: Context) -> Meant | None:
    """What is meant by the words at a place, if they are a count in other words."""
    if not context.countable or tokens[i].kind != "name":
        return None
    ways = (_of_a_period, _called, _within_days, _behind, _of_a_website, _as_a_number, _bare)
    return next((meant for way in ways if (meant := way(tokens, i, context))), None)


def _text(tokens: Sequence[Token], i: int) -> str:
    return tokens[i].text if 0 <= i < len(tokens) else ""


def _counted(label: str, days: int) -> str:
    return f"last_{min(max(days, 1), LONGEST_DAYS)}d.{label}"


def _of_a_period(tokens: Sequence[Token], i: int, context: Context) -> Meant | None:
    """``last_month.page_viewed``, ``last_30_days.page_viewed``."""
    name = tokens[i].text
    if found := _NAMED.fullmatch(name):
        days, label = PERIODS[found[1]], found[2]
    elif found := _DAYS.fullmatch(name):
        days, label = int(found[1]) * PERIODS[found[2]], found[3]
    else:
        return None
    if label not in context.countable:
        return None
    return Meant(i, _counted(label, days), f'unknown name "{name}": a window is a number of days')


def _called(tokens: Sequence[Token], i: int, context: Context) -> Meant | None:
    """``count(page_viewed)``, ``count(page_viewed, 7)``."""
    called, label = tokens[i].text, _text(tokens, i + 2)
    last, days = i + 3, _USUAL_DAYS
    if _text(tokens, last) == "," and re.fullmatch(r"\d{1,3}", _text(tokens, last + 1)):
        last, days = last + 2, int(_text(tokens, last + 1))
    shape = (_text(tokens, i + 1), _text(tokens, last))
    if called.lower() not in _COUNTING or shape != ("(", ")") or label not in context.countable:
        return None
    return Meant(last, _counted(label, days), f'there is no function "{called}"')


def _within_days(tokens: Sequence[Token], i: int, context: Context) -> Meant | None:
    """``demo_requested in the last 30 days``, ``page_viewed >= 3 within 2 weeks``."""
    label, at, asked = tokens[i].text, i + 1, ">= 1"
    if label not in context.countable:
        return None
    if _text(tokens, at) in _COMPARING and _text(tokens, at + 1).isdigit():
        asked = f"{_text(tokens, at)} {_text(tokens, at + 1)}"
        at += 2
    if _text(tokens, at).lower() not in _WITHIN:
        return None
    at += 1
    while _text(tokens, at).lower() in ("the", "last", "past"):
        at += 1
    number = _text(tokens, at)
    is_stated = re.fullmatch(r"\d{1,3}", number) is not None
    at += is_stated
    unit = _text(tokens, at).lower().removesuffix("s")
    if unit not in PERIODS:
        return None
    days = (int(number) if is_stated else 1) * PERIODS[unit]
    return Meant(at, f"{_counted(label, days)} {asked}", "a count names its days before the signal")


def _behind(tokens: Sequence[Token], i: int, context: Context) -> Meant | None:
    """``page_viewed.last_30d``, ``page_viewed.count``, ``page_viewed_30d``."""
    name = tokens[i].text
    found = _BEHIND.fullmatch(name)
    if found is None or found[1] not in context.countable or name in context.types:
        return None
    days = int(found[2] or found[3] or _USUAL_DAYS)
    return Meant(i, _counted(found[1], days), f'unknown name "{name}": a window stands before')


def _of_a_website(tokens: Sequence[Token], i: int, context: Context) -> Meant | None:
    """``visits >= 3``, ``pages >= 3``."""
    name = tokens[i].text
    meant = OF_A_WEBSITE.get(bare_count(name))
    if meant is None or name in context.types or _text(tokens, i + 1) not in _COMPARING:
        return None
    return Meant(i, meant, f'unknown name "{name}"')


def _as_a_number(tokens: Sequence[Token], i: int, context: Context) -> Meant | None:
    """``page_viewed >= 3``, ``page_views >= 3``: a signal says whether, a count how often."""
    name, after = tokens[i].text, tokens[i + 2 : i + 3]
    if _text(tokens, i + 1) not in _COMPARING or not after or after[0].kind != "number":
        return None
    if name in context.countable:
        says = "says whether it happened, not how often"
        label = name
        message = f'"{name}" ' + (says if name in context.types else "is an event, counted by days")
    elif (
        unaskable_name(name, context)
        or name in context.types
        or re.search(r"[.\d]", name)
        or our_word(name, context.types)
    ):
        return None
    else:
        numbers = {n for n, t in context.types.items() if t is not ValueType.BOOLEAN}
        label = closest(name, {*context.countable, *numbers})
        message = f'unknown name "{name}"'
    if label not in context.countable or label in context.types.keys() - _signals(context):
        return None
    return Meant(i, _counted(label, _USUAL_DAYS), message)


def _signals(context: Context) -> set[str]:
    return {name for name in context.countable if context.types.get(name) is ValueType.BOOLEAN}


def _bare(tokens: Sequence[Token], i: int, context: Context) -> Meant | None:
    """``last_30d.page_viewed && …``: a count alone is neither true nor false."""
    name = tokens[i].text
    measure = parse_measure(name) if context.types.get(name) is ValueType.INTEGER else None
    if measure is None or measure.kind not in _ASKED_ALONE:
        return None
    if _text(tokens, i - 1) not in ("", "(", "&&", "||"):
        return None
    if _text(tokens, i + 1) not in ("", ")", "&&", "||"):
        return None
    return Meant(i, f"{name} >= 1", "a number is neither true nor false")
