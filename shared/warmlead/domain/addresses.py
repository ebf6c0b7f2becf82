"""E-mail addresses, each in one spelling, however it was typed, pasted or encoded.

The domain is that of IDNA 2008 with the mapping of UTS 46, non-transitional: ``ß``, ``ς`` and
the joiners are letters of their own, so ``maß.example`` and ``mass.example`` are two domains,
and full-width letters are the usual ones. It is kept in ASCII, as the DNS has it.

The local part follows PRECIS (RFC 8265): usual width, lower case, form C. It is not case-folded
and not form KC, which would make one person of two: ``ß`` and ``ss``, ``ı`` and ``i`` and ``ﬁ``
and ``fi`` stay apart (RFC 6532, section 3.1). Lower case is that of Unicode, in no language: a
Turkish ``İ`` is ``i`` with a dot above and not ``i``.
"""

import re

from warmlead.domain.hosts import site_of
from warmlead.domain.placeholders import NOBODY, UNSET, decoded, has_template
from warmlead.domain.punycode import a_label, runs_one_way
from warmlead.domain.spelling import MAX_TEXT, in_one_spelling, in_usual_width

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
    except UnicodeError:  # a lone surrogate is no character
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
    """The domain as the DNS has it; ``None`` if it is none.

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
