"""What people write in sentences, and in spreadsheets, for counts, events and what joins clauses.

Each way looks at one place of a condition that CEL cannot compile, as those of ``slips`` do.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from warmlead.domain.measures import parse_measure
from warmlead.domain.stages import BUILT_IN_STAGES
from warmlead.model.condition_syntax import Token
from warmlead.model.conditions import Context
from warmlead.model.document import closest
from warmlead.model.lint.miscounts import PERIODS, Meant
from warmlead.model.lint.place import ENDS, NEAR, WordPlace, meant
from warmlead.model.lint.synonyms import stage_meant
from warmlead.model.lint.unaskable import unaskable_function, unaskable_name
from warmlead.model.vocabulary import ValueType

_MARKS = {"{": "}", "[": "]", "`": "`", "%": "%", "$": "", "@": ""}
_JOINING = ("when", "where", "if", "with", "but", "plus", "provided", "while")
_AMOUNTS = {("at", "least"): ">=", ("minimum",): ">=", ("min",): ">=", ("more", "than"): ">"}
_AMOUNTS |= {("over",): ">", ("at", "most"): "<=", ("less", "than"): "<", ("fewer", "than"): "<"}
_VISITS = ("visit", "visits", "session", "sessions")
_PAGES = ("page", "pages")
_USUAL_DAYS = 30
_DATES = "conditions know no dates"
_FILLING = ("out", "a", "an", "the", "web", "our", "any")
_OTHER_STEMS = {"visited": "viewed", "visits": "viewed", "visit": "viewed", "watch": "watched"}
_OTHER_STEMS |= {"filled": "submitted", "fills": "submitted", "fill": "submitted"}
_HELPING = ("has", "have", "had", "did", "was", "were", "is")


def sentence(text: str, tokens: Sequence[Token], i: int, context: Context) -> Meant | None:
    """What is meant by the words at a place, if they are a sentence or a spreadsheet's."""
    place = WordPlace(text, tokens, i, context)
    ways = (
        *(_spreadsheet, _marked, _many, _recently, _in_words, _in_a_stage, _dated, _joined),
        *(_bare_threshold, _without_subject, _at_rest, _so_often, _in_brackets),
    )
    return next((found for way in ways if (found := way(place))), None)


def _many(place: WordPlace) -> Meant | None:
    """``at least 3 visits in the last 30 days``, ``3 or more downloads``, ``3+ visits``."""
    length, sign = place.first_of(_AMOUNTS)
    if not place.is_first or place.kind(length) != "number" or not place.word(length).isdigit():
        return None
    number, n = place.word(length), length + 1
    if place.word(n) == "+":
        sign, n = ">=", n + 1
    elif place.begins(("or", "more"), n):
        sign, n = ">=", n + 2
    n += place.begins(("times",), n)
    words = list(takewhile(lambda word: word not in (*ENDS, *_WITHIN), _names(place, n)))
    counted = _counted(words, place.context)
    if not sign or not counted:
        return None
    n += len(words)
    length, days = _period(place, n)
    instead = f"{counted.format(days or _USUAL_DAYS)} {sign} {number}"
    return meant(place, n + length - 1, instead, "a count names its days, then what it counts")


_WITHIN = ("in", "within", "during", "over", "last", "past", "per")


def _names(place: WordPlace, n: int) -> Iterator[str]:
    """Up to three names in a row."""
    for k in range(n, n + 3):
        if place.kind(k) != "name":
            return
        yield place.word(k)


def _counted(words: Sequence[str], context: Context) -> str:
    """The count that is meant by some words, with a place for its days; empty if unknown."""
    if not context.countable or not words:
        return ""
    if words[-1] in _VISITS and "page_viewed" in context.countable:
        return "visits_{}d.page_viewed"
    if words[-1] in _PAGES and "page_viewed" in context.countable:
        return "distinct_{}d.page_viewed.path"
    label = _label_of(words, context)
    return f"last_{{}}d.{label}" if label else ""


def _label_of(words: Sequence[str], context: Context) -> str:
    """The signal or event whose name has the same words, in any order and form."""
    stems = {_stem(word) for word in words}
    exact = [label for label in context.countable if {_stem(w) for w in label.split("_")} == stems]
    if exact:
        return min(exact, key=lambda label: (label not in context.types, label))
    return closest("_".join(words).removesuffix("s"), context.countable)


def _stem(word: str) -> str:
    """The word without its ending; visiting a page is viewing it."""
    word = _OTHER_STEMS.get(word, word)
    return word.removesuffix("s").removesuffix("ing").removesuffix("ed").removesuffix("load")


def _period(place: WordPlace, n: int) -> tuple[int, int]:
    """How many words a period has that begins there (``in the last 30 days``), and its days."""
    at = n + (place.word(n) in _WITHIN[:4])
    while place.word(at) in ("the", "last", "past", "previous"):
        at += 1
    number, unit = place.word(at), place.word(at + 1).removesuffix("s")
    if at == n or not re.fullmatch(r"\d{1,3}", number) or unit not in PERIODS:
        return 0, 0
    return at + 2 - n, max(1, int(number) * PERIODS[unit])


def _recently(place: WordPlace) -> Meant | None:
    """``page_viewed last 30 days >= 3``; ``last 30 days`` alone."""
    label = place.token().text
    is_counted = label in place.context.countable
    length, days = _period(place, 1 if is_counted else 0)
    if not days or not place.context.countable:
        return None
    if is_counted:
        sign, number = place.token(1 + length), place.token(2 + length)
        is_compared = sign.text in ("==", "!=", "<", "<=", ">", ">=") and number.kind == "number"
        asked = f"{sign.text} {number.text}" if is_compared else ">= 1"
        message = "a count names its days before the signal"
        last = length + 2 * is_compared
        return meant(place, last, f"last_{days}d.{label} {asked}", message)
    if not place.is_first or place.word(length) not in ENDS:
        return None
    instead = f"days_inactive < {days}"
    return meant(place, length - 1, instead, "a period alone says nothing of what happened in it")


def _in_words(place: WordPlace) -> Meant | None:
    """``opened email``, ``has downloaded``, ``did not download``: an event in other words."""
    n = int(place.word() in _HELPING)
    negated = place.word(n) in ("not", "never")
    n += negated
    words = list(takewhile(lambda word: word not in (*ENDS, *_WITHIN, "is"), _names(place, n)))
    if not place.is_first or not place.context.countable or n + len(words) < 2:  # noqa: PLR2004  # one word alone is a name
        return None
    stems = {_stem(word) for word in words if word not in _FILLING}
    found = [c for c in place.context.countable if {_stem(w) for w in c.split("_")} == stems]
    length, days = _period(place, n + len(words)) if found else (0, 0)
    switched, is_true = _switch(place, n + len(words) + length)
    negated, length = negated is is_true, length + switched
    if not found or place.word(n + len(words) + length) not in ENDS:
        return None
    label = min(found, key=lambda each: (each not in place.context.types, each))
    if days:
        instead = f"last_{days}d.{label} {'== 0' if negated else '>= 1'}"
    elif label in place.context.types:
        instead = f"{label} == false" if negated else label
    else:
        instead = f"last_{_USUAL_DAYS}d.{label} {'== 0' if negated else '>= 1'}"
    last = n + len(words) + length - 1
    return meant(place, last, instead, "an event is one word, its parts joined by _")


def _switch(place: WordPlace, n: int) -> tuple[int, bool]:
    """How many words ``is true``, ``== false`` or ``!= true`` have there, and whether it is so."""
    sign, said = place.word(n), place.word(n + 1)
    if sign not in ("is", "=", "==", "!=") or said not in ("true", "false", "yes", "no"):
        return 0, True
    return 2, (said in ("true", "yes")) is (sign != "!=")


def _dated(place: WordPlace) -> Meant | None:
    """``created_at > "2026-01-01"``, ``today() - last_seen < 30``: a clause that asks for dates."""
    types, asked = place.context.types, place.token()
    wrong = unaskable_name(asked.text, place.context) or unaskable_function(
        asked.text, place.context
    )
    if not place.is_first or not wrong or _DATES not in wrong[0] or "days_inactive" not in types:
        return None
    depth, n = 0, 0
    while n < NEAR and place.kind(n + 1) != "end":
        depth += (place.word(n) in ("(", "[")) - (place.word(n) in (")", "]"))
        if depth <= 0 and place.word(n + 1) in ENDS:
            break
        n += 1
    compared = [place.word(k) for k in range(n) if place.word(k) in ("<", "<=", ">", ">=")]
    counts = re.search("days|age", asked.text)
    is_old = (compared[:1] in (["<"], ["<="])) is not bool(counts) if compared else False
    return meant(place, n, f"days_inactive {'>=' if is_old else '<'} 30", wrong[0])


def _in_a_stage(place: WordPlace) -> Meant | None:
    """``is mql``, ``is not a customer``, ``is_customer == false``: a stage in other words."""
    types, n = place.context.types, 1
    name = place.word().removeprefix("is_")
    if place.word() == "is":
        while place.word(n) in ("not", "a", "an"):
            n += 1
        name = place.word(n)
        n += 1
    stage = stage_meant(name, (*BUILT_IN_STAGES, "mql"))
    if n == 1 and name == place.word() and stage != name:
        return None
    if not place.is_first or not stage or types.get("stage") is not ValueType.STRING:
        return None
    length, is_true = _switch(place, n)
    negated = (place.word(1) == "not") is is_true
    n += length
    if place.word(n) not in ENDS:
        return None
    instead = f"stage {'!=' if negated else '=='} {place.quoted(stage)}"
    return meant(place, n - 1, instead, "a stage is what `stage` is compared with")


# --- what joins, and what stands around ------------------------------------------------------


def _spreadsheet(place: WordPlace) -> Meant | None:
    """``AND(score >= 50, fit >= 20)``, ``IF(score >= 50, TRUE, FALSE)``."""
    called = place.word()
    if called not in ("and", "or", "if") or place.word(1) != "(" or not place.is_first:
        return None
    last = place.until(")", 1)
    parts = _parts(place, 2, last) if last else []
    if called == "if":
        is_plain = [part.lower() for part in parts[1:]] == ["true", "false"]
        instead = f"({parts[0]})" if is_plain else ""
    else:
        joined = (" && " if called == "and" else " || ").join(parts)
        instead = f"({joined})" if len(parts) > 1 else ""
    message = f'there is no function "{place.token().text}": conditions are joined by && and ||'
    return meant(place, last, instead, message) if instead else None


def _parts(place: WordPlace, n: int, last: int) -> list[str]:
    """The texts between the commas of a function."""
    parts, depth, start = [], 0, place.token(n).at
    for k in range(n, last + 1):
        depth += (place.word(k) in ("(", "[")) - (place.word(k) in (")", "]"))
        if k == last or (place.word(k) == "," and depth == 0):
            parts.append(place.text[start : place.token(k).at].strip())
            start = place.token(k).end
    return parts


def _marked(place: WordPlace) -> Meant | None:
    """``{{country}}``, ``$country``, ``[country] ==``, with a mark of other tools around a name."""
    closing = _MARKS.get(place.word())
    if closing is None or not place.is_first:
        return None
    n = 2 if closing and place.word(1) == place.word() else 1
    name, marks = place.ours(n), "".join(place.word(n + k) for k in range(1, n + 1))
    if not name or (closing and marks != closing * n):
        return None
    last = n + n if closing else n
    if place.word() == "[" and place.word(last + 1) not in ("==", "!=", "=", "<", ">", "<=", ">="):
        return None
    return meant(place, last, name, "a name stands without marks around it")


def _joined(place: WordPlace) -> Meant | None:
    """``score >= 50, fit >= 20``; ``score >= 50 when fit >= 20``; ``… unless free_mailbox``."""
    word = place.word()
    before = place.kind(-1) in ("number", "string", "name") or place.word(-1) in (")", "]")
    if not before or place.i > NEAR:
        return None
    if word == "unless" and place.context.types.get(place.ours(1)) is ValueType.BOOLEAN:
        message = f'not readable as CEL: unexpected "{place.token().text}"'
        return meant(place, 1, f"&& !{place.ours(1)}", message)
    if word in _JOINING and place.kind(1) == "name":
        return meant(place, 0, "&&", f'not readable as CEL: unexpected "{place.token().text}"')
    if word not in (",", ";") or place.kind(1) != "name":
        return None
    brackets = [place.tokens[k].text for k in range(place.i)]
    is_open = sum((each in "([{") - (each in ")]}") for each in brackets if each)
    return None if is_open else meant(place, 0, "&&", f"`{word}` joins no conditions")


# --- clauses of which a part is missing ------------------------------------------------------


def _bare_threshold(place: WordPlace) -> Meant | None:
    """``50``, ``>= 50`` and ``score 50+`` as a whole condition."""
    n = int(place.word() == "score")
    n += place.word(n) in (">=", ">")
    number, is_over = place.token(n).text, place.word(n + 1) == "+"
    ends = place.kind(n + 1 + is_over) == "end"
    if place.i or not number.isdigit() or not ends or "score" not in place.context.types:
        return None
    if place.word() == "score" and place.word(1) in (">=", ">"):
        return None
    return meant(place, n + is_over, f"score >= {number}", "a condition says what it asks for")


def _without_subject(place: WordPlace) -> Meant | None:
    """``employees > 50 && < 500``, ``title contains "VP" or contains "CEO"``."""
    sign, literal = place.word(1), place.token(2)
    compares = sign in ("<", "<=", ">", ">=") and literal.kind == "number"
    if place.word() not in ("&&", "||", "and", "or") or literal.kind not in ("number", "string"):
        return None
    if not compares and (sign != "contains" or literal.kind != "string"):
        return None
    before = (place.token(-n).text for n in range(1, min(place.i, NEAR) + 1))
    names = (word if word in place.context.types else word.rpartition(".")[0] for word in before)
    name = next((name for name in names if name in place.context.types), "")
    if not name:
        return None
    joined = {"and": "&&", "or": "||"}.get(place.word(), place.word())
    asked = f"{sign} {literal.text}" if compares else f".contains({literal.text})"
    instead = f"{joined} {name}{' ' if compares else ''}{asked}"
    return meant(place, 2, instead, "each comparison says what it compares")


_RESTING = {("no", "activity"): ">=", ("inactive",): ">=", ("not", "active"): ">="}
_RESTING |= {("active",): "<"}


def _at_rest(place: WordPlace) -> Meant | None:
    """``active in the last 30 days``, ``inactive for 90 days``, ``no activity in 90 days``."""
    phrases = {
        ("no", "activity"): ">=",
        ("inactive",): ">=",
        ("active",): "<",
        ("not", "active"): ">=",
    }
    n, sign = place.first_of(phrases)
    if not place.is_first or not sign or "days_inactive" not in place.context.types:
        return None
    while place.word(n) in (*_WITHIN, "for", "the", "past", "more", "than", ">", ">="):
        n += 1
    unit = place.word(n + 1).removesuffix("s")
    if not place.word(n).isdigit() or unit not in PERIODS or place.word(n + 2) not in ENDS:
        return None
    days = int(place.word(n)) * PERIODS[unit]
    return meant(place, n + 1, f"days_inactive {sign} {days}", "activity is asked for by its days")


def _so_often(place: WordPlace) -> Meant | None:
    """``downloaded twice``, ``downloaded at least 2 times``."""
    label, n = place.token().text, 1
    length, sign = place.first_of(_AMOUNTS, n)
    n += length
    number = {"once": "1", "twice": "2", "thrice": "3"}.get(place.word(n), place.word(n))
    if not place.is_first or label not in place.context.countable or not number.isdigit():
        return None
    last = n + (place.word(n + 1) in ("times", "time", "x"))
    period, days = _period(place, last + 1)
    if place.word(last + period + 1) not in ENDS:
        return None
    instead = f"last_{days or _USUAL_DAYS}d.{label} {sign or '>='} {number}"
    return meant(place, last + period, instead, "a count names its days, then what it counts")


def _in_brackets(place: WordPlace) -> Meant | None:
    """``last_30d(downloaded)``, ``last_30d[downloaded]``."""
    marks = (place.word(1), place.word(3))
    name = f"{place.token().text}.{place.token(2).text}"
    if marks not in (("(", ")"), ("[", "]")) or parse_measure(name) is None:
        return None
    return meant(place, 3, name, "a window and what it counts are joined by a dot")
