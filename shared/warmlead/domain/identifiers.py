"""Email addresses and ids in one spelling; placeholders that programs send in their place."""

import re
import string
import unicodedata
from bisect import bisect_left
from functools import lru_cache
from unicodedata import bidirectional, category
from urllib.parse import unquote

from warmlead.domain.sites import site_of
from warmlead.domain.text import MAX_TEXT, in_one_spelling, in_usual_width

NULLS = frozenset(
    ("null", "none", "nil", "undefined", "nan", "n/a", "#n/a", r"\n", "infinity", "notset")
)
"""Texts that languages and tools write for no value; compared in lower case."""

_NOBODIES = frozenset(
    (
        *("0", "-1", "anonymous", "guest", "true", "false", "unknown", "unidentified", "unset"),
        *("anonymoususer", "notauthenticated", "notavailable", "notprovided", "notloggedin"),
        *("novalue", "user", "email", "id", "userid", "distinctid", "invaliddate"),
        "emailprotected",  # Cloudflare's replacement of addresses in pages
    )
)
"""Other values that stand for nobody, without blanks, hyphens and underscores.

After PostHog's list of illegal distinct ids.
"""

_IN_MARKS = frozenset(("empty", "blank", "missing", "direct", "other", "default", "removed"))
"""Words that may be somebody's name, but not in brackets."""

NOBODY = frozenset(
    (
        *("null", "none", "nil", "undefined", "nan", "na", "unknown", "anonymous"),
        *("noemail", "no-email", "no_email", "nomail"),
    )
)
"""Words that make an address invalid if its local part and domain have nothing else."""

UNSET = frozenset(("null", "undefined"))
"""Local parts of addresses that programs made of a variable without a value."""

_TEMPLATES = (
    *(("{{", "}}"), ("${", "}"), ("#{", "}"), ("@{", "}"), ("%{", "}"), ("{%", "%}")),
    *(("<%", "%>"), ("<?", "?>"), ("*|", "|*"), ("[[", "]]"), ("%%", "%%"), ("@@", "@@")),
    *(("{!", "}"), ("%(", ")"), ("{$", "}")),
)
"""Marks of mail, ad and page tools around what they fill in. Nobody's id has both of a pair."""

_MARKS = {
    "(": ")",
    "[": "]",
    "{": "}",
    "<": ">",
    "“": "”",
    "«": "»",
    **{mark: mark for mark in "\"'`%#@$*|_~!-"},
}
_SIGILS = "$:@#%&=!\\"
_FORMATS = frozenset(("%s", "%d", "%i", "%u", "%@", "%v", "{0}", "{1}", "$1", "%1$s"))
_CELLS = frozenset(
    ("#ref!", "#value!", "#name?", "#div/0!", "#num!", "#null!", "#error!", "#spill!", "#calc!")
)
"""What a spreadsheet shows where a formula has no value."""

_NOT_FILLED_IN = _FORMATS | _CELLS
_NO_IDS = NULLS | _NOBODIES

_SEPARATORS = re.compile(r"[\s,;|/:&=+._-]+")
_NOT_WORD = re.compile(r"[\W_]+")
_NAME = re.compile(
    "(?:the|your|my|our|this|current|insert)?"
    "(?:user|customer|contact|lead|visitor|member|account|client|person|subscriber|profile"
    "|anonymous|anon|recipient|device|distinct|external|unique|session|login|crm)?"
    "(?:u?id|uuid|guid|uniqid|key|hash|name|number|email|emailaddress|mail|value|string)?(?:here)?"
)
"""Names of ids in templates, without what separates their words: userid, customernumber."""

_ID_NAME = re.compile(r".+(?:id|uuid|guid|idhere|email|emailaddress)")
_OF_MARKS = re.compile(r"[A-Za-z][A-Za-z_. -]*")
_UUID = re.compile(r"(.)\1{7}-?\1{4}-?\1{4}-?\1{4}-?\1{12}")
_ZEROS = re.compile(r"0{4,}|x{3,16}")
_MOST_MARKS = 4


def is_placeholder(text: str) -> bool:
    """Whether the text is a program's placeholder for an id; upper and lower case are equal."""
    return any(map(_stands_for_nothing, {text, decoded(text)}))


def decoded(text: str) -> str:
    """The text without its percent-encoding, which may be double, and without HTML's entities."""
    for _ in range(2):
        text = unquote(text) if "%" in text else text
    if "&" in text and ";" in text:
        from html import unescape  # noqa: PLC0415  # few ids need its long table of names

        text = unescape(text)
    return text


def _stands_for_nothing(text: str) -> bool:
    text = text.strip()
    if has_template(text) or text.lower() in _NOT_FILLED_IN or _is_code(text.lower()):
        return True
    local, at, domain = text.lower().rpartition("@")
    if at and _is_nobody(local, domain):
        return True
    bare, is_marked = _without_marks(text)
    plain = _NOT_WORD.sub("", bare.lower())
    if not plain:
        return _says_nothing(text)
    words = [word for word in _SEPARATORS.split(bare.lower()) if word]
    return (
        not _NO_IDS.isdisjoint((text.lower(), bare.lower(), plain))
        or bool(_UUID.fullmatch(plain) or _ZEROS.fullmatch(plain))
        or (is_marked and _is_a_name(text, bare, plain))
        or bool(_NAME.fullmatch(plain) and _ID_NAME.fullmatch(plain))
        or _is_nobody_named(words)
    )


def has_template(text: str) -> bool:
    """Whether something that a tool should have filled in is left in the text."""
    for opening, closing in _TEMPLATES:
        start = text.find(opening)
        if start >= 0 and text.find(closing, start + len(opening)) >= 0:
            return True
    return False


def _is_code(text: str) -> bool:
    """Whether it is a value of a program that was made a text."""
    return text.startswith(("[object ", "function(", "function ", "() =>", "()=>")) or (
        text.startswith("<") and " object at 0x" in text
    )


def _without_marks(text: str) -> tuple[str, bool]:
    """The text without up to four pairs of marks around it and a sigil; and whether it had any."""
    bare = text
    for _ in range(_MOST_MARKS):
        if len(bare) < 2 or _MARKS.get(bare[0]) != bare[-1]:  # noqa: PLR2004  # a pair
            break
        bare = bare[1:-1].strip()
    without = bare[1:] if bare[:1] in _SIGILS else bare
    return without, without != text


def _is_a_name(text: str, bare: str, plain: str) -> bool:
    """Whether the text in marks is the name of a missing value."""
    in_one_pair = text[0] in "{%" and text[-1] in "}%" and bool(_OF_MARKS.fullmatch(bare))
    return in_one_pair or plain in _IN_MARKS or bool(_NAME.fullmatch(plain))


def _is_nobody_named(words: list[str]) -> bool:
    """Whether all words are for nothing or name an id: ``undefined,undefined``, ``user-null``."""
    return any(word in NULLS for word in words) and all(
        word in NULLS or word in _NOBODIES or _NAME.fullmatch(word) for word in words
    )


def _says_nothing(text: str) -> bool:
    """Whether there is only punctuation; an emoji is a name."""
    return all(each in string.punctuation or unicodedata.category(each)[0] in "PZ" for each in text)


MOST_LETTERS = 59
"""A label with a letter beyond ASCII has 63 in ASCII: four for ``xn--``, and one for each."""

_DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789"
_BASE, _LEAST, _MOST, _SKEW, _DAMP, _BIAS, _FIRST = 36, 1, 26, 38, 700, 72, 128
_SMALL = (_BASE - _LEAST) * _MOST // 2
_REMEMBERED = 8_192


def a_label(label: str) -> str:
    """The label in ASCII; raises ``UnicodeError`` if it is none.

    It is mapped by UTS 46 and in form C, and has some letter beyond ASCII.
    """
    import idna  # noqa: PLC0415  # few domains need it, and it costs a cold start 40 ms

    if len(label) > MOST_LETTERS:
        raise UnicodeError("the label is too long")
    if not runs_one_way(label):
        idna.check_label(label)
    return f"xn--{_punycode(label)}"


def runs_one_way(label: str) -> bool:
    """Whether all of a label in form C are letters that may stand anywhere, and run one way.

    Such a label is valid, and UTS 46 maps it to itself.
    """
    ways = set(map(_direction, label))
    return len(ways) == 1 and "" not in ways


@lru_cache(maxsize=_REMEMBERED)
def _direction(letter: str) -> str:
    """Where a letter runs that may stand anywhere in a label; empty for all others."""
    import idna  # noqa: PLC0415  # see above

    way = {"L": "L", "R": "R", "AL": "R"}.get(bidirectional(letter), "")
    if "0" <= letter <= "9":
        return "L"
    if not way or category(letter).startswith("M"):
        return ""
    try:
        idna.check_label(letter)
    except UnicodeError:  # it is none, or depends on those around it
        return ""
    return way


def _punycode(label: str) -> str:
    """The label in the encoding of RFC 3492; in one piece, as each call for a letter would cost."""
    handled: list[int] = []
    written: list[str] = []
    others: list[tuple[str, int]] = []
    for place, letter in enumerate(label):
        if letter.isascii():
            handled.append(place)
            written.append(letter)
        else:
            others.append((letter, place))
    if written:
        written.append("-")
    others.sort()
    code, next_index, count = _FIRST, 0, len(handled)
    bias, damp = _BIAS, _DAMP
    for letter, place in others:
        point, index = ord(letter), bisect_left(handled, place)
        delta = left = (point - code) * (count + 1) + index - next_index
        handled.insert(index, place)
        count, code, next_index = count + 1, point, index + 1
        most = _BASE - bias
        while True:  # a number of variable length: section 3.3
            threshold = _LEAST if most < _LEAST else min(most, _MOST)
            if left < threshold:
                break
            left, rest = divmod(left - threshold, _BASE - threshold)
            written.append(_DIGITS[threshold + rest])
            most += _BASE
        written.append(_DIGITS[left])
        delta //= damp  # the bias for the next number: section 6.1
        delta += delta // count
        bias, damp = 0, 2
        while delta > _SMALL:
            delta //= _BASE - _LEAST
            bias += _BASE
        bias += (_BASE - _LEAST + 1) * delta // (delta + _SKEW)
    return "".join(written)


MAX_EMAIL_LENGTH = 254  # RFC 5321, as erratum 1690 to RFC 3696 explains
MAX_DOMAIN_LENGTH = 253
MAX_LABELS = 16  # of a domain with other letters than ASCII's; to look at each costs time

_LOCAL = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x20\x7f-\x9f\ufffd]{1,64}")
_DOMAIN_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_OF_TEMPLATES = (("{", "}"), ("%", "%"))
_SEVERAL_ATS = re.compile("@@+")
_ENCODED_BLANKS = re.compile(r"\A(?:%20|%09|%0a|%0d)+|(?:%20|%09|%0a|%0d)+\Z", re.IGNORECASE)
_ENCODED_PLUS = re.compile("%2b", re.IGNORECASE)


def normalise_email(text: str) -> str | None:
    """The address in one spelling, its domain in ASCII; ``None`` if it is not an address.

    Blanks around it and around the ``@`` go, and so does an encoding that hides the ``@``, a ``+``
    or such a blank, and a second ``@`` beside the first. Dots and ``+tags`` stay: whether they
    name another mailbox is up to its host. What programs send for no address
    (``null@null.com``, ``{{first_name}}@example.com``) is none.
    """
    text = text.strip()
    if len(text) > MAX_TEXT:
        return None
    whole = _decoded(in_one_spelling(in_usual_width(text))).strip()
    local, at, domain = whole.rpartition("@")
    local = in_one_spelling(_ENCODED_PLUS.sub("+", local).rstrip().lower())
    ascii_domain = _in_ascii(domain.lstrip())
    if not at or ascii_domain is None or not _is_local(local):
        return None
    if len(local) + 1 + len(ascii_domain) > MAX_EMAIL_LENGTH or _is_nobody(local, ascii_domain):
        return None
    return f"{local}@{ascii_domain}"


def _decoded(text: str) -> str:
    """The text without an encoding that hides the ``@``, or a blank around it."""
    if "@" not in text:
        text = in_one_spelling(decoded(text))
    return undamaged(text)


def undamaged(text: str) -> str:
    """The text without encoded blanks around it, and with one ``@`` where several stand."""
    return _SEVERAL_ATS.sub("@", _ENCODED_BLANKS.sub("", text))


def _is_local(local: str) -> bool:
    if not _LOCAL.fullmatch(local) or local[0] == "." or local[-1] == "." or ".." in local:
        return False
    try:
        local.encode()
    except UnicodeError:  # a lone surrogate is not a character
        return False
    return not has_template(local) and (local[0], local[-1]) not in _OF_TEMPLATES


def _is_nobody(local: str, domain: str) -> bool:
    """Whether a program had no value: ``undefined@example.com``, ``none@none.co.uk``.

    Of the second kind all is a word for nobody but what a registry owns.
    """
    if local in UNSET:
        return True
    registered = site_of(domain)
    names = [*domain.removesuffix(registered).split("."), registered.partition(".")[0]]
    return local in NOBODY and all(name in NOBODY for name in names if name)


def _in_ascii(domain: str) -> str | None:
    """The domain as in the DNS; ``None`` if it is not a domain.

    A name of letters, digits and hyphens is taken as it is, also where IDNA would not make it
    (``a--b.de``, an ``xn--`` that does not decode): the DNS carries it, and mail arrives.
    """
    labels = domain.lower().split(".") if domain.isascii() else _labels_in_ascii(domain)
    if labels and not labels[-1]:
        labels = labels[:-1]  # the root, which may be written
    if len(labels) < 2 or not all(map(_DOMAIN_LABEL.fullmatch, labels)):  # noqa: PLR2004  # name and top level
        return None
    ascii_domain = ".".join(labels)
    is_address_of_a_host = labels[-1].isdigit()
    return None if is_address_of_a_host or len(ascii_domain) > MAX_DOMAIN_LENGTH else ascii_domain


def _labels_in_ascii(domain: str) -> list[str]:
    if len(domain) > MAX_DOMAIN_LENGTH:  # no letter is shorter in ASCII
        return []
    import idna  # noqa: PLC0415  # few domains need it, and it costs a cold start 40 ms

    labels = domain.split(".")
    try:
        if not all(map(runs_one_way, labels)):
            labels = idna.uts46_remap(domain, std3_rules=False, transitional=False).split(".")
        if len(labels) > MAX_LABELS or _least_length(labels) > MAX_DOMAIN_LENGTH:
            return []
        return [label if label.isascii() else a_label(label) for label in labels]
    except UnicodeError:
        return []


def _least_length(labels: list[str]) -> int:
    """How long a domain is in ASCII at least: ``xn--``, and no letter is shorter there."""
    return sum(len(label) + 1 + (0 if label.isascii() else len("xn--")) for label in labels) - 2
