"""Checks what gives points as a whole: whether each bonus can hold, and what grades mean."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping

from warmlead.domain.attribution import Channel, channel_of, named_channel
from warmlead.domain.measures import MeasureKind, parse_measure
from warmlead.domain.sites import Category, site_named
from warmlead.model.condition_syntax import compared_with, words
from warmlead.model.conditions import Context
from warmlead.model.document import closest, did_you_mean
from warmlead.model.lint.bounds import fit_range, grade_ranges
from warmlead.model.lint.regions import Region
from warmlead.model.lint.satisfiability import Prospect
from warmlead.model.lint.texts import path_of
from warmlead.model.schema import GRADE_PATTERN, ModelFile
from warmlead.model.structure import Report, Sound
from warmlead.model.vocabulary import ORIGIN_FACTS

_TEXT_METHODS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": str.__contains__,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
}
_ORDERS: Mapping[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FACTOR = 10
"""The largest threshold of a momentum that is taken for a factor rather than per cent."""

_MEDIA = {"seo": "organic", "sem": "cpc", "ads": "cpc", "newsletter": "email", "mail": "email"}
"""What authors call media, and what links are tagged with."""

_CALLED = {
    **dict.fromkeys(("newsletter", "mailing", "mail"), Channel.EMAIL),
    **dict.fromkeys(("google ads", "adwords", "google adwords", "ppc"), Channel.PAID_SEARCH),
    **dict.fromkeys(("linkedin ads", "facebook ads", "meta ads"), Channel.PAID_SOCIAL),
    **dict.fromkeys(("none", "(none)"), Channel.DIRECT),
    **dict.fromkeys(("partner", "word of mouth"), Channel.REFERRAL),
}
"""What else people call channels."""

_CHANNELS = {str(channel): channel for channel in Channel if channel is not Channel.UNKNOWN}


def check_points(sound: Sound, prospect: Prospect, report: Report) -> None:
    """Finds bonuses that nobody gets and grades that mean nothing; doubts what everybody gets."""
    file = sound.file
    for name, bonus in file.bonuses.items():
        _check_bonus(name, bonus.when, bonus.points, prospect, report)
    for name in sorted(file.bonuses.keys() & (file.signals.keys() | file.fit.keys())):
        message = "a signal or fit rule has the same name: people cannot tell the reasons apart"
        report.warn(("bonuses", name), message, key=True)
    _check_grades(sound, report)


def _check_bonus(name: str, when: str, points: int, prospect: Prospect, report: Report) -> None:
    path = ("bonuses", name, "when")
    outlook = prospect.of(path, when, Region())
    if outlook is None:
        return
    if outlook.never:
        doubt = prospect.why_never(outlook)
        message = f"can never hold: no lead gets these points: {doubt.why}"
        report.error(path, message, doubt.suggestion, at=doubt.at)
    elif outlook.always:
        doubt = prospect.why_always(outlook, f"write base: {points}")
        message = f"always holds: every lead gets these points{doubt.why}"
        report.warn(path, message, doubt.suggestion, at=doubt.at)
    prospect.report_parts(outlook, report)


def _check_grades(sound: Sound, report: Report) -> None:
    grades = sound.file.grades
    fit, stands_for = fit_range(sound.file), grade_ranges(sound.file)
    seen: dict[int, str] = {}
    for name, least in grades.items():
        path = ("grades", name)
        if not re.match(GRADE_PATTERN, name):
            message = f'"{name}" is not a grade: write a letter or a short word'
            report.error(path, message, "write A, B, C and D", key=True)
        elif least in seen:
            message = f"takes as many points as {seen[least]}: it could be either"
            report.error(path, message, "give each grade a threshold of its own")
        elif sound.is_whole("fit") and least > fit.most:
            message = f"no lead gets this grade: fit is at most {fit.most:.0f}"
            reached = f"write {fit.most:.0f}"
            report.warn(path, message, "" if fit.most in grades.values() else reached)
        elif sound.is_whole("fit") and stands_for[name].most < fit.least:
            message = f"no lead gets this grade: fit is at least {fit.least:.0f}, which is better"
            report.warn(path, message)
        seen.setdefault(least, name)
    for section in ("signals", "traits"):
        if grades and "grade" in getattr(sound.file, section):
            message = '"grade" is a fact about every lead, because the model has grades'
            report.error((section, "grade"), message, key=True)


def unknown_words(text: str, context: Context, file: ModelFile) -> Iterator[tuple[int, str, str]]:
    """Texts that a fact never is, though a condition compares it with them: place, fault, guess."""
    if file.grades and "grade" in context.types:
        for literal in compared_with("grade", text):
            said = literal.text.strip("\"'")
            if said not in file.grades:
                meant = said.upper() if said.upper() in file.grades else ""
                guess = f'did you mean "{meant}"?' if meant else did_you_mean(said, file.grades)
                listed = guess or f"the grades are {', '.join(file.grades)}"
                yield literal.at + 1, f'there is no grade "{said}"', listed
    sources = list(_sources_as_channels(text, context))
    yield from (found for _, found in sources)
    for name in sorted(context.types.keys() & ORIGIN_FACTS.keys()):
        for literal in compared_with(name, text):
            if literal.at in {at for at, _ in sources}:
                continue
            said = literal.text.strip("\"'")
            if said and (wrong := _never_of_origin(name, said)):
                yield literal.at + 1, *wrong
    yield from _parts_of_origins(text, context)
    yield from _in_order(text, context, file)


_FIXED: Mapping[str, Mapping[str, str]] = {
    "consent_status": {
        "subscribed": "opted in optin yes active",
        "unsubscribed": "opted out optedout opt-out optout no refused",
        "complained": "spam complaint marked as spam",
        "bounced": "bounce hard bounce hard bounced invalid",
        "unknown": "none null not set",
    },
    "title_level": {
        "decides": "decision maker decision-maker executive c-level vp director head",
        "manages": "manager management lead",
        "outside": "student intern freelancer",
        "other": "individual contributor employee",
    },
}
"""The words that a fact is one of, and what else authors call them."""


def unusual_words(text: str, context: Context) -> Iterator[tuple[int, str, str]]:
    """``consent_status == "opted out"``: what a fact of a few words never is."""
    for name in sorted(_FIXED.keys() & context.types.keys()):
        for literal in compared_with(name, text):
            said = literal.text.strip("\"'")
            if said in _FIXED[name]:
                continue
            lower = said.lower()
            meant = next((word for word, also in _FIXED[name].items() if lower in also), "")
            meant = closest(lower, _FIXED[name]) or (meant if lower else "")
            known = f"it is one of {', '.join(_FIXED[name])}"
            guess = f"write {meant} for {said}" if meant else known
            yield literal.at + 1, f'{name} is never "{said}"', guess


def _sources_as_channels(text: str, context: Context) -> Iterator[tuple[int, tuple[int, str, str]]]:
    """Sources with which a channel is compared, ``first.channel == "google"``, and the reverse."""
    tokens = words(text)
    for name, sign, literal in zip(tokens, tokens[1:], tokens[2:], strict=False):
        which, _, part = name.text.rpartition(".")
        if name.text not in context.types or literal.kind != "string":
            continue
        other, meant = _of_the_other_part(part, literal.text.strip("\"'"))
        if sign.text not in ("==", "!=") or not meant:
            continue
        quote = literal.text[0]
        instead = f"{which}.{other} {sign.text} {quote}{meant}{quote}"
        message = f"there is no {part} {quote}{literal.text[1:-1]}{quote}: it is a {other}"
        found = (name.at, message, f"write {instead} for {text[name.at : literal.end]}")
        yield literal.at, found


def _of_the_other_part(part: str, said: str) -> tuple[str, str]:
    """The source that is said of a channel, or the channel that is said of a source; else empty."""
    if part == "channel" and said not in _CHANNELS and _is_source(said.lower()):
        return "source", said.lower()
    if part == "source" and " " in said and said != said.lower():  # links may be tagged so
        return "channel", _channel_called(said)
    return "", ""


def _is_source(word: str) -> bool:
    """Whether it is the name of a site that sends visitors."""
    return site_named(word).category is not Category.OTHER


def _channel_called(word: str) -> str:
    """The channel that people mean by a word; empty if there is none."""
    called = named_channel(word) or _CALLED.get(word.lower())
    return called if called and called is not Channel.UNKNOWN else ""


def _channel_of_medium(word: str) -> str:
    """The channel of visits with a medium, from a search engine if it does not say; else empty."""
    if called := _channel_called(word):
        return called
    medium = _MEDIA.get(word, word)
    if medium == "organic":
        return Channel.ORGANIC_SEARCH
    channel = channel_of(Category.SEARCH, "google", medium, "")
    return "" if channel is Channel.ORGANIC_SEARCH or channel not in _CHANNELS else channel


def _never_of_origin(name: str, said: str) -> tuple[str, str] | None:
    """Why a part of an origin is never a text, and what to write; ``None``: it may be."""
    if name.endswith(".channel") and said not in _CHANNELS:
        near = closest(said.title(), _CHANNELS) or closest(said.capitalize(), _CHANNELS)
        channel = _channel_called(said) or near or _channel_of_medium(said.lower())
        guess = f"write {channel} for {said}" if channel else ""
        listed = guess or f"the channels are {', '.join(_CHANNELS)}"
        return f'there is no channel "{said}"', listed
    if name.endswith((".source", ".medium")) and said != said.lower():
        message = f'{name} is in small letters, so it never equals "{said}"'
        return message, f"write {said.lower()} for {said}"
    if name.endswith(".landing_page") and (path := path_of(said)) != said:
        message = f'{name} is a path without query, so it never equals "{said}"'
        return message, f"write {path} for {said}"
    return None


def _parts_of_origins(text: str, context: Context) -> Iterator[tuple[int, str, str]]:
    """Texts that no channel contains, or with which no path begins, though a condition asks so."""
    tokens = words(text)
    for called, bracket, literal in zip(tokens, tokens[1:], tokens[2:], strict=False):
        name, _, method = called.text.rpartition(".")
        asked = _TEXT_METHODS.get(method)
        if asked is None or bracket.text != "(" or literal.kind != "string":
            continue
        said = literal.text.strip("\"'")
        is_landing = name.endswith(".landing_page") and name in context.types
        if is_landing and method == "startsWith" and (path := path_of(said)) != said:
            message = f'{name} is a path without query, so it never begins with "{said}"'
            yield literal.at + 1, message, f"write {path} for {said}"
        is_channel = name.endswith(".channel") and name in context.types
        if is_channel and not any(asked(channel, said) for channel in _CHANNELS):
            better = said.title()
            found = any(asked(channel, better) for channel in _CHANNELS)
            guess = f"write {better} for {said}" if found else ""
            listed = guess or f"the channels are {', '.join(_CHANNELS)}"
            yield literal.at + 1, f'{name}.{method} never holds for "{said}"', listed


def _in_order(text: str, context: Context, file: ModelFile) -> Iterator[tuple[int, str, str]]:
    """Grades and stages that are compared by order: texts are in that of the alphabet."""
    best_first = sorted(file.grades, key=lambda grade: -file.grades[grade])
    orders = {"grade": best_first[::-1], "stage": list(_ranked(file))}
    tokens = words(text)
    for name, sign, literal in zip(tokens, tokens[1:], tokens[2:], strict=False):
        order = orders.get(name.text, []) if name.text in context.types else []
        said = literal.text.strip("\"'")
        if sign.text not in _ORDERS or literal.kind != "string" or said not in order:
            continue
        at = order.index(said)
        meant = [each for n, each in enumerate(order) if _ORDERS[sign.text](n, at)]
        one = " || ".join(f'{name.text} == "{each}"' for each in meant)
        guess = f"write ({one}) for {text[name.at : literal.end]}" if meant else ""
        yield name.at, f"`{sign.text}` goes by the alphabet, not by what a {name.text} means", guess


def _ranked(file: ModelFile) -> Iterator[str]:
    """The stages from the first to the last, without those that are beside the funnel."""
    yield from ("anonymous", "lead")
    yield from (stage for stage in file.stages if stage != "sql")
    yield from ("sql", "opportunity", "customer")


def small_momentums(text: str) -> Iterator[tuple[int, str, str]]:
    """Thresholds of momentum that are written as a factor: ``momentum_7d.page_viewed >= 2``."""
    tokens = words(text)
    for name, sign, number in zip(tokens, tokens[1:], tokens[2:], strict=False):
        measure = parse_measure(name.text) if name.kind == "name" else None
        if measure is None or measure.kind is not MeasureKind.MOMENTUM:
            continue
        if (
            sign.text in (">", ">=")
            and number.text.isdigit()
            and 1 < int(number.text[:9]) <= _FACTOR
        ):
            message = f"momentum is in per cent: {number.text} is nearly nothing"
            yield number.at, message, f"write {number.text}00 for {number.text}"
