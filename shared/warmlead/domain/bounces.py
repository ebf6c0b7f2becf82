"""What a mail system says when a message did not arrive, read from the words of many vendors.

SendGrid, Mailgun, Postmark, Amazon SES, Mandrill, Resend, Brevo, SparkPost, Klaviyo, HubSpot and
Customer.io name the kind in different properties and by different words.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

from warmlead.domain.answers import answer
from warmlead.domain.event import Property

MAX_WORD = 64
"""Characters of a property that are looked at as a word; no vendor's word is longer."""

MAX_LISTED = 5
"""Values of a list that are looked at."""

MAX_REASON = 500
"""Characters of a text in which an SMTP code is looked for."""


class Bounce(StrEnum):
    """What a bounce means for the address."""

    HARD = "hard"  # nobody is there, and nobody will be
    SOFT = "soft"  # not this time, or not this message
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"


_WORDS: Mapping[Bounce, str] = {
    Bounce.HARD: """
        hard hardbounce hardbounced permanent permanentfailure permanentfail perm fatal
        invalid invalidemail invalidaddress invalidrecipient invaliddomain invalidmailbox
        bademailaddress badmailbox baddomain badaddress unknownuser nosuchuser nouser
        noemail nomailbox nosuchmailbox mailboxnotfound mailboxdoesnotexist doesnotexist
        nonexistent inactive disabled bounce bouncedaddress suppressed suppressbounce
        onaccountsuppressionlist addresssuppressed
    """,
    Bounce.SOFT: """
        soft softbounce softbounced transient temporary temporaryfailure temporaryfail temp
        blocked block deferred deferral delayed deliverydelayed greylisted greylisting general
        generic mailboxfull overquota quotaexceeded throttled throttling undetermined dnserror
        dnsfailure timeout connectionerror autoresponder autoreply outofoffice
        challengeverification messagetoolarge toolarge contentrejected attachmentrejected content
        spamcontent spamnotification policyrelated policy reputation technical
        frequencyorvolumetoohigh mailboxunavailable virusnotification dmarcpolicy relaydenied
    """,
    Bounce.UNSUBSCRIBED: "unsubscribe unsubscribed unsubscribedaddress suppressunsubscribe optout",
    Bounce.COMPLAINED: """
        spamcomplaint complaint complained spamreportingaddress spamreport suppresscomplaint
        markedasspam abuse
    """,
}
_MEANINGS = {word: bounce for bounce, words in _WORDS.items() for word in words.split()}
_KINDS = (
    *("kind", "bounce_kind", "bounce_type", "bouncetype", "bounce_class", "type", "severity"),
    *("bounce_bounce_type", "bounce_type_name", "classification", "bounce_classification"),
    *("bounce_category", "bounce_sub_type", "bounce_subtype", "sub_type", "subtype"),
    *("reason", "bounce_reason", "bounce_description"),
)
_FLAGS = {
    **dict.fromkeys(("is_hard", "hard", "hard_bounce", "is_hard_bounce", "permanent"), Bounce.HARD),
    **dict.fromkeys(("is_permanent", "bounce_is_hard", "bounce_hard"), Bounce.HARD),
    **dict.fromkeys(("is_soft", "soft", "soft_bounce", "is_soft_bounce", "temporary"), Bounce.SOFT),
    **dict.fromkeys(("is_temporary", "transient", "is_transient"), Bounce.SOFT),
}
_CATEGORIES = frozenset(
    ("soft", "softbounce", "transient", "temporary", "hard", "hardbounce", "permanent")
)
_TEXTS = (
    *("kind", "bounce_kind", "bounce_type", "type"),
    *("status", "enhanced_code", "smtp_code", "code", "error_code", "bounce_code", "reason"),
    *("bounce_reason", "failure_message", "diagnostic_code", "diagnostic", "diag", "details"),
    *("description", "response", "smtp_response", "error", "message"),
)
_NOT_LETTER = re.compile(r"[^a-z]+")
_ENHANCED = re.compile(r"(?<![\d.])([45])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_BASIC = re.compile(r"(?<![\d.])([45])\d\d(?![\d.])")
_OF_THE_MESSAGE = frozenset({("2", "2"), ("2", "3"), ("3", "4")})
"""Enhanced codes (RFC 3463) for a full mailbox and a message too large: the address is right."""


def bounce_in(properties: Mapping[str, Property]) -> Bounce:
    """What the bounce means: by a word for its kind, a yes or no, or by its SMTP code.

    One that says neither is a hard one: mail systems call what they will try again a deferral,
    and a delivery lifts it.
    """
    return (
        reason_of_drop(properties)
        or _by_flag(properties)
        or _by_code(properties)
        or _by_category(properties)
        or Bounce.HARD
    )


def reason_of_drop(properties: Mapping[str, Property]) -> Bounce | None:
    """Why a mail tool did not even try, where it says so: its own list knows the address."""
    for word in _texts(properties, _KINDS, MAX_WORD):
        squeezed = _NOT_LETTER.sub("", word.lower())
        if (found := _MEANINGS.get(squeezed)) is not None:
            return found
    return None


def _by_flag(properties: Mapping[str, Property]) -> Bounce | None:
    """What a field such as ``is_hard: false`` says; the hard one if two are at odds."""
    said = set()
    for name, bounce in _FLAGS.items():
        if (is_so := answer(properties.get(name))) is not None:
            other = Bounce.SOFT if bounce is Bounce.HARD else Bounce.HARD
            said.add(bounce if is_so else other)
    return Bounce.HARD if Bounce.HARD in said else Bounce.SOFT if said else None


def _by_category(properties: Mapping[str, Property]) -> Bounce | None:
    """The kind, where it is called the category, which is otherwise that of the mail."""
    for word in _texts(properties, ("category",), MAX_WORD):
        if (squeezed := _NOT_LETTER.sub("", word.lower())) in _CATEGORIES:
            return _MEANINGS[squeezed]
    return None


def _by_code(properties: Mapping[str, Property]) -> Bounce | None:
    """What the first SMTP code means, an enhanced one (5.1.1) before a basic one (550)."""
    texts = list(_texts(properties, _TEXTS, MAX_REASON))
    for text in texts:
        if found := _ENHANCED.search(text):
            lasting, subject, detail = found.groups()
            passing = lasting == "4" or subject == "7" or (subject, detail) in _OF_THE_MESSAGE
            return Bounce.SOFT if passing else Bounce.HARD
    for text in texts:
        if found := _BASIC.search(text):
            return Bounce.SOFT if found[1] == "4" else Bounce.HARD
    return None


def _texts(properties: Mapping[str, Property], names: tuple[str, ...], most: int) -> Iterator[str]:
    for name in names:
        value = properties.get(name)
        for each in value[:MAX_LISTED] if isinstance(value, list) else [value]:
            if isinstance(each, str | int | float) and not isinstance(each, bool):
                yield str(each)[:most]
