"""Yes and no, in the words that forms, trackers and CRMs send for them.

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
    true yes y t on 1 x ok okay checked selected ticked agree agreed accept accepted accepts
    granted given allowed confirmed subscribed optin optedin
    ja jawohl oui si sí sim yep yeah sure tak da ano áno igen evet kyllä kyla jah taip jā vrai wahr
    vero verdadero verdadeiro да так ναι はい 同意する 同意します 同意 是 是的 예 네 동의 동의함
    نعم כן ใช่ हाँ hai ya có
    zustimmen einverstanden akzeptiert accepter accepté acepto aceptar accetto aceito akkoord
"""
_SAYS_NO = """
    false no n f off 0 none never unchecked unselected unticked disagree disagreed decline declined
    declines denied refuse refused reject rejected revoked withdrawn withheld cancelled canceled
    unsubscribe unsubscribed unsub optout optedout
    nein nicht non não nao nee nej nei nie ne hayır hayir ei nem nu faux falsch falso нет ні
    όχι いいえ 同意しない 同意しません 否 不 不同意 아니요 아니오 لا לא ไม่ नहीं tidak không
    abgelehnt widerrufen refusé refuse rechazo rechazado rifiuto recusado geweigerd
"""
_YES, _NO = frozenset(_SAYS_YES.split()), frozenset(_SAYS_NO.split())
_OPT = {"in": True, "out": False}
_I = frozenset(("i", "we", "ich", "je", "j", "yo", "eu"))
_NOT = frozenset(("not", "don", "dont", "nicht", "disagree", "decline"))
_WORD = re.compile(r"[^\W_]+")


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
    words = words_of(text)
    if words[:1] and words[0] in _I:
        words = words[1:]
    if not words:
        return None
    if words[0] in ("opt", "opted"):
        return _OPT.get("".join(words[1:2]))
    if not _NOT.isdisjoint(words):
        return False
    if words[0] in _YES:
        return True
    return False if words[0] in _NO else None
