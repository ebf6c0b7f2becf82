"""Checks each condition: its syntax, its types, and the words with which it compares.

Translates CEL's own messages for the authors of models, and finds what CEL only finds when it
runs: regular expressions that do not compile, stages and countries that do not exist.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cel_expr_python import cel

from warmlead.domain.country_codes import CODES
from warmlead.model.condition_syntax import compared_with, words
from warmlead.model.conditions import Context, Contexts
from warmlead.model.document import Path, did_you_mean
from warmlead.model.lint.points import small_momentums, unknown_words, unusual_words
from warmlead.model.lint.slips import Slip, mended, place_before, slips_in
from warmlead.model.lint.synonyms import code_of_country, guess_stage, origin_meant
from warmlead.model.lint.texts import odd_texts
from warmlead.model.lint.unaskable import unaskable_function, unaskable_name
from warmlead.model.lint.unmeasured import too_long, unmeasured
from warmlead.model.schema import ModelFile
from warmlead.model.structure import Report
from warmlead.model.values import NAME_PATTERN
from warmlead.model.vocabulary import STAGE_NAMES, ValueType

_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*?)(?=\n|$)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")
_OVERLOAD = re.compile(r"found no matching overload for '([^']*)' applied to '\((.*)\)'")
_FUNCTIONS = ("startsWith", "endsWith", "contains", "matches", "size", "exists", "all", "map")
_COMPARING = ("==", "!=", "<", "<=", ">", ">=")
_COMPARISON = 3
"""How many words a comparison has."""

_TYPES = {
    "string": ValueType.STRING,
    "number": ValueType.INTEGER,
    "name": ValueType.BOOLEAN,
}
_PLAIN_NAMES = {"int": "integer", "double": "number", "bool": "boolean", "list(string)": "list"}


@dataclass(frozen=True, slots=True)
class ConditionFault:
    """Something wrong at the character ``at`` of a condition; ``mended`` is it without that."""

    at: int
    message: str
    suggestion: str = ""
    mended: str = ""


def check_conditions(file: ModelFile, contexts: Contexts, report: Report) -> frozenset[Path]:
    """Reports what is wrong with the conditions; returns the paths of those that are sound."""
    accepted: set[Path] = set()
    stages = {*STAGE_NAMES, *file.stages}
    for path, text, context in conditions_of(file, contexts):
        flaws = examine(text, context)
        for flaw in flaws:
            if flaw.mended and (whole := report.in_quotes(path, flaw.mended)):
                report.error(path, flaw.message, whole)
            else:
                report.error(path, flaw.message, flaw.suggestion, at=flaw.at)
        if flaws:
            continue
        unknown = [
            (at, stage) for at, stage in stage_literals(text, context) if stage not in stages
        ]
        for at, stage in unknown:
            report.error(path, f'there is no stage "{stage}"', guess_stage(stage, stages), at=at)
        unused = list(unknown_words(text, context, file))
        for at, message, guess in unused:
            report.error(path, message, guess, at=at)
        if not unknown and not unused:
            accepted.add(path)
        for at, message, guess in _doubts(text, context):
            report.warn(path, message, guess, at=at)
    return frozenset(accepted)


def _doubts(text: str, context: Context) -> Iterator[tuple[int, str, str]]:
    """What a condition hardly means as it is written: place, message, suggestion."""
    for at, country in country_names(text, context):
        message = (
            "this can never hold: a country is a code of two capital letters, so it never "
            f'equals "{country}"'
        )
        code = code_of_country(country)
        example = 'write the code of ISO 3166: "US", "GB", "DE"'
        yield at, message, f"write {code} for {country}" if code else example
    yield from small_momentums(text)
    yield from unusual_words(text, context)
    yield from odd_texts(text, context)
    for slip in subtractions(text, context):
        yield slip.at, slip.message, slip.suggestion


def conditions_of(file: ModelFile, contexts: Contexts) -> Iterator[tuple[Path, str, Context]]:
    """All conditions of a model, each with its path and what it may name."""
    for name, signal in file.signals.items():
        if signal.when is not None:
            yield ("signals", name, "when"), signal.when, contexts.event
    yield from _conditions_for_points(file, contexts)
    for path, text in (*_of_stages(file), *_of_what_follows(file)):
        if text is not None:
            yield path, text, contexts.stage


def _of_stages(file: ModelFile) -> Iterator[tuple[Path, str | None]]:
    for name, stage in file.stages.items():
        path: Path = ("stages", name)
        yield (*path, "enter"), stage.enter
        yield (*path, "leave"), stage.leave
        yield from (((*path, "bypass", i, "when"), one.when) for i, one in enumerate(stage.bypass))


def _of_what_follows(file: ModelFile) -> Iterator[tuple[Path, str | None]]:
    for of_route, route in file.handoff.all_routes if file.handoff else ():
        yield (*of_route, "when"), route.when
    for name, alert in file.alerts.items():
        yield ("alerts", name, "when"), alert.when
    for name, sequence in file.sequences.items():
        path: Path = ("sequences", name)
        yield (*path, "start"), sequence.start
        yield (*path, "stop"), sequence.stop
        yield (*path, "goal"), sequence.goal
        yield from (((*path, "steps", i, "when"), one.when) for i, one in enumerate(sequence.steps))


def _conditions_for_points(
    file: ModelFile, contexts: Contexts
) -> Iterator[tuple[Path, str, Context]]:
    for name, rule in file.fit.items():
        yield ("fit", name, "when"), rule.when, contexts.fit
    for name, bonus in file.bonuses.items():
        yield ("bonuses", name, "when"), bonus.when, contexts.bonus


def examine(text: str, context: Context) -> list[ConditionFault]:
    """Everything wrong with a condition that can be known without facts; empty if it is sound."""
    try:
        expression = context.env.compile(text)
    except RuntimeError as error:
        return _explained(str(error), text, context)
    return _judged(expression, text, context)


def _judged(expression: cel.Expression, text: str, context: Context) -> list[ConditionFault]:
    """What is wrong with a condition that CEL compiles."""
    flaws = list(_bad_patterns(text, context))
    if expression.return_type() != cel.Type.BOOL:
        if slips := slips_in(text, context):
            return [*flaws, *_of_slips(text, slips)]
        type_ = str(expression.return_type()).lower()
        told = _PLAIN_NAMES.get(type_, type_)
        flaws.append(ConditionFault(0, f"a condition is true or false, and this is of type {told}"))
    return flaws


def _explained(error: str, text: str, context: Context) -> list[ConditionFault]:
    """What is wrong with a condition: what people often write, then what CEL says of the rest."""
    slips = slips_in(text, context)
    if not slips:
        return list(_translated(error, text, context)) or [ConditionFault(0, "not readable as CEL")]
    found = list(_of_slips(text, slips))
    better = mended(text, slips)
    left = ((place_before(flaw.at, slips), flaw) for flaw in _left_in(better, context))
    found += [
        ConditionFault(at, flaw.message, flaw.suggestion) for at, flaw in left if at is not None
    ]
    return sorted(found, key=lambda flaw: flaw.at)


def _of_slips(text: str, slips: Iterable[Slip]) -> Iterator[ConditionFault]:
    for slip in slips:
        yield ConditionFault(slip.at, slip.message, slip.suggestion, mended(text, [slip]))


def _left_in(better: str, context: Context) -> list[ConditionFault]:
    """What is wrong with a condition besides the slips that are mended in it."""
    try:
        expression = context.env.compile(better)
    except RuntimeError as error:
        return list(_translated(str(error), better, context))
    return _judged(expression, better, context)


def _translated(error: str, text: str, context: Context) -> Iterator[ConditionFault]:
    lines = text.split("\n")
    syntax_seen = False
    for line, column, message in _ERROR.findall(error):
        at = sum(len(before) + 1 for before in lines[: int(line) - 1]) + int(column) - 1
        if found := _UNDECLARED.search(message):
            yield _unknown(found[1], at, text, context)
        elif found := _OVERLOAD.search(message):
            if "*error*" not in found[2]:
                yield ConditionFault(at, *_mismatch(found[1], found[2]))
        elif message.startswith("Syntax error"):
            if not syntax_seen:
                yield ConditionFault(at, _syntax(message))
            syntax_seen = True
        elif "of a select operation" in message and (part := _selected(at, text)):
            yield part
        else:
            yield ConditionFault(at, message)


def _selected(at: int, text: str) -> ConditionFault | None:
    """A number of which a part is named; CEL points at the dot before the part."""
    for token in words(text):
        if token.at <= at < token.end and (wrong := too_long(re.sub(r"\s", "", token.text))):
            return ConditionFault(token.at, *wrong)
    return None


def _unknown(name: str, at: int, text: str, context: Context) -> ConditionFault:
    """A name that nothing has. CEL points at the last dot of a name, and behind a function's."""
    if text[at : at + 1] == "(":
        return _unknown_function(name, at - len(name.rpartition(".")[2]), context)
    start = max(0, at - len(name.rpartition(".")[0]))
    if wrong := unmeasured(name, context) or unaskable_name(name, context):
        return ConditionFault(start, *wrong)
    if (meant := origin_meant(name)) in context.types:
        return ConditionFault(start, f'unknown name "{name}"', f'did you mean "{meant}"?')
    for other in (name, name.rpartition(".")[2], meant):
        if other in context.elsewhere:
            named = name if other == meant else other
            message = f'"{named}" is {context.elsewhere[other]}, which cannot be named here'
            return ConditionFault(start, message, _where_else(other, context))
    if name in context.countable:
        counted = f"count it, last_30d.{name} >= 1, or make a signal of it"
        return ConditionFault(start, f'"{name}" is an event, and conditions name signals', counted)
    known = [other for other in context.types if ("." in other) == ("." in name)]
    guess = _like(name, known) or _declared(name, start, text, context)
    return ConditionFault(start, f'unknown name "{name}"', guess)


def _declared(name: str, at: int, text: str, context: Context) -> str:
    """How a trait or property of the author's own is declared; empty if it seems to be none."""
    tokens = [token for token in words(text) if token.at >= at]
    if not re.fullmatch(NAME_PATTERN, name) or len(tokens) < _COMPARISON:
        return ""
    type_ = _TYPES.get(tokens[2].kind)
    if tokens[1].text not in _COMPARING or type_ is None:
        return ""
    if tokens[2].kind == "name" and tokens[2].text not in ("true", "false"):
        return ""
    section = "traits" if "country" in context.types else "properties"
    return f"if your senders send it, add to {section}: {name}: {type_}"


def _unknown_function(name: str, start: int, context: Context) -> ConditionFault:
    if told := unaskable_function(name, context):
        return ConditionFault(start, *told)
    guess = "" if name in _FUNCTIONS else did_you_mean(name, _FUNCTIONS)
    return ConditionFault(start, f'there is no function "{name}"', guess)


def _where_else(name: str, context: Context) -> str:
    """Where a name may stand that cannot be named here."""
    kind = context.elsewhere[name]
    if name == "grade":
        return "add a section: grades: {A: 40, B: 25, C: 10, D: 0}"
    if kind == "a property of events":
        return f"make a signal of it: when: {name} …"
    if "source" in context.types and kind in ("a trait of leads", "a fact about a lead"):
        return "a signal asks only of its event: let a bonus or a stage ask this"
    return ""


def _like(name: str, known: Iterable[str]) -> str:
    return did_you_mean(name, known) or did_you_mean(name.lower(), known)


def _mismatch(function: str, types: str) -> tuple[str, str]:
    told = [_PLAIN_NAMES.get(type_, type_) for type_ in types.split(", ")]
    sign = function.strip("_")
    subject = f"`{sign}` does not work on {' and '.join(told)}"
    if function == "@in":
        subject = f"`in` does not work on {' and '.join(told)}"
    match told:
        case ["number", "integer"]:
            return subject, "write the number with a decimal point, such as 5.0"
        case ["integer", "number"]:
            return subject, "write a whole number"
        case ["list", "string"]:
            return subject, 'ask whether the list holds it: "x" in tags'
    return subject, ""


def _syntax(message: str) -> str:
    problem = message.removeprefix("Syntax error: ").partition(" expecting ")[0]
    problem = problem.replace("'<EOF>'", "the end").replace("mismatched input", "unexpected")
    problem = problem.replace("extraneous input", "unexpected").replace("'= '", "'='")
    return f"not readable as CEL: {problem}"


def _bad_patterns(text: str, context: Context) -> Iterator[ConditionFault]:
    """Literal regular expressions that do not compile; CEL compiles them only when it runs."""
    tokens = words(text)
    for before, bracket, pattern in zip(tokens, tokens[1:], tokens[2:], strict=False):
        called = before.kind == "name" and before.text.rpartition(".")[2] == "matches"
        if called and bracket.text == "(" and pattern.kind == "string":
            tried = context.env.compile(f'"".matches({pattern.text})').eval(data={})
            if tried.type() == cel.Type.ERROR:
                problem = str(tried.value()).partition("invalid regular expression: ")[2]
                yield ConditionFault(
                    pattern.at, f"the regular expression does not compile: {problem}"
                )


def country_names(text: str, context: Context) -> Iterator[tuple[int, str]]:
    """Texts compared with ``country`` that are not country codes, each with its place."""
    if context.types.get("country") is not ValueType.STRING:
        return
    for literal in compared_with("country", text):
        said = literal.text.strip("\"'")
        if said and said not in CODES:
            yield literal.at + 1, said


def subtractions(text: str, context: Context) -> Iterator[Slip]:
    """Ranges that CEL takes for subtractions: ``employees == 50-500``."""
    tokens = words(text)
    for five in zip(*(tokens[n:] for n in range(5)), strict=False):
        name, _, least, minus, most = five
        spelt = [token.kind for token in five] == ["name", "sign", "number", "sign", "number"]
        if not spelt or minus.text != "-" or not (least.text.isdigit() and most.text.isdigit()):
            continue
        if context.types.get(name.text) is ValueType.INTEGER and int(least.text) < int(most.text):
            message = f"this subtracts: {minus.text.join([least.text, most.text])} is "
            message += str(int(least.text) - int(most.text))
            instead = f"{name.text} >= {least.text} && {name.text} <= {most.text}"
            yield Slip(name.at, text[name.at : most.end], instead, message)


def stage_literals(text: str, context: Context) -> Iterator[tuple[int, str]]:
    """The stages that a condition compares ``stage`` with, each with its place."""
    if context.types.get("stage") is not ValueType.STRING:
        return
    for literal in compared_with("stage", text):
        yield literal.at + 1, literal.text.strip("\"'")
