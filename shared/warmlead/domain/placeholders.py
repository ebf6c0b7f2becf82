"""What programs send in place of an id: templates that nobody filled, and words for nothing.

Taken as ids they would make one person of strangers. The grammar:

- a *template* in the marks of a tool, anywhere in the text: ``{{user_id}}``, ``u-${id}``;
- a *name of an id* in marks: ``%user_id%``, ``[id]``, ``$USER_ID``, ``{!Contact.Id}``; without
  marks only if it ends as one: ``customer_id``, ``YOUR-USER-ID``;
- *words for nothing*, by themselves, in marks or repeated: ``(null)``, ``undefined,undefined``;
- *nothing at all*: only punctuation, four zeros or more, one digit all over a UUID.

An encoding around any of these (``%7B%7Bid%7D%7D``, ``&nbsp;``) makes it no id either.

Whatever has something of its own, a digit say, is an id: ``user_id_42``, ``$device:8f``.
All of it takes time in proportion to the text.
"""

import re
import string
import unicodedata
from urllib.parse import unquote

NULLS = frozenset(
    ("null", "none", "nil", "undefined", "nan", "n/a", "#n/a", r"\n", "infinity", "notset")
)
"""What languages and tools write for no value; compared in lower case."""

_NOBODIES = frozenset(
    (
        *("0", "-1", "anonymous", "guest", "true", "false", "unknown", "unidentified", "unset"),
        *("anonymoususer", "notauthenticated", "notavailable", "notprovided", "notloggedin"),
        *("novalue", "user", "email", "id", "userid", "distinctid", "invaliddate"),
        "emailprotected",  # what Cloudflare puts in the place of addresses in pages
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
"""Local parts, and labels of domains, of addresses that are none if they have nothing else."""

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
    """Whether the text is no id but what a program sent in its place; in any case of letters."""
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
    if has_template(text) or text.lower() in _FORMATS | _CELLS or _is_code(text.lower()):
        return True
    bare, is_marked = _without_marks(text)
    plain = _NOT_WORD.sub("", bare.lower())
    if not plain:
        return _says_nothing(text)
    words = [word for word in _SEPARATORS.split(bare.lower()) if word]
    return (
        {text.lower(), bare.lower(), plain} & (NULLS | _NOBODIES) != set()
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
    """Whether what is in marks is the name of what should have stood there."""
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
