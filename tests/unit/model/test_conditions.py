"""Conditions: when they hold, when they do not, and what they say is missing."""

from collections.abc import Callable

import pytest

from cost import assert_linear
from warmlead.model.condition_syntax import words
from warmlead.model.conditions import CompiledCondition, Context, Formula
from warmlead.model.document import read
from warmlead.model.loading import check
from warmlead.model.plan import is_compiled
from warmlead.model.vocabulary import ValueType

TYPES = {
    "score": ValueType.INTEGER,
    "fit": ValueType.INTEGER,
    "employees": ValueType.INTEGER,
    "budget": ValueType.NUMBER,
    "country": ValueType.STRING,
    "title": ValueType.STRING,
    "stage": ValueType.STRING,
    "free_mailbox": ValueType.BOOLEAN,
    "unsubscribed": ValueType.BOOLEAN,
    "tags": ValueType.LIST,
    "last_30d.webinar_attended": ValueType.INTEGER,
    "last_30d.whitepaper_downloaded": ValueType.INTEGER,
    "last_1d.page_viewed": ValueType.INTEGER,
    "engagement": ValueType.INTEGER,
    "visits_30d.page_viewed": ValueType.INTEGER,
    "distinct_7d.page_viewed.path": ValueType.INTEGER,
    "sum_1d.page_left.seconds": ValueType.INTEGER,
    "latest.paper.kind": ValueType.STRING,
}
CONTEXT = Context.of(TYPES, {})
MQL = (
    "fit >= 20 && score >= 50 && "
    "(last_30d.whitepaper_downloaded >= 1 || last_30d.webinar_attended >= 1)"
)

SCORE_5, FIT_5 = "a score of at least 5 (is 1)", "a fit of at least 5 (is 1)"
ONCE = "at least once in the last 30 days (is 0)"


def condition(text: str) -> CompiledCondition:
    return CompiledCondition(text, CONTEXT)


@pytest.mark.parametrize(
    ("text", "facts", "holds"),
    [
        ("score >= 50", {"score": 50}, True),
        ("score >= 50", {"score": 49}, False),
        ("score >= 50", {}, False),
        ("score < 50", {}, False),
        ('country != "US"', {}, False),
        ("!free_mailbox", {}, False),
        ("!free_mailbox", {"free_mailbox": False}, True),
        ('country == "US" || score >= 50', {"score": 60}, True),
        ('country == "US" || score >= 50', {"score": 40}, False),
        ('"vip" in tags', {"tags": ["vip", "new"]}, True),
        ("budget > 1.5", {"budget": 2.0}, True),
        ('title.matches("(?i)\\\\bvp\\\\b")', {"title": "VP Marketing"}, True),
        ("last_30d.webinar_attended >= 1", {"last_30d.webinar_attended": 1}, True),
        ('stage in ["sql", "customer"]', {"stage": "sql"}, True),
        ('latest.paper.kind == "case study"', {"latest.paper.kind": "CaseStudy"}, True),
        ('latest.paper.kind.startsWith("case")', {"latest.paper.kind": "case_study"}, True),
        ('latest.paper.kind != "guide"', {}, False),
        # values that are not of the declared type are as good as unknown
        ("score >= 50", {"score": "60"}, False),
        ("score >= 50", {"score": None}, False),
        ("score >= 50", {"score": 2**70}, False),
        ('country == "US"', {"country": 5}, False),
        ('country != "US"', {"country": "\ud800"}, False),
        ("fit + score > 10", {"fit": 2**63 - 1, "score": 2**63 - 1}, False),
        ("score / fit > 1", {"fit": 0, "score": 1}, False),
    ],
)
def test_a_condition_holds_only_if_it_is_known_to(
    text: str, facts: dict[str, object], holds: bool
) -> None:
    assert condition(text)(facts) is holds


def test_nothing_is_missing_when_a_condition_holds() -> None:
    facts = {"fit": 20, "score": 50, "last_30d.webinar_attended": 1}

    assert condition(MQL)(facts)
    assert condition(MQL).missing(facts) == ()


def test_each_failing_clause_is_listed_with_its_value() -> None:
    facts = {
        "fit": 25,
        "score": 32,
        "last_30d.webinar_attended": 0,
        "last_30d.whitepaper_downloaded": 0,
    }

    assert condition(MQL).missing(facts) == (
        "a score of at least 50 (is 32)",
        f"one of: Whitepaper downloaded {ONCE}, Webinar attended {ONCE}",
    )


def test_what_many_alternatives_ask_for_is_said_once() -> None:
    windows = [f"last_30d.{name}" for name in ("whitepaper_downloaded", "webinar_attended")]
    windows += ["last_30d.page_viewed", "last_1d.page_viewed"]
    context = Context.of(dict.fromkeys(windows, ValueType.INTEGER), {})
    text = " || ".join(f"{each} >= 1" for each in windows)

    (told,) = CompiledCondition(text, context).missing(dict.fromkeys(windows, 0))
    together = f"Whitepaper downloaded, Webinar attended or Page viewed {ONCE}"
    assert told == f"one of: {together}, Page viewed at least once today (is 0)"


@pytest.mark.parametrize(
    ("text", "facts", "missing"),
    [
        ('country == "US"', {}, ('country == "US" (country is unknown)',)),
        ('country == "US"', {"country": "DE"}, ('country == "US" (is "DE")',)),
        ("unsubscribed", {"unsubscribed": False}, ("unsubscribed (is false)",)),
        ("!unsubscribed", {"unsubscribed": True}, ("!unsubscribed (unsubscribed is true)",)),
        ("score > fit", {"score": 1, "fit": 2}, ("score > fit (score is 1, fit is 2)",)),
        ("last_1d.page_viewed >= 3", {"last_1d.page_viewed": 1},
         ("Page viewed at least 3 times today (is 1)",)),
        ("visits_30d.page_viewed >= 3", {"visits_30d.page_viewed": 1},
         ("Page viewed in at least 3 visits in the last 30 days (is 1)",)),
        ("distinct_7d.page_viewed.path >= 3", {"distinct_7d.page_viewed.path": 2},
         ("Page viewed with at least 3 different values of path in the last 7 days (is 2)",)),
        ("sum_1d.page_left.seconds >= 300", {"sum_1d.page_left.seconds": 40},
         ("Page left with at least 300 seconds in all today (is 40)",)),
        ('latest.paper.kind == "guide"', {"latest.paper.kind": "report"},
         ('latest.paper.kind == "guide" (is "report")',)),
        ("score > 50", {"score": 50}, ("a score of more than 50 (is 50)",)),
        ("last_1d.page_viewed > 3", {"last_1d.page_viewed": 3},
         ("last_1d.page_viewed > 3 (is 3)",)),
        ("engagement >= 30", {"engagement": 2}, ("engagement of at least 30 (is 2)",)),
        ("50 <= score", {"score": 1}, ("50 <= score (score is 1)",)),
        ('"vip" in tags', {"tags": ["a"]}, ('"vip" in tags (tags is ["a"])',)),
        ("1 > 2", {}, ("1 > 2",)),
        # parentheses that change nothing are gone, and nested groups are one
        ("((score >= 5) && (fit >= 5))", {"score": 1, "fit": 1},
         (SCORE_5, FIT_5)),
        ("score >= 5 || (fit >= 5 || unsubscribed)", {"score": 1, "fit": 1, "unsubscribed": False},
         (f"one of: {SCORE_5}, {FIT_5}, unsubscribed (is false)",)),
        # within a group only what is missing of an alternative is told
        ("(score >= 5 && fit >= 5) || unsubscribed", {"score": 9, "fit": 1, "unsubscribed": False},
         (f"one of: {FIT_5}, unsubscribed (is false)",)),
        ("(score >= 5 && fit >= 5) || unsubscribed", {"score": 1, "fit": 1, "unsubscribed": False},
         (f"one of: {SCORE_5} and {FIT_5}, unsubscribed (is false)",)),
        # && and || within texts, functions and ?: do not split anything
        ('country == "a && b"', {"country": "c"}, ('country == "a && b" (is "c")',)),
        ("score > 5 ? fit > 5 : fit > 9 && fit < 12", {"score": 6, "fit": 1},
         ("score > 5 ? fit > 5 : fit > 9 && fit < 12 (score is 6, fit is 1)",)),
        ('tags.exists(t, t == "a" || t == "b")', {"tags": []},
         ('tags.exists(t, t == "a" || t == "b") (is [])',)),
        ("score >= 5 // and why\n && fit >= 5", {"score": 5, "fit": 1}, (FIT_5,)),
    ],
)  # fmt: skip
def test_what_is_missing_reads_like_a_sentence(
    text: str, facts: dict[str, object], missing: tuple[str, ...]
) -> None:
    assert condition(text).missing(facts) == missing


def test_a_condition_knows_what_it_names() -> None:
    text = 'score >= 1 && title.startsWith("fit") && last_30d.webinar_attended > 0 && score < 9'

    assert condition(text).names == ("score", "title", "last_30d.webinar_attended")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ('a == "b\\"c" && d', ["a", "==", '"b\\"c"', "&&", "d"]),
        ("""r"\\d" + '\\'' in e""", ['r"\\d"', "+", "'\\''", "in", "e"]),
        ('x.matches("""a"b\nc""")', ["x.matches", "(", '"""a"b\nc"""', ")"]),
        ('a == "b // c" // d', ["a", "==", '"b // c"']),
        ('a == "b\nc', ["a", "==", '"b', "c"]),
        ("a == '''b\nc", ["a", "==", "'''b\nc"]),
        ('"\\', ['"', "\\"]),
    ],
)
def test_a_condition_is_taken_apart_into_words_and_signs(text: str, tokens: list[str]) -> None:
    assert [token.text for token in words(text)] == tokens


def clause(text: str) -> object:
    """What a clause of this text says is missing; CEL itself does not see the text."""
    formula = Formula("score >= 5", CONTEXT)
    formula.text = text
    return formula.with_values({"score": 1})


# (what, work, a text n times as long as its smallest one)
LINEAR: list[tuple[str, Callable[[str], object], Callable[[int], str]]] = [
    ("quotes that are escaped", words, lambda n: '"' + '\\"' * n),
    ("quotes of both kinds", words, lambda n: "\"'\\" * n),
    ("lines of open quotes", words, lambda n: '"a\n' * n),
    ("an open block of text", words, lambda n: '"""' + '\\"""' * n),
    ("blocks of text", words, lambda n: "\"\"\"'''" * n + "x"),
    ("prefixes of strings", words, lambda n: 'rb"\\' * n),
    ("dots", words, lambda n: "a . " * n),
    ("space behind a name", words, lambda n: "a" + " " * n + "+"),
    ("digits", words, lambda n: "1" * n + "x"),
    ("comments", words, lambda n: "//" * n),
    ("a long label", clause, lambda n: "last_30d." + "a" * n),
    ("a long window", clause, lambda n: "last_" + "3" * n),
    ("a long threshold", clause, lambda n: "score >= " + "1" * n + "x"),
    ("space before a sign", clause, lambda n: "score" + " " * n),
    ("space before JSON", lambda text: is_compiled(text.encode()), lambda n: " " * n),
    ("space in JSON", lambda text: is_compiled(text.encode()), lambda n: '{"format":' + " " * n),
    ("brackets without quotes", read, lambda n: "[" + 'a in ["b"],' * (n // 10) + "]"),
    ("an open bracket", read, lambda n: "{a: b [" + "c (" * n),
    ("a line without an end", read, lambda n: "a: " + "b-" * n + ": c"),
    ("slips in a condition", check, lambda n: in_fit("“a”" * (n // 8))),
    ("slips beside unknown keys", check, lambda n: in_fit("“a”" * (n // 8), unknown=n // 8)),
]


def in_fit(condition: str, *, unknown: int = 0) -> str:
    """A model file with a condition, and so many keys of a signal that nobody knows."""
    keys = "".join(f"    key{n}: 1\n" for n in range(unknown))
    signal = f"signals:\n  seen:\n    on: page_viewed\n    points: 1\n{keys}"
    return f"{signal}fit:\n  odd: {{when: '{condition}', points: 5}}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "make"), [case[1:] for case in LINEAR], ids=[case[0] for case in LINEAR]
)
def test_a_text_that_is_four_times_as_long_costs_four_times_as_much(
    work: Callable[[str], object], make: Callable[[int], str]
) -> None:
    few, many = make(2_000), make(8_000)
    assert_linear(lambda: work(few), lambda: work(many))
