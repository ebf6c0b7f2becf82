"""Yes and no, in the words that forms, trackers and CRMs send for them: the one table of both.

Boxes send the text that their page gives them, so the languages of most forms are read.
"""

import re
from itertools import islice

from warmlead.domain.event import Property

MAX_ANSWER = 64
"""Characters of a text that are read as an answer; a longer one begins with its answer."""

MAX_ANSWERS = 20
"""So many values of a list are read."""

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
"""Answers of two words of which the first alone says something else."""

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
"""These take back an agreement before them, or begin a text; elsewhere they say nothing."""

_SAYS_ONLY_YES = """
    yes ja oui si sí sì sim tak ano evet да так はい 네 是
"""
_PLAIN_YES = frozenset(_SAYS_ONLY_YES.split())
"""What goes on behind one of these may take it back: ``Yes, but do not call`` is no answer."""

_NOT = frozenset(_SAYS_NOT.split())
_BACK = frozenset(_TAKES_BACK.split())
_ALL_NO = _NO | _BACK
_TICKS, _CROSSES = "✓✔☑✅🗸🗹☒", "✗✘☐❌✖"
_SIGNS = {"○": True, "〇": True, "◯": True, "×": False, "✕": False}
"""What fills in a Japanese form; only where nothing else stands."""

_WORD = re.compile(r"[^\W_]+")
_AROUND = " \t\r\n.!。．*[]()（）"


def answer(value: Property) -> bool | None:
    """Whether a value says yes or no; ``None`` if neither is understood.

    Of a list the yes counts: forms send a hidden ``0`` before the ``1`` of a box.
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
