"""What people write in sentences, spreadsheets and other languages for a comparison or a count.

Each way looks at one place of a condition that CEL cannot compile, as those of ``slips`` do.
"""

import re
from collections.abc import Mapping, Sequence

from warmlead.model.condition_syntax import Token
from warmlead.model.conditions import Context
from warmlead.model.lint.miscounts import Meant
from warmlead.model.lint.place import ENDS, NEAR, WordPlace, meant
from warmlead.model.vocabulary import ValueType

_COMPARED: Mapping[tuple[str, ...], str] = {
    ("is", "greater", "than", "or", "equal", "to"): ">=",
    ("greater", "than", "or", "equal", "to"): ">=",
    ("is", "less", "than", "or", "equal", "to"): "<=",
    ("less", "than", "or", "equal", "to"): "<=",
    ("is", "not", "equal", "to"): "!=",
    ("not", "equal", "to"): "!=",
    ("does", "not", "equal"): "!=",
    ("is", "equal", "to"): "==",
    ("equal", "to"): "==",
    ("is", "exactly"): "==",
    ("is", "at", "least"): ">=",
    ("at", "least"): ">=",
    ("is", "at", "most"): "<=",
    ("at", "most"): "<=",
    ("is", "greater", "than"): ">",
    ("greater", "than"): ">",
    ("is", "more", "than"): ">",
    ("more", "than"): ">",
    ("is", "above"): ">",
    ("above",): ">",
    ("is", "over"): ">",
    ("over",): ">",
    ("exceeds",): ">",
    ("is", "less", "than"): "<",
    ("less", "than"): "<",
    ("is", "fewer", "than"): "<",
    ("fewer", "than"): "<",
    ("is", "below"): "<",
    ("below",): "<",
    ("is", "under"): "<",
    ("under",): "<",
    ("is", "not", "in"): "not in",
    ("is", "in"): "in",
    ("is", "not"): "!=",
    ("ge",): ">=",
    ("le",): "<=",
    ("gte",): ">=",
    ("gt",): ">",
    ("lte",): "<=",
    ("lt",): "<",
}
"""Longer phrases stand before those with which they begin."""

_UNKNOWN = ("empty", "null", "blank", "none", "nil", "undefined", "missing", "unknown", "unset")
_KNOWN = ("known", "set", "defined", "present", "filled", "populated")
_STATES: Mapping[tuple[str, ...], bool] = {
    **{("is", state): False for state in _UNKNOWN},
    **{("is", "not", state): True for state in _UNKNOWN},
    **{("is", state): True for state in _KNOWN},
    **{("is", "not", state): False for state in _KNOWN},
    **{(sign, state): False for sign in ("=", "==") for state in _UNKNOWN[1:6]},
    **{("!=", state): True for state in _UNKNOWN[1:6]},
    **{("<", ">", state): True for state in _UNKNOWN[1:6]},
    ("exists",): True,
    ("does", "not", "exist"): False,
    ("has", "any", "value"): True,
    ("has", "a", "value"): True,
    ("has", "no", "value"): False,
    ("?",): True,
}
"""Whether something is known, in words behind its name."""

_ASKS_UNKNOWN = ("isblank", "isempty", "is_empty", "empty", "isnull", "is_null", "is_unknown")
_ASKS_KNOWN = ("exists", "has", "defined", "isset", "known", "is_known", "notempty", "isnotnull")
_NOT = ("not", "!")
_LOWERED = ("lower", "upper", "lcase", "ucase", "tolower", "toupper", "lowercase", "uppercase")
_PATTERN_SIGNS = {
    "==": False,
    "=": False,
    "=~": False,
    "~=": False,
    "~": False,
    "matches": False,
    "regexp": False,
    "rlike": False,
    "!=": True,
    "!~": True,
}
_VERBS = {
    ("contains",): "contains",
    ("contain",): "contains",
    ("includes",): "contains",
    ("include",): "contains",
    ("starts", "with"): "startsWith",
    ("start", "with"): "startsWith",
    ("begins", "with"): "startsWith",
    ("begin", "with"): "startsWith",
    ("ends", "with"): "endsWith",
    ("end", "with"): "endsWith",
}
_PATH = re.compile(r"/[\w./-]*[\w/-]", re.ASCII)
_NEGATIONS = (("does", "not"), ("do", "not"), ("not",))
_ANY_OF = (("any", "of"), ("one", "of"), ("either",))
_LISTED = {("is", "any", "of"): "in", ("is", "one", "of"): "in", ("is", "either"): "in"}
_LISTED |= {("is", "none", "of"): "not in", ("is", "not", "any", "of"): "not in"}


def phrase(text: str, tokens: Sequence[Token], i: int, context: Context) -> Meant | None:
    """What is meant by the words at a place, if they say a comparison otherwise."""
    place = WordPlace(text, tokens, i, context)
    ways = (
        *(_pattern, _bare_path, _is_known, _asks_known, _of_a_list, _part_of_a_text),
        *(_ranged, _compared, _sized, _lowered),
    )
    return next((found for way in ways if (found := way(place))), None)


# --- texts -----------------------------------------------------------------------------------


def _pattern(place: WordPlace) -> Meant | None:
    """``title == /vp/i``, ``title ~= "vp"``, ``title !~ /intern/``."""
    name = place.ours()
    if name.rpartition(".")[2] in ("path", "landing_page") and place.word(2) == "/":
        return None
    signs = [place.token(n).text for n in (1, 2)]
    n, sign = 2, "".join(signs)
    if sign not in _PATTERN_SIGNS or place.token(2).at != place.token(1).end:
        n, sign = 1, signs[0].lower()
    if not name or sign not in _PATTERN_SIGNS:
        return None
    literal = place.token(n + 1)
    if literal.kind == "string" and ("~" in sign or sign in ("regexp", "rlike")):
        asked, last = literal.text, n + 1
    elif literal.text == "/" and (found := _between_slashes(place, n + 1)):
        pattern, last = found
        asked = ("r" if "\\" in pattern else "") + place.quoted(pattern)
    else:
        return None
    instead = f"{name}.matches({asked})" + (" == false" if _PATTERN_SIGNS[sign] else "")
    return meant(place, last, instead, "a regular expression is asked for by matches")


def _bare_path(place: WordPlace) -> Meant | None:
    """``path == /pricing``, ``path in [/pricing, "/plans"]``: a path without quotation marks."""
    before = place.word(-1)
    name = place.ours(-2) if before in ("==", "!=", "=") else "path" if before in ("[", ",") else ""
    if place.word() != "/" or name.rpartition(".")[2] not in ("path", "landing_page"):
        return None
    found = _PATH.match(place.text, place.token().at)
    if found is None:
        return None
    last = 0
    while place.token(last + 1).at < found.end() and place.kind(last + 1) != "end":
        last += 1
    return meant(place, last, place.quoted(found[0]), "a path is a text, and stands in quotes")


def _between_slashes(place: WordPlace, n: int) -> tuple[str, int] | None:
    """A regular expression from its slash on, its flag in front, and its last word."""
    for last in range(n + 1, n + NEAR):
        if place.word(last) == "/" and place.word(last - 1) != "\\":
            break
    else:
        return None
    pattern = place.text[place.token(n).end : place.token(last).at].replace("\\/", "/")
    flags = place.token(last + 1)
    has_flags = flags.kind == "name" and flags.at == place.token(last).end
    if not pattern or '"' in pattern or "'" in pattern:
        return None
    ignores_case = has_flags and "i" in flags.text
    return ("(?i)" if ignores_case else "") + pattern, last + has_flags


def _part_of_a_text(place: WordPlace) -> Meant | None:
    """``title starts with "VP"``, ``title does not contain "VP"``, ``… any of "VP", "CEO"``."""
    name, n, negated = place.ours(), 1, False
    if negation := next(place.all_of(_NEGATIONS, n), ()):
        n, negated = n + len(negation), True
    length, method = place.first_of(_VERBS, n)
    if not name or not method:
        return None
    n += length
    any_of = next(place.all_of(_ANY_OF, n), ())
    items, last = _items(place, n + len(any_of))
    if not items or not (negated or any_of or length > 1 or len(items) > 1):
        return None
    is_list = place.context.types[name] is ValueType.LIST
    asked = [f"{item} in {name}" if is_list else f"{name}.{method}({item})" for item in items]
    whole = asked[0] if len(asked) == 1 and not is_list else f"({' || '.join(asked)})"
    instead = f"{whole} == false" if negated else whole
    return meant(place, last, instead, f"a part of a text is asked for by {method}")


def _items(place: WordPlace, n: int) -> tuple[list[str], int]:
    """Texts separated by commas or ``or``, with brackets around them or not; and the last word."""
    opened = place.word(n) in ("[", "(")
    n += opened
    items: list[str] = []
    while place.kind(n) == "string" or (
        place.kind(n) == "name" and place.word(n) not in ENDS and place.word(n + 1) != "("
    ):
        items.append(place.literal(n))
        follows = place.word(n + 1) in (",", "or") and place.kind(n + 2) in ("string", "name")
        compares = place.kind(n + 2) == "name" and place.kind(n + 3) not in ("end", "sign")
        if not follows or compares or place.word(n + 3) in ("==", "!=", "=", "<", ">", "<=", ">="):
            break
        n += 2
    if opened and place.word(n + 1) in ("]", ")"):
        n += 1
    return items, n


def _of_a_list(place: WordPlace) -> Meant | None:
    """``title is any of "VP", "CEO"``."""
    name = place.ours()
    length, asked = place.first_of(_LISTED, 1)
    items, last = _items(place, 1 + length) if length else ([], 0)
    if not name or not items:
        return None
    instead = f"{name} in [{', '.join(items)}]"
    instead = instead if asked == "in" else f"({instead}) == false"
    return meant(place, last, instead, "one of several values is asked for by `in` and a list")


def _lowered(place: WordPlace) -> Meant | None:
    """``LOWER(title) = "vp"``; a regular expression can ignore case."""
    if place.word() not in _LOWERED or (place.word(1), place.word(3)) != ("(", ")"):
        return None
    name, literal = place.ours(2), place.token(5)
    sign = place.token(4).text
    if not name or sign not in ("==", "=") or literal.kind != "string":
        return None
    pattern = re.escape(literal.text[1:-1])
    if "\\" in pattern:
        return None
    instead = f"{name}.matches({place.quoted(f'(?i)^{pattern}$')})"
    return meant(place, 5, instead, f'there is no function "{place.token().text}"')


# --- whether something is known --------------------------------------------------------------


def _is_known(place: WordPlace) -> Meant | None:
    """``company is not empty``, ``company exists``, ``company == null``, ``company?``."""
    found = [*place.all_of(_STATES, 1)]
    if not found:
        return None
    said = max(found, key=len)
    if place.word(1 + len(said)) not in ENDS:
        return None
    return _whether_known(place, 0, len(said), is_known=_STATES[said])


def _asks_known(place: WordPlace) -> Meant | None:
    """``ISBLANK(company)``, ``!empty(company)``, ``exists(company)``, ``has(company)``."""
    negated = place.word() in _NOT
    at = 1 + (place.word(1) == "(") if negated else 0
    wrapped = at == 2  # noqa: PLR2004  # NOT(ISBLANK(company))
    asked = place.word(at)
    if asked not in (*_ASKS_UNKNOWN, *_ASKS_KNOWN):
        return None
    if (place.word(at + 1), place.word(at + 3)) != ("(", ")"):
        return None
    last = at + 3 + (wrapped and place.word(at + 4) == ")")
    return _whether_known(place, at + 2, last, is_known=(asked in _ASKS_KNOWN) is not negated)


def _sized(place: WordPlace) -> Meant | None:
    """``LEN(company) > 0``."""
    if place.word() not in ("len", "length", "strlen") or (place.word(1), place.word(3)) != (
        "(",
        ")",
    ):
        return None
    name = place.ours(2)
    if not name or place.context.types[name] not in (ValueType.STRING, ValueType.LIST):
        return None
    return meant(place, 3, f"size({name})", f'there is no function "{place.token().text}"')


def _whether_known(place: WordPlace, of: int, last: int, *, is_known: bool) -> Meant | None:
    """A comparison that holds of all values: what is not known is no value."""
    name = place.ours(of)
    asked = (
        {
            ValueType.STRING: f'{name} != ""',
            ValueType.INTEGER: f"{name} >= 0",
            ValueType.NUMBER: f"{name} >= 0.0",
            ValueType.LIST: f"size({name}) > 0",
            ValueType.BOOLEAN: f"{name} in [true, false]",
        }.get(place.context.types[name])
        if name
        else None
    )
    if asked is None:
        return None
    if name in ("stage", "grade") and "identified" in place.context.types:
        asked = "identified"  # every lead has both
    told = "what is not known is no value: a condition over it does not hold"
    if not is_known:
        told = f"nobody can ask for what is not known: ask who has a {name}, and turn it round"
    return meant(place, last, asked, told)


# --- numbers ---------------------------------------------------------------------------------


def _ranged(place: WordPlace) -> Meant | None:
    """``score is between 50 and 100``."""
    name, least, most = place.ours(), place.word(3), place.word(5)
    kinds = [place.kind(n) for n in (3, 5)]
    if not name or not place.begins(("is", "between"), 1) or place.word(4) not in ("and", "-"):
        return None
    if kinds != ["number", "number"]:
        return None
    instead = f"{name} >= {least} && {name} <= {most}"
    return meant(place, 5, instead, "a range is two comparisons")


def _compared(place: WordPlace) -> Meant | None:
    """``score is greater than 50``, ``score at least 50``, ``title is not "VP"``."""
    length, sign = place.first_of(_COMPARED)
    if not sign and place.word() == "is" and place.word(1) in ("<", "<=", ">", ">=", "==", "!="):
        length, sign = 2, place.word(1)
    if not sign or (place.kind(-1) != "name" and place.word(-1) != ")"):
        return None
    follows = place.kind(length)
    if sign in ("in", "not in"):
        fits = place.word(length) in ("[", "(")
    else:
        fits = follows in ("number", "string") or (follows == "name" and sign in ("==", "!="))
    if not fits:
        return None
    written = place.text[place.token().at : place.token(length - 1).end]
    return meant(place, length - 1, sign, f'not readable as CEL: unexpected "{written}"')
