"""Mails that people send back, as mail tools hand them on: replies, and wishes to get no more.

Anybody can write any sender into a mail, so what it says is public. Its text is read, but not kept.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any
from unicodedata import normalize

from msgspec import Struct

from warmlead.domain.sites import is_below
from warmlead.senders.chats import name_of
from warmlead.senders.person import email_of, long_hash
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, part, text

REPLY, REFUSAL = "mail.reply", "mail.refusal"
AUTOMATIC, OTHER = "mail.automatic", "mail.other"
REPLIES: Mapping[str, str | None] = {
    REPLY: "email_replied",
    REFUSAL: "email_unsubscribed",
    AUTOMATIC: None,
    OTHER: None,
}
"""The kinds of mails that come in: a sender that hands them on spreads them among its meanings."""

MAX_HEADERS = 300
MAX_HEADER = 1_000
MAX_WORDS = 4_000
"""The characters of a mail's text that are read."""

_SAID_FIRST = 200
"""The characters of the person's own words among which a wish to get no more mail is looked for."""

_SHORT = 5
"""The most words of a mail that answers none, if it is to be such a wish alone."""

_BULK = frozenset(("bulk", "list", "junk", "auto_reply", "auto-reply"))
_OF_PROGRAMS = (
    *("x-autoreply", "x-autorespond", "x-autoresponder"),
    *("list-id", "list-unsubscribe", "x-failed-recipients", "feedback-id"),
)
"""Headers that programs write, and people do not (RFC 3834, RFC 2919)."""

_NOBODY = re.compile(
    r"(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)(?:[+_-].*)?@.*", re.IGNORECASE
)
_ABSENT = tuple(
    phrase.casefold()
    for phrase in """
automatic reply|auto reply|auto-reply|autoreply|out of office|out of the office|away from
automatische antwort|abwesenheit|abwesend|ich bin nicht im|réponse automatique|absence du bureau
absent du bureau|respuesta automática|fuera de la oficina|risposta automatica|fuori ufficio
resposta automática|fora do escritório|automatisch antwoord|afwezig|automatiskt svar|autosvar
automatisk svar|automaattinen vastaus|automatyczna odpowiedź|automatická odpověď|автоответ
автоматический ответ|自動返信|自動応答|不在通知|自动回复|自動回覆|자동 회신|부재중
undeliverable|undelivered|delivery status notification|mail delivery failed|read:|gelesen:
""".replace("\n", "|").split("|")
    if phrase
)
"""How the subjects of programs' answers begin, in the languages of the usual mail programs."""

_NO_MORE = tuple(
    phrase.casefold()
    for phrase in """
unsubscribe|opt out|opt me out|opt-out|remove me|take me off|stop emailing|stop sending|no more mail
no more email|do not contact me|don't contact me|do not email|don't email|stop contacting
abmelden|abbestellen|austragen|aus dem verteiler|keine weiteren mails|keine weiteren e-mails
keine mails mehr|keine e-mails mehr|keine werbung|désabonner|désinscrire|désinscription
désabonnement|ne plus recevoir|retirez-moi|darme de baja|darse de baja|dar de baja|no me envíen
cancelar suscripción|cancelar la suscripción|cancellami|cancellarmi|disiscriv|annulla iscrizione
non voglio più|descadastrar|cancelar inscrição|remover meu|não quero mais|afmelden|uitschrijven
geen mails meer|geen e-mails meer|avregistrera|avprenumerera|afmeld|avmeld|wypisz|wypisać
rezygnuję|odhlásit|leiratkoz|peruuta tilaus|отписаться|отпишите|отписка|відписатися
配信停止|配信を停止|退订|取消订阅|退訂|取消訂閱|수신거부|구독 취소|구독취소
""".replace("\n", "|").split("|")
    if phrase
)
_STOP = frozenset(("stop", "stop please", "please stop", "remove", "stopp", "bitte stopp", "basta"))
"""What says so only if nothing else is said: *Stop by our booth* does not."""

_QUOTES = (
    *(">", "|", "-----", "_____", "*from:", "from:", "von:", "de:", "de :", "da:", "van:", "från:"),
    *("gesendet:", "sent:", "envoyé"),
)
"""How lines begin behind which the mail stands that is answered."""

_WROTE = (
    *("wrote:", "schrieb:", "écrit :", "écrit:", "escribió:", "ha scritto:", "escreveu:"),
    *("schreef:", "skrev:", "kirjoitti:", "napisał(a):", "napsal(a):", "пишет:", "写道："),
)


class Mail(Struct, frozen=True, kw_only=True):
    """A mail that came in.

    ``sender`` is its From, ``headers`` have names in lower case, ``words`` are its text. ``id`` is
    the tool's own id, for a mail that has none itself; ``time`` when it came, if the tool says so.
    """

    sender: str
    headers: Mapping[str, str]
    subject: str = ""
    words: str = ""
    id: str = ""
    time: Any = None


def headers_of(pairs: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """The headers, the first of each name, which the last mail server wrote."""
    found: dict[str, str] = {}
    for name, value in islice(pairs, MAX_HEADERS):
        first = value[0] if isinstance(value, list) and value else value
        found.setdefault(_storable(name).lower(), _storable(first))
    return found


def _storable(value: object) -> str:
    """A text without half surrogates: JSON within a field may hold them."""
    return text(value)[:MAX_HEADER].encode(errors="replace").decode().strip()


def headers_in(lines: str) -> dict[str, str]:
    """The headers of a mail as it was sent; one may go on in lines that begin with a blank."""
    unfolded: list[str] = []
    for line in lines[: MAX_HEADERS * MAX_HEADER].splitlines():
        if line[:1] in (" ", "\t") and unfolded:
            if len(unfolded[-1]) < MAX_HEADER:
                unfolded[-1] += f" {line.strip()}"
        else:
            unfolded.append(line)
    parted = (line.partition(":") for line in unfolded)
    return headers_of((name, value) for name, _, value in parted)


def said_by(mail: Mail, own_hosts: Collection[str] = ()) -> Said:
    """What a mail says: whether it is a reply, and whether its person wants no more.

    A mail from one of ``own_hosts``, or below one, is that of one's own people.
    """
    name, address = _parted(mail.sender)
    kind = _kind(mail, address, own_hosts)
    if kind not in (REPLY, REFUSAL):
        return Said(kind)
    id_ = mail.headers.get("message-id") or mail.id
    fact = Fact(
        id=f"mail-{long_hash(f'{kind} {address} {id_}')}" if id_ else None,
        time=mail.time or mail.headers.get("date") or None,
        email=address,
        traits={"name": name_of(name)},
        properties={"subject": mail.subject[:MAX_HEADER]},
    )
    return Said(kind, fact)


def own_words(words: str) -> str:
    """The beginning of a mail's text, up to where the answered mail is quoted."""
    kept: list[str] = []
    for line in words[:MAX_WORDS].splitlines():
        bare = line.strip().casefold()
        if bare.startswith(_QUOTES) or bare.endswith(_WROTE):
            break
        kept.append(bare)
    return " ".join(" ".join(kept).split())


def _kind(mail: Mail, address: str, own_hosts: Collection[str]) -> str:
    if is_automatic(mail, address):
        return AUTOMATIC
    if is_below(address.rpartition("@")[2].lower(), own_hosts):
        return OTHER
    is_reply = bool(mail.headers.get("in-reply-to") or mail.headers.get("references"))
    subject, words = " ".join(mail.subject.casefold().split()), own_words(mail.words)
    if is_reply:
        return REFUSAL if _refuses(words) else REPLY
    # A mail program that follows a List-Unsubscribe writes the word into the subject.
    asked = [one for one in (subject, words) if 0 < len(one.split()) <= _SHORT]
    return REFUSAL if any(map(_refuses, asked)) else OTHER


def is_automatic(mail: Mail, address: str) -> bool:
    """Whether a program wrote it: an answer in somebody's absence, a bounce, a list, or spam."""
    headers = mail.headers
    submitted = headers.get("auto-submitted", "no").casefold()
    spam = (headers.get(name, "").casefold() for name in ("x-spam-status", "x-mailgun-sflag"))
    return (
        not submitted.startswith("no")
        or headers.get("precedence", "").casefold() in _BULK
        or headers.get("x-auto-response-suppress", "").casefold() == "all"
        or any(name in headers for name in _OF_PROGRAMS)
        or headers.get("return-path") == "<>"
        or headers.get("content-type", "").casefold().startswith("multipart/report")
        or any(one.startswith("yes") for one in spam)
        or _NOBODY.fullmatch(address) is not None
        or " ".join(mail.subject.split()).casefold().startswith(_ABSENT)
    )


def _refuses(words: str) -> bool:
    said = normalize("NFC", words[:_SAID_FIRST])
    return said.strip(" .!") in _STOP or any(phrase in said for phrase in _NO_MORE)


def _parted(sender: str) -> tuple[str, str]:
    """The name and the address of a From: ``Ada Lovelace <ada@example.com>``."""
    given = sender[:MAX_HEADER].strip()
    before, bracket, behind = given.rpartition("<")
    if not bracket:
        return "", email_of(given) or given
    bare = behind.partition(">")[0]
    return before.strip(" \"'"), email_of(bare) or bare


def first_words(item: Mapping[str, Any], *names: str) -> str:
    """The first of some fields that has a text."""
    return next((found for name in names if (found := text(part(item, name)))), "")
