"""Names of events that say no to mail in words that no list has: ``Unsubscribed From All``.

The rule only ever finds a refusal, never what would lift one.
"""

from functools import lru_cache

_PAIRS = {
    **dict.fromkeys((("un", "subscribe"), ("un", "subscribed")), "unsubscribed"),
    **dict.fromkeys((("opt", "out"), ("opts", "out"), ("opting", "out")), "optout"),
    ("opted", "out"): "optedout",
    ("whats", "app"): "whatsapp",
    **dict.fromkeys((("opt", "in"), ("opted", "in")), "optin"),
    **dict.fromkeys((("one", "click"), ("1", "click")), "oneclick"),
}
"""Two words that make one."""

_UNSUBSCRIBED = """
    unsubscribe unsubscribed unsubscribes unsubscribing unsubscription unsub unsubs unsubbed optout
    optouts optedout desabonnement desabonne desinscription desinscrit abbestellt abbestellung
    disiscritto disiscrizione descadastrado descadastro
"""
_SAID = "unsubscribed unsub unsubbed optedout"
"""What is so, whatever ended by it."""

_SPAM = "spam spammed spamreport spamreported spamcomplaint junk"
_COMPLAINED = "complaint complaints complained abuse"
_TOLD_TO_SUPPORT = (
    "submitted filed lodged closed resolved ticket case support service product order"
)
_AGREEMENT = "consent optin"
_OF_MAIL = "email emails mail mails newsletter newsletters mailing marketing digest"
_ENDED = """
    revoked revoke withdrawn withdraw withdrew cancelled canceled cancel removed denied declined
    refused rejected retracted ended stopped
"""
_OTHERWISE = """
    page pages clicked click clicks viewed view visited visit opened open shown seen loaded button
    started abandoned survey not never undo undone reverted resubscribe resubscribed failed failure
    error filter filtered detected check score blocked prevented trap folder comment review post
"""
"""Words with which a name tells of something else than the refusal itself."""

_ELSEWHERE = """
    sms mms push pushnotification text texts whatsapp viber messenger telegram line call calls
    phone notification notifications webpush slack cookie cookies tracking analytics ads ad sale
    beta experiment plan premium thread channel location camera
"""
"""Words for what a person may refuse besides mail; heard only where mail is named too."""

_VENDORS = "users messages message activity events event track webhook webhooks data type"
"""Words with which vendors begin the names of all of their events."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SETS = {
    name: _set(words)
    for name, words in {
        "unsubscribed": _UNSUBSCRIBED,
        "said": _SAID,
        "spam": _SPAM,
        "complained": _COMPLAINED,
        "told_to_support": _TOLD_TO_SUPPORT,
        "agreement": _AGREEMENT,
        "mail": _OF_MAIL,
        "ended": _ENDED,
        "otherwise": _OTHERWISE,
        "elsewhere": _ELSEWHERE,
        "vendors": _VENDORS,
    }.items()
}


@lru_cache(maxsize=1_024)
def refusal_named(name: str) -> str | None:
    """The refusal that a snake_case name says, as our event's name; ``None`` for none."""
    words = _joined(name.split("_"))
    of_mail = _has(words, "mail")
    if _has(words, "otherwise") or (_has(words, "elsewhere") and not of_mail):
        return None
    if _has(words, "spam"):
        return "email_marked_spam"
    if _has(words, "complained") and (of_mail or not _has(words, "told_to_support")):
        return "email_marked_spam"
    return "email_unsubscribed" if _unsubscribed(words, of_mail=of_mail) else None


def _unsubscribed(words: frozenset[str], *, of_mail: bool) -> bool:
    if not _has(words, "ended"):
        return _has(words, "unsubscribed")
    agreed = _has(words, "agreement") or (of_mail and bool(words & {"subscription", "permission"}))
    return agreed or _has(words, "said")


def _has(words: frozenset[str], kind: str) -> bool:
    return not words.isdisjoint(_SETS[kind])


def without_vendor(name: str) -> str:
    """A snake_case name without what stands before all names of a vendor.

    ``users.messages.email.Bounce`` is ``email_bounce``.
    """
    words = name.split("_")
    first = next((at for at, word in enumerate(words) if word not in _SETS["vendors"]), 0)
    return "_".join(words[first:])


def is_elsewhere(name: str) -> bool:
    """Whether a channel of this snake_case name is another than mail."""
    words = _joined(name.split("_"))
    return name == "in_app" or (_has(words, "elsewhere") and not _has(words, "mail"))


def _joined(words: list[str]) -> frozenset[str]:
    """The words, with those that make one together in its place."""
    joined: list[str] = []
    for word in words:
        pair = _PAIRS.get((joined[-1], word)) if joined else None
        if pair:
            joined[-1] = pair
        else:
            joined.append(word)
    return frozenset(joined)
