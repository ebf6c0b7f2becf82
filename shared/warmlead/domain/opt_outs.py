"""The fields by which forms, mail tools and CRMs say whether a person may be written to.

Customer.io, Intercom, HubSpot, Salesforce, Brevo, Resend, Shopify, Postmark, Dynamics, Zoho. What
stands around a name is passed over: ``contact[unsubscribed]``, ``hs_email_optout.value``.
"""

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache

from warmlead.domain.answers import MAX_ANSWERS, answer, words_of
from warmlead.domain.event import Event, Property

MAX_AROUND = 6
"""So many words before a name, and after it, are passed over."""


class _Asks(Enum):
    """What a field asks, by which its value is understood."""

    OUT = "out"  # whether the person has opted out
    SINCE = "since"  # when they did
    IN = "in"  # whether they agree: the box beside a form
    LISTED = "listed"  # whether they are on a list; its value may also be the list's name
    STANDING = "standing"  # how they stand, in a word


_OUT = """
    unsubscribed unsubscribe unsub unsubscribeall unsubscribedall globalunsubscribe
    globallyunsubscribed unsubscribedfromall unsubscribedfromemail unsubscribedfromemails
    unsubscribedfromallemail unsubscribedfromallemails unsubscribefromall
    unsubscribedfrommarketing unsubscribedfromnewsletter optout optedout optoutall
    optedoutofemail hasoptedoutofemail optedoutofemails optedoutofmarketing optoutofemail
    optoutofemails optoutofmarketing
    blacklisted blocklisted blacklist blocklist donotemail donotbulkemail
    donotmail donotcontact dontcontact dontemail dnc nocontact noemail noemails nomarketing
    nonewsletter suppresssending suppressed
"""
_SINCE = "unsubscribedat unsubscribedon unsubscribedate unsubscribeddate optedoutat optoutdate"
_IN = """
    consent marketingconsent gdprconsent emailmarketingconsent emailconsent consentmarketing
    consenttomarketing consentemail consentgiven consented optin optedin optins
    acceptsmarketing acceptmarketing buyeracceptsmarketing marketingaccepted marketingpermission
    permissiontoemail allowemail allowemails allowmarketing agreetomarketing
    agreestomarketing marketingagreed
"""
_LISTED = """
    subscribed subscribe newsletter newslettersubscribed subscribednewsletter
    subscribetonewsletter newslettersubscription subscribenewsletter receiveemails
    receiveemail receivemarketing receivenewsletter receivenewsletters receivemarketingemails
    wantsemails wantsmarketing wantsnewsletter newsletters
"""
_STANDING = """
    status state subscriptionstatus subscriptionstate subscriberstatus consentstatus consentstate
    optinstatus optinstate marketingstatus marketingstate marketingconsentstate
    marketingconsentstatus emailmarketingconsentstate emailmarketingconsentstatus
    gdprconsentstatus subscriptiontype region
"""
"""A field ``state`` arrives as the region."""

_ASKS = {
    name: asks
    for asks, names in (
        (_Asks.OUT, _OUT),
        (_Asks.SINCE, _SINCE),
        (_Asks.IN, _IN),
        (_Asks.LISTED, _LISTED),
        (_Asks.STANDING, _STANDING),
    )
    for name in names.split()
}

_SAYS_NOTHING_BEFORE = """
    contact contacts lead person customer visitor subscriber applicant respondent recipient user
    member profile data fields field merges merge answers attributes attribute traits properties
    property submission payload item items object record event detail details body message
    params variables custom vars form values metadata crm hs msys sf hubspot salesforce
    your my the our is has are was new current email emails e mail mailing marketing newsletter
    all global gdpr
    please i you accept
"""
_SAYS_NOTHING_AFTER = "value values c field box checkbox input required optional flag status"
_BEFORE = frozenset(_SAYS_NOTHING_BEFORE.split())
_AFTER = frozenset(_SAYS_NOTHING_AFTER.split())

_TICKED = """
    unsubscribed unsubscribe unsub optout optedout all everything email emails newsletter marketing
    revoked withdrawn complained
"""
_MEANT = frozenset(_TICKED.split())
_UNKNOWN = frozenset(("null", "undefined", "nan", "unknown", "empty"))
_STANDS_OUT = frozenset(("unsubscribed", "unsubscribe", "unsub", "optout", "optedout"))


def says_no(event: Event) -> bool:
    """Whether a field of the event says that the person wants no mail.

    An opt-out that is false takes nothing back: it stands in every later copy of a record.
    """
    return any(_is_no(asks, value) for asks, value in _asked(event))


def leaves_subscription_open(event: Event) -> bool:
    """Whether a box in the same post was not answered by a yes, as far as we understand."""
    return any(
        asks is _Asks.IN and answer(value) is not True for asks, value in _asked(event)
    ) or says_no(event)


def _asked(event: Event) -> Iterator[tuple[_Asks, Property]]:
    for fields in (event.traits, event.properties):
        for name, value in fields.items():
            if value is not None and (asks := _asks_of(name)):
                yield asks, value


def _is_no(asks: _Asks, value: Property) -> bool:
    match asks:
        case _Asks.OUT:
            return _is_opt_out(value)
        case _Asks.SINCE:
            return answer(value) is not False and _is_opt_out(value)
        case _Asks.IN | _Asks.LISTED:
            return answer(value) is False
        case _Asks.STANDING:
            return isinstance(value, str) and "".join(words_of(value)) in _STANDS_OUT


def _is_opt_out(value: Property) -> bool:
    """Whether an opt-out is meant: by a yes, a time, or the text of the box that was ticked."""
    if isinstance(value, list):
        return any(_is_opt_out(each) for each in value[:MAX_ANSWERS])
    if not isinstance(value, str):
        return value is not None and value > 0
    words = words_of(value)
    if not words or words[0] in _UNKNOWN:
        return False
    if "".join(words) in _MEANT or words[0] in _MEANT:
        return True
    if answer(words[0]) is None:
        return len(words) > 1
    return answer(words[0]) is True


@lru_cache(maxsize=1_024)
def _asks_of(name: str) -> _Asks | None:
    """What a field of this flat name asks; ``None`` for most."""
    return next((_ASKS[bare] for bare in without_groups(name) if bare in _ASKS), None)


def without_groups(name: str) -> Iterator[str]:
    """A flat name in one word, then without more and more of what may only stand around it.

    ``data_event_type`` is ``dataeventtype``, ``eventtype``, ``type``.
    """
    words = name.split("_")
    for end in _ends(words):
        for start in _starts(words):
            if start < end:
                yield "".join(words[start:end])


def _starts(words: list[str]) -> range:
    """Where the name may begin: at its first word, and behind each that says nothing."""
    first = next((at for at, word in enumerate(words) if not _says_nothing(word)), len(words))
    return range(min(first, MAX_AROUND) + 1)


def _ends(words: list[str]) -> range:
    """Where the name may end: at its last word, and before each that says nothing."""
    end = len(words)
    least = max(1, end - MAX_AROUND)
    while end > least and (words[end - 1] in _AFTER or words[end - 1].isdecimal()):
        end -= 1
    return range(len(words), end - 1, -1)


def _says_nothing(word: str) -> bool:
    return word in _BEFORE or word.isdecimal() or (word[:1] == "q" and word[1:].isdecimal())
