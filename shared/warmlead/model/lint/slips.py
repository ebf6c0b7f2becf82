"""What people write for CEL, and what they mean: words of SQL, spreadsheets and other languages.

A slip has a text that, put in the place of what was written, mends it. Asked only of conditions
that CEL cannot compile, so nothing that is valid is ever called a slip.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from warmlead.model.condition_syntax import Token
from warmlead.model.conditions import Context
from warmlead.model.lint.labels import Reread, reread
from warmlead.model.lint.miscounts import miscount
from warmlead.model.lint.mistyped import mistyped
from warmlead.model.lint.phrases import phrase
from warmlead.model.lint.sentences import sentence
from warmlead.model.lint.synonyms import code_of_country, our_word
from warmlead.model.vocabulary import ValueType


@dataclass(frozen=True, slots=True)
class Slip:
    """A text at the character ``at`` that is to be replaced by ``instead``."""

    at: int
    written: str
    instead: str
    message: str

    @property
    def end(self) -> int:
        """The index after what was written."""
        return self.at + len(self.written)

    @property
    def suggestion(self) -> str:
        """What to do, to be followed word by word."""
        return f"write {self.instead} for {self.written}"


def slips_in(text: str, context: Context) -> list[Slip]:
    """The slips of a condition, from left to right; none overlaps another."""
    reader = _Reader(text, context)
    return list(reader.slips())


def mended(text: str, slips: Sequence[Slip]) -> str:
    """The text with all slips replaced."""
    for slip in reversed(slips):
        text = text[: slip.at] + slip.instead + text[slip.end :]
    return text


def place_before(at: int, slips: Sequence[Slip]) -> int | None:
    """The place in the text as it was written of a place in the mended one; ``None``: in a slip."""
    shift = 0
    for slip in slips:
        start = slip.at + shift
        if at < start:
            break
        if at < start + len(slip.instead):
            return None
        shift += len(slip.instead) - len(slip.written)
    return at - shift


MEASURE = re.compile(r"(?:[a-z_]+_\d+[a-z]*|latest|before|visits|distinct|sum|first|last)\.")
"""What a measure over days begins with, ``last_30d.``, or what ``unmeasured`` knows."""

_SIGNS = {
    "=": "==",
    "===": "==",
    "=>": ">=",
    "=<": "<=",
    "<>": "!=",
    "!==": "!=",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "&": "&&",
    "|": "||",
}
_WORDS = {"and": "&&", "or": "||"}
_METHODS = {
    "contains": "contains",
    "contain": "contains",
    "includes": "contains",
    "include": "contains",
    "has": "contains",
    "like": "contains",
    "ilike": "matches",
    "startswith": "startsWith",
    "starts_with": "startsWith",
    "beginswith": "startsWith",
    "begins_with": "startsWith",
    "endswith": "endsWith",
    "ends_with": "endsWith",
    "matches": "matches",
    "match": "matches",
    "test": "matches",
}
_EQUALS = {"is": "==", "equals": "==", "eq": "==", "isnt": "!=", "ne": "!="}
_TURNED = {"==": "!=", "=": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_LOWERED = ("tolowercase", "lower", "lowercase", "lowerascii", "tolower")
_SWITCHES = {"true": "true", "yes": "true", "false": "false", "no": "false"}
_COMPARING = ("==", "!=", "<", "<=", ">", ">=", "=")
_OPENING, _CLOSING = "“„«‘‚", "”“»’"
_NEAR = 200
"""How many words around a slip are looked at, so that the work is linear in the text."""

_KEPT = ("true", "false", "null", "in", "and", "or", "not")


def _unread(written: str) -> str:
    return f'not readable as CEL: unexpected "{written}"'


class _Reader:
    """Reads the words of one condition, and asks of each place whether a slip begins there."""

    def __init__(self, text: str, context: Context) -> None:
        self._text = text
        self._context = context
        self._tokens = reread(text, context)
        self._quote = "'" if "'" in text and '"' not in text else '"'
        self._ways: tuple[Callable[[int], Slip | None], ...] = (
            self._curly,
            self._phrased,
            self._miscounted,
            self._mistyped,
            self._lowered,
            self._called,
            self._infix,
            self._chained,
            self._between,
            self._listed,
            self._denied,
            self._negated,
            self._dangling,
            self._sign,
            self._typed,
            self._unquoted,
            self._joined,
            self._method,
            self._foreign,
            self._reread,
        )

    def slips(self) -> Iterator[Slip]:
        """The first way that finds a slip at a place is taken; it is over all that it replaces."""
        i = 0
        while i < len(self._tokens):
            at = self._tokens[i].at
            slip = next((found for way in self._ways if (found := way(i))), None)
            if slip is None:
                i += 1
                continue
            yield slip
            while i < len(self._tokens) and self._tokens[i].at < max(slip.end, at + 1):
                i += 1

    # --- what stands there ----------------------------------------------------------------

    def _at(self, i: int) -> Token:
        return self._tokens[i] if 0 <= i < len(self._tokens) else Token("end", "", len(self._text))

    def _texts(self, i: int, count: int) -> list[str]:
        return [self._at(i + n).text for n in range(count)]

    def _kinds(self, i: int, count: int) -> list[str]:
        return [self._at(i + n).kind for n in range(count)]

    def _type(self, token: Token) -> ValueType | None:
        return self._context.types.get(self._ours(token.text)) if token.kind == "name" else None

    def _ours(self, name: str) -> str:
        """The name as this place knows it."""
        return name if name in self._context.types else our_word(name, self._context.types) or name

    def _slip(self, first: int, last: int, instead: str, message: str) -> Slip:
        start, end = self._at(first).at, self._at(last).end
        return Slip(start, self._text[start:end], instead, message)

    def _quoted(self, text: str, of: str = "") -> str:
        code = code_of_country(text) if of == "country" else ""
        return f"{self._quote}{code or text}{self._quote}"

    def _literal(self, token: Token) -> str:
        return token.text if token.kind == "string" else self._quoted(token.text)

    # --- the ways -------------------------------------------------------------------------

    def _curly(self, i: int) -> Slip | None:
        """“US”, as a word processor writes it."""
        token = self._at(i)
        if token.text not in _OPENING or token.kind != "sign":
            return None
        rest = self._text[token.end :]
        end = min((found for mark in _CLOSING if (found := rest.find(mark)) >= 0), default=None)
        if end is None:
            return None
        written = self._text[token.at : token.end + end + 1]
        message = f"{token.text} is no quotation mark of CEL"
        return Slip(token.at, written, self._quoted(rest[:end]), message)

    def _phrased(self, i: int) -> Slip | None:
        """``score is at least 50``, ``3+ visits``: what ``phrases`` and ``sentences`` know."""
        words_here = (self._text, self._tokens, i, self._context)
        meant = phrase(*words_here) or sentence(*words_here)
        return self._slip(i, *meant) if meant else None

    def _miscounted(self, i: int) -> Slip | None:
        """``page_viewed >= 3``, ``last_month.page_viewed``: what ``miscounts`` knows."""
        meant = miscount(self._tokens, i, self._context)
        return self._slip(i, *meant) if meant else None

    def _mistyped(self, i: int) -> Slip | None:
        """``consent == "yes"``, ``score >= 50 points``: what ``mistyped`` knows."""
        meant = mistyped(self._tokens, i, self._context)
        return self._slip(i, *meant) if meant else None

    def _lowered(self, i: int) -> Slip | None:
        """``title.toLowerCase().contains("vp")``; a regular expression can ignore case."""
        name, _, method = self._at(i).text.rpartition(".")
        if not name or method.lower() not in _LOWERED or self._texts(i + 1, 2) != ["(", ")"]:
            return None
        inner, last = "", i + 2
        if self._at(i + 3).text == "." and self._texts(i + 5, 1) == ["("]:
            called, inner, last = self._at(i + 4).text, self._at(i + 6).text[1:-1], i + 7
            found = _METHODS.get(called.lower(), "")
        elif self._at(i + 3).text == "==":
            found, inner, last = "==", self._at(i + 4).text[1:-1], i + 4
        else:
            found = ""
        pattern = {
            "contains": re.escape(inner),
            "startsWith": "^" + re.escape(inner),
            "endsWith": re.escape(inner) + "$",
            "==": f"^{re.escape(inner)}$",
        }.get(found)
        if pattern is None or "\\" in pattern:
            return None
        instead = f"{self._ours(name)}.matches({self._quote}(?i){pattern}{self._quote})"
        return self._slip(i, last, instead, f'there is no function "{method}"')

    def _called(self, i: int) -> Slip | None:
        """``contains(title, "VP")``."""
        method = _METHODS.get(self._at(i).text.lower())
        if method is None or self._kinds(i + 2, 3) != ["name", "sign", "string"]:
            return None
        opening, name, comma, literal, closing = self._texts(i + 1, 5)
        if (opening, comma, closing) != ("(", ",", ")"):
            return None
        message = f'"{self._at(i).text}" is asked of a text, with a dot'
        return self._slip(i, i + 5, f"{self._ours(name)}.{method}({literal})", message)

    def _infix(self, i: int) -> Slip | None:
        """``title contains "VP"``, ``title.startsWith "VP"``, ``title =~ "vp"``."""
        subject, between = self._at(i), self._at(i + 1)
        if subject.kind != "name" or subject.text.lower() in _KEPT:
            return None
        name, dot, called = subject.text.rpartition(".")
        if dot and called.lower() in _METHODS and between.kind == "string":
            method, last = _METHODS[called.lower()], i + 1
        elif between.text.lower() in _METHODS and self._at(i + 2).kind in ("string", "name"):
            name, called, method = subject.text, between.text, _METHODS[between.text.lower()]
            last = i + 2
        elif self._texts(i + 1, 2) == ["=", "~"] and self._at(i + 3).kind == "string":
            name, called, method, last = subject.text, "=~", "matches", i + 3
        else:
            return None
        name, literal = self._ours(name), self._literal(self._at(last))
        if called.lower() in ("like", "ilike"):
            bare = literal[1:-1].replace("%", "")
            literal = self._quoted(bare if called.lower() == "like" else f"(?i){re.escape(bare)}")
        message = f'"{called}" does not stand between two values'
        if self._context.types.get(name) is ValueType.LIST:
            return self._slip(i, last, f"({literal} in {name})", message)
        return self._slip(i, last, f"{name}.{method}({literal})", message)

    def _chained(self, i: int) -> Slip | None:
        """``50 <= employees <= 500``."""
        if self._kinds(i, 5) != ["number", "sign", "name", "sign", "number"]:
            return None
        least, first, name, second, most = self._texts(i, 5)
        if first not in ("<", "<=") or second not in ("<", "<="):
            return None
        ours = self._ours(name)
        instead = f"{least} {first} {ours} && {ours} {second} {most}"
        return self._slip(i, i + 4, instead, "one comparison has two sides")

    def _between(self, i: int) -> Slip | None:
        """``employees between 50 and 500``, ``employees in 50-500``."""
        name, word, least, to, most = self._texts(i, 5)
        kinds = self._kinds(i, 5)
        if kinds[0] != "name" or kinds[2] != "number" or kinds[4] != "number":
            return None
        if (word.lower(), to.lower()) != ("between", "and") and (word, to) != ("in", "-"):
            return None
        ours = self._ours(name)
        instead = f"{ours} >= {least} && {ours} <= {most}"
        return self._slip(i, i + 4, instead, "a range is two comparisons")

    def _listed(self, i: int) -> Slip | None:
        """``country in ("US", "CA")``; the list is slipped at its bracket."""
        if self._at(i).text != "(" or self._at(i - 1).text != "in":
            return None
        end = next((n for n in range(i, i + _NEAR) if self._at(n).text == ")"), None)
        if end is None:
            return None
        inside = self._text[self._at(i).end : self._at(end).at]
        for mark in {*_OPENING, *_CLOSING}:
            inside = inside.replace(mark, self._quote)
        return self._slip(i, end, f"[{inside}]", "a list stands in square brackets")

    def _negated(self, i: int) -> Slip | None:
        """``NOT free_mailbox``, ``country not in ["US"]``.

        A condition that begins with ``!`` needs quotes in YAML, so none does that did not.
        """
        token, after = self._at(i), self._at(i + 1)
        if token.kind == "name" and after.text.lower() == "not" and self._at(i + 2).text == "in":
            end = next((n for n in range(i, i + _NEAR) if self._at(n).text == "]"), None)
            if end is None or self._at(i + 3).text != "[":
                return None
            listed = self._text[self._at(i + 3).at : self._at(end).end]
            asked = f"({self._ours(token.text)} in {listed})"
            return self._slip(i, end, f"{asked} == false", '"not" stands before what it denies')
        if token.kind != "name" or token.text.lower() != "not":
            return None
        message = _unread(token.text)
        if after.kind == "name" and self._at(i + 2).kind in ("end", "sign"):
            name = self._ours(after.text)
            free = self._at(i + 2).text in ("", ")", "&&", "||") or token.at > 0
            instead = f"!{name}" if token.at > 0 else f"{name} == false"
            return self._slip(i, i + 1, instead, message) if free else None
        return self._slip(i, i, "!", message)

    def _denied(self, i: int) -> Slip | None:
        """``NOT employees < 10``, ``!country == "US"``: a comparison, turned round."""
        token, name = self._at(i), self._at(i + 1)
        turned = _TURNED.get(self._at(i + 2).text)
        if token.text.lower() not in ("not", "!") or name.kind != "name" or not turned:
            return None
        if self._at(i + 3).kind not in ("string", "number"):
            return None
        instead = f"{self._ours(name.text)} {turned} {self._at(i + 3).text}"
        return self._slip(i, i + 3, instead, f"`{token.text}` stands before what it denies")

    def _dangling(self, i: int) -> Slip | None:
        """``industry == "Software" || "SaaS"``: what the second text is compared with."""
        token = self._at(i)
        sign = _WORDS.get(token.text.lower(), token.text)
        literal = self._at(i + 1)
        is_word = literal.kind == "name" and literal.text not in self._context.types
        if sign not in ("||", "&&") or not (literal.kind == "string" or is_word):
            return None
        if self._at(i + 2).text.lower() not in ("", ")", "||", "&&", *_WORDS):
            return None
        for n in range(i - 2, max(0, i - _NEAR), -1):
            compared = {"=": "==", "is": "=="}.get(self._at(n).text, self._at(n).text)
            if compared in ("==", "!=") and self._at(n - 1).kind == "name":
                name = self._ours(self._at(n - 1).text)
                if is_word and self._context.types.get(name) is not ValueType.STRING:
                    return None
                said = literal.text.strip(literal.text[0]) if not is_word else literal.text
                code = code_of_country(said) if name == "country" else ""
                asked = self._quoted(code) if code else self._literal(literal)
                instead = f"{sign} {name} {compared} {asked}"
                message = "a text alone is neither true nor false"
                return self._slip(i, i + 1, instead, message)
        return None

    def _sign(self, i: int) -> Slip | None:
        """``=``, ``=>``, ``<>`` and their like; ``is`` and ``equals``."""
        token = self._at(i)
        if token.kind == "name":
            sign = _EQUALS.get(token.text.lower())
            if sign is None or self._at(i - 1).kind != "name":
                return None
            return self._slip(i, i, sign, _unread(token.text))
        if token.kind != "sign" or token.text not in (*_SIGNS, "==", "!=", "<"):
            return None
        last = i
        while self._at(last + 1).kind == "sign" and self._at(last + 1).at == self._at(last).end:
            if self._at(last + 1).text not in "=<>~&|":
                break
            last += 1
        written = "".join(self._texts(i, last + 1 - i))
        instead = _SIGNS.get(written)
        return self._slip(i, last, instead, _unread(written)) if instead else None

    def _typed(self, i: int) -> Slip | None:
        """A number in quotes, or without the decimals of its type; a text without quotes."""
        sign, literal, type_ = self._at(i), self._at(i + 1), self._type(self._at(i - 1))
        if sign.text not in _COMPARING or type_ is None:
            return None
        plain = literal.text.strip("\"'")
        compared = {"=": "=="}.get(sign.text, sign.text)
        if type_ in (ValueType.INTEGER, ValueType.NUMBER) and literal.kind == "string":
            if not re.fullmatch(r"-?\d+(\.\d+)?", plain):
                return None
            number = plain
            if type_ is ValueType.NUMBER and "." not in plain:
                number = f"{plain}.0"
            message = f"`{compared}` does not work on {type_} and string"
            return self._slip(i, i + 1, f"{compared} {number}", message)
        if type_ is ValueType.NUMBER and literal.kind == "number" and plain.isdigit():
            message = f"`{compared}` does not work on number and integer: decimals are missing"
            return self._slip(i, i + 1, f"{compared} {plain}.0", message)
        if type_ is ValueType.STRING and literal.kind == "number":
            message = f"`{compared}` does not work on string and integer"
            return self._slip(i, i + 1, f"{compared} {self._quoted(plain)}", message)
        return None

    def _reread(self, i: int) -> Slip | None:
        """``Job title``, ``1,000``: words that are read as one."""
        token = self._at(i)
        if not isinstance(token, Reread):
            return None
        message = "a number is written in digits alone"
        if token.kind == "name":
            message = f'unknown name "{self._text[token.at : token.end]}": names are one word'
        return self._slip(i, i, token.text, message)

    def _unquoted(self, i: int) -> Slip | None:
        """``country == USA``, ``industry == Real Estate``, ``country in [US, CA]``."""
        before = self._at(i - 1)
        token = self._at(i)
        if token.kind != "name" or token.text in self._context.types:
            return None
        if token.text.lower() in _SWITCHES and token.text not in ("true", "false"):
            switch = _SWITCHES[token.text.lower()]
            return self._slip(i, i, switch, f'"{token.text}" is neither true nor false')
        if token.text.lower() in _KEPT or self._at(i + 1).text == "(":
            return None
        subject = self._compared_before(i)
        asked = self._at(i - 2).text.rpartition(".")
        if before.text == "(" and asked[1] and asked[2].lower() in _METHODS:
            message = f'unknown name "{token.text}": a text stands in quotes'
            return self._slip(i, i, self._quoted(token.text), message)
        if before.text not in (*_COMPARING, "[", ",", "is") or subject is None:
            return None
        last = i
        while self._at(last + 1).kind == "name" and self._at(last + 1).text.lower() not in _KEPT:
            last += 1
        said = self._text[token.at : self._at(last).end]
        message = f'unknown name "{said}": a text stands in quotes'
        return self._slip(i, last, self._quoted(said, self._at(subject).text), message)

    def _compared_before(self, i: int) -> int | None:
        """The place of the name of a text with which the word at ``i`` is compared."""
        for n in range(i - 1, max(-1, i - _NEAR), -1):
            token = self._at(n)
            if token.text in ("&&", "||", ")") or token.text.lower() in _WORDS:
                return None
            if token.kind == "name" and self._at(n + 1).text in (*_COMPARING, "is", "in"):
                ours = self._context.types.get(self._ours(token.text))
                return n if ours is ValueType.STRING else None
        return None

    def _joined(self, i: int) -> Slip | None:
        """The words of other languages for ``&&`` and ``||``."""
        token = self._at(i)
        sign = _WORDS.get(token.text.lower()) if token.kind == "name" else None
        return self._slip(i, i, sign, _unread(token.text)) if sign else None

    def _method(self, i: int) -> Slip | None:
        """``title.includes("VP")``."""
        token = self._at(i)
        prefix, dot, called = token.text.rpartition(".")
        method = _METHODS.get(called.lower())
        if token.kind != "name" or not dot or not method or self._at(i + 1).text != "(":
            return None
        if called == method:
            ours = self._ours(prefix)
            if ours == prefix:
                return None
            return Slip(token.at, prefix, ours, f'unknown name "{prefix}"')
        return Slip(token.end - len(called), called, method, f'there is no function "{called}"')

    def _foreign(self, i: int) -> Slip | None:
        """``company_size``, ``jobTitle``, ``url.path``, ``traits.country``."""
        token = self._at(i)
        if token.kind != "name" or self._at(i + 1).text == "(" or token.text in _KEPT:
            return None
        dotted = re.sub(r"\s", "", token.text)
        if dotted in self._context.types or MEASURE.match(dotted):
            return None
        ours = our_word(dotted, self._context.types)
        return self._slip(i, i, ours, f'unknown name "{dotted}"') if ours else None
