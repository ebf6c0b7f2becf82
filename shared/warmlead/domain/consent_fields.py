"""What forms, mail tools and CRMs send about consent: yes and no, bounces, opt-out fields."""

import re
from collections.abc import Iterator, Mapping
from enum import Enum, StrEnum
from functools import lru_cache
from itertools import islice

from warmlead.domain.event import Event, Property

MAX_ANSWER = 64
"""Characters of a text that are read as an answer; a longer one begins with its answer."""

MAX_ANSWERS = 20
"""Limit of values of a list that are read."""

_SAYS_YES = """
    true yes y t on 1 x ok okay checked selected ticked agree agreed agrees accept accepted accepts
    granted given allowed confirm confirmed subscribed optin optedin want wish
    ja jawohl oui si sí sì sim yep yeah sure tak da ano áno igen evet kyllä kyla jah taip jā vrai
    wahr vero verdadero verdadeiro да так ναι はい 예 네 예요 네요 是 是的 نعم כן
    ใช่ हाँ हां जी hai ya
    có
    zustimmen zustimmung stimme zugestimmt einverstanden einwilligung akzeptiert akzeptiere möchte
    accepter accepte acceptez accepté accord consens souhaite consentement approuve
    acepto acepta aceptar aceptado acuerdo consiento quiero deseo autorizo
    aceito aceitar concordo consinto quero desejo
    accetto accettare accettato acconsento accordo autorizzo desidero voglio acconsenti
    akkoord accepteer toestemming zgadzam zgoda wyrażam akceptuję potwierdzam chcę
    godkänn godkänner samtycker accepterar vill godkend godkender accepterer samtykker godta godtar
    hyväksyn suostun haluan souhlas souhlasím uděluji přijímám chci onaylıyorum kabul istiyorum
    elfogadom согласен согласна согласны принимаю подтверждаю разрешаю хочу згоден згодна згодні
    погоджуюсь погоджуюся приймаю
    同意する 同意します 同意 同意いたします 同意致します 同意済 同意済み 承諾する
    承諾します 承諾 希望する
    希望します 希望 受け取る 購読する 我同意 已同意 接受 我接受 愿意 願意 勾选
    동의 동의함 동의합니다 동의해요 수락 허용 수신동의 신청
    أوافق موافق موافقة اوافق מסכים מסכימה מסכימים מאשר מאשרת सहमत setuju menyetujui ยินยอม ตกลง
"""
_SAYS_NO = """
    false no n f off 0 none never unchecked unselected unticked disagree disagreed decline declined
    declines deny denied refuse refused reject rejected revoked withdrawn withheld cancelled
    canceled unsubscribe unsubscribed unsub optout optedout
    nein nicht non não nao nee nej nei nie ne hayır hayir ei nem nu faux falsch falso нет ні не
    όχι いいえ 同意しない 同意しません 同意いたしません 承諾しない 承諾しません
    希望しない 希望しません
    受け取らない 購読しない 否 不 不同意 我不同意 未同意 不接受 不愿意 不願意
    아니요 아니오 아니 동의하지 동의안함 비동의 미동의 거부 수신거부 لا غير לא ไม่
    ไม่ยินยอม नहीं tidak không
    abgelehnt widerrufen verweigert verweigere refusé refuse rechazo rechazado rifiuto
    recusado recuso geweigerd weiger odmawiam avböjer afviser avslår nesouhlasím odmítám
    reddediyorum отказываюсь відмовляюсь
"""
_YES, _NO = frozenset(_SAYS_YES.split()), frozenset(_SAYS_NO.split())
_OPT = {"in": True, "out": False}
_PHRASES = {("đồng", "ý"): True, ("en", "hyväksy"): False, ("en", "halua"): False}
"""Answers of two words whose first word alone means something else."""

_SAYS_NOTHING_YET = """
    i we am do hereby would ich wir bin hiermit je nous j suis d yo estoy de eu estou io sono ik ga
    ben jag jeg mi minä я мы ми אני أنا انا saya tôi मैं
"""
_BEFORE = frozenset(_SAYS_NOTHING_YET.split())
_SAYS_NOT = """
    not don dont nicht disagree decline
    verweigert widerrufen abgelehnt revoked withdrawn denied refused declined
"""
_TAKES_BACK = """
    kein keine keinen niet geen inte ikke etmiyorum istemiyorum pas
"""
"""Words that take back an agreement before them, or begin a text; elsewhere they mean nothing."""

_SAYS_ONLY_YES = """
    yes ja oui si sí sì sim tak ano evet да так はい 네 是
"""
_PLAIN_YES = frozenset(_SAYS_ONLY_YES.split())
"""Text after one of these may take the answer back: ``Yes, but do not call`` is not an answer."""

_NOT = frozenset(_SAYS_NOT.split())
_BACK = frozenset(_TAKES_BACK.split())
_ALL_NO = _NO | _BACK
_TICKS, _CROSSES = "✓✔☑✅🗸🗹☒", "✗✘☐❌✖"
_SIGNS = {"○": True, "〇": True, "◯": True, "×": False, "✕": False}
"""Fillers of Japanese forms; they count only if nothing else is there."""

_WORD = re.compile(r"[^\W_]+")
_AROUND = " \t\r\n.!。．*[]()（）"


def answer(value: Property) -> bool | None:
    """Whether a value says yes or no; ``None`` if it is unclear.

    In a list the yes counts: forms send a hidden ``0`` before the ``1`` of a box.
    """
    if isinstance(value, list):
        said = {answer(each) for each in islice(value, MAX_ANSWERS) if not isinstance(each, list)}
        return True if True in said else False if False in said else None
    if isinstance(value, bool | int | float):
        return bool(value) if value in (0, 1) else None
    return _of_text(value) if isinstance(value, str) else None


def words_of(text: str) -> list[str]:
    """The words at the beginning of a text, in small letters; none of an address or a link."""
    start = text[:MAX_ANSWER].casefold()
    return [] if any(mark in start for mark in ("://", "www.", "@", "<")) else _WORD.findall(start)


def _of_text(text: str) -> bool | None:
    start = text[:MAX_ANSWER].casefold().strip(_AROUND)
    if start[:1] in (*_TICKS, *_CROSSES):
        return start[0] in _TICKS
    if start in _SIGNS or start in _YES or start in _NO:
        return _SIGNS.get(start, start in _YES)
    return _of_words(words_of(text))


def _of_words(words: list[str]) -> bool | None:
    while words[1:] and words[0] in _BEFORE:
        words = words[1:]
    first, second = (*words[:2], "", "")[:2]
    if first in ("opt", "opted"):
        return _OPT.get(second)
    if not _NOT.isdisjoint(words):
        return None if first in _PLAIN_YES else False
    said = _PHRASES.get((first, second))
    if said is None:
        said = True if first in _YES else False if first in _ALL_NO else None
    if said and not _BACK.isdisjoint(words):
        return None if first in _PLAIN_YES else False
    return said


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
    """Why a mail tool did not even try: its own suppression list has the address."""
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


MAX_AROUND = 6
"""Number of words before and after a name that are ignored."""


class _Asks(Enum):
    """The question of a field, which decides how its value is read."""

    OUT = "out"  # whether the person has opted out
    SINCE = "since"  # when they did
    IN = "in"  # whether they agree: the box beside a form
    LISTED = "listed"  # whether they are on a list; its value may also be the list's name
    STANDING = "standing"  # their status, in a word


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
    abmelden abbestellen austragen newsletterabmeldung newsletterabbestellung keinewerbung
    keinenewsletter keineemails desabonner sedesabonner medesabonner desabonnement desinscrire
    sedesinscrire medesinscrire desinscription darsedebaja darmedebaja darmebaja
    cancelarsuscripcion cancelarinscricao cancelarassinatura descadastrar descadastro
    disiscrivimi disiscriviti disiscrizione annullaiscrizione uitschrijven afmelden
    wypiszmnie wypiszsie avprenumerera afmeld frameld avmeld peruutatilaus odhlasitodber
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
    wantsemails wantsmarketing wantsnewsletter newsletters werbung
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
_OPT_OUTS_BEFORE = frozenset(_SAYS_NOTHING_BEFORE.split())
_AFTER = frozenset(_SAYS_NOTHING_AFTER.split())

_TICKED = """
    unsubscribed unsubscribe unsub optout optedout all everything email emails newsletter marketing
    revoked withdrawn complained
"""
_MEANT = frozenset(_TICKED.split())
_UNKNOWN = frozenset(("null", "undefined", "nan", "unknown", "empty"))
_STANDS_OUT = frozenset(("unsubscribed", "unsubscribe", "unsub", "optout", "optedout"))


def asks_about_mail(name: str) -> bool:
    """Whether a field of this flat name may say that the person wants no mail, or wants it."""
    return _asks_of(name) is not None


def says_no(event: Event) -> bool:
    """Whether a field of the event says that the person wants no mail.

    An opt-out that is false takes nothing back, because every later copy of a record has it.
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
    """A flat name in one word, then with more and more of its meaningless parts removed.

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
    return (
        word in _OPT_OUTS_BEFORE or word.isdecimal() or (word[:1] == "q" and word[1:].isdecimal())
    )
