"""What mail tools share: a nurture step that is due, sent to the lead as a template of the tool."""

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import DecodeError, Struct, ValidationError, field, json
from msgspec.structs import replace

from warmlead.destinations.base import (
    MAX_SHOWN,
    DestinationSettings,
    Secrets,
    SelectingDestination,
    is_plain,
    result_of,
)
from warmlead.destinations.selection import kinds_of
from warmlead.domain.dispatch import AttemptResult, Declined, Postponed, Sent, Skipped
from warmlead.domain.identity import normalise_email
from warmlead.domain.text import one_line
from warmlead.ports.dispatching import Outbound, OutboundAnswer, OutgoingMessage
from warmlead.settings import SettingFault
from warmlead.web.outbound import url_problem

_KIND = "nurture.step_due"
MESSAGE_ID = "warmlead_id"
"""The name under which the tool keeps the id of our message with the mail."""

MAX_VALUE = 500
"""Characters of a variable."""

MAX_SENDER_NAME = 100

TRAITS = (
    *("first_name", "last_name", "name", "company", "title", "industry"),
    *("city", "country", "language"),
)
"""The traits that every template gets; settings may name more."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ADDRESS_IN_TEXT = re.compile(r"[^\s@<>\"'(),:;]{1,100}@[^\s@<>\"'(),:;]{1,100}")
_LINK = re.compile(r"://|\w\.[^\W\d_]{2,}", re.IGNORECASE)
"""What mail programs make links of: an address with ``://``, or the name of a host."""

_HOST = re.compile(r"[A-Za-z0-9-]{1,63}\.[A-Za-z]{2,10}")
_NAMED_LIKE_A_HOST = "company"
"""The trait that may be the name of a host and nothing else: ``Booking.com``."""

_OF_LISTS = ',;<>"() '
"""Signs by which a field of addresses would be read as several, or as a name and an address."""

MAX_TAG = 100
"""Characters of a tag: SendGrid takes 255, Mailgun 128."""

_UNSENDABLE = str.maketrans(dict.fromkeys("<>{}[]\\`"))


class MailAddress(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address with the name that people read beside it."""

    email: str
    name: str = ""

    @property
    def as_object(self) -> dict[str, str]:
        """The address as tools with JSON take it, with the name if there is one."""
        return {"email": self.email} | ({"name": self.name} if self.name else {})

    @property
    def in_header(self) -> str:
        """As a header of a mail has it: ``"Ann of Example" <ann@example.com>``."""
        quoted = self.name.replace("\\", "").replace('"', "'")
        return f'"{quoted}" <{self.email}>' if quoted else self.email


class MailToolSettings(DestinationSettings, frozen=True, kw_only=True):
    """A key of the tool, who writes, and which template each message of the model is.

    ``templates`` are the tool's ids by the name of the model's ``message``. ``traits`` are those
    that templates get besides ``TRAITS``. ``address`` stands in for the tool's API.
    """

    tokens: Secrets
    from_: MailAddress = field(name="from")
    templates: Mapping[str, str | int]
    reply_to: str = ""
    traits: tuple[str, ...] = ()
    address: str = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(from={self.from_.email!r})"

    @classmethod
    def default_messages(cls) -> tuple[str, ...]:
        """Nurture steps: nothing else is written to a person."""
        return kinds_of((_KIND,))

    @classmethod
    def template_problem(cls, template: str | int) -> str:
        """What is wrong with the id of a template; empty if nothing is."""
        return "" if str(template).strip() else "must name a template of the tool"

    @classmethod
    def faults(cls, given: object, where: tuple[str, ...]) -> list[SettingFault]:
        """See ``DestinationSettings``."""
        found = super().faults(given, where)
        return found or list(_faults(given, where, cls.template_problem))

    @classmethod
    def unsafe(cls, given: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[SettingFault]:
        """See ``DestinationSettings``; and another address."""
        yield from super().unsafe(given, where)
        if given.get("address"):
            yield SettingFault((*where, "address"), "is only for one's own machine")


def _faults(
    given: Any,  # noqa: ANN401  # a section
    where: tuple[str, ...],
    template_problem: Callable[[str | int], str],
) -> Iterator[SettingFault]:
    yield from _faults_of_addresses(given, where)
    if any(not is_plain(token) for token in given["tokens"]):
        yield SettingFault((*where, "tokens"), "a key is printable ASCII without a blank")
    if not given["templates"]:
        problem = "is empty; give the tool's template for each message of the model's sequences"
        yield SettingFault((*where, "templates"), problem)
    for message, template in given["templates"].items():
        if problem := template_problem(template):
            yield SettingFault((*where, "templates", str(message)), problem)
    for trait in given.get("traits") or ():
        if not _NAME.fullmatch(trait):
            yield SettingFault((*where, "traits"), f"{trait[:80]} is not the name of a trait")
    if any(kind not in (_KIND, *kinds_of((_KIND,))) for kind in given.get("messages") or ()):
        yield SettingFault((*where, "messages"), f"only {_KIND} is a mail to the lead")


def _faults_of_addresses(
    given: Any,  # noqa: ANN401  # a section
    where: tuple[str, ...],
) -> Iterator[SettingFault]:
    sender, name = given["from"], given["from"].get("name") or ""
    if normalise_email(sender["email"]) is None:
        yield SettingFault((*where, "from", "email"), "is not an email address")
    if (reply_to := given.get("reply_to")) and normalise_email(reply_to) is None:
        yield SettingFault((*where, "reply_to"), "is not an email address")
    if len(name) > MAX_SENDER_NAME or not name.isprintable():
        problem = f"must be one line of at most {MAX_SENDER_NAME} characters"
        yield SettingFault((*where, "from", "name"), problem)
    address = given.get("address")
    if address and (problem := url_problem(address, allow_local=bool(given.get("allow_local")))):
        yield SettingFault((*where, "address"), problem)


class OutgoingMail(Struct, frozen=True, kw_only=True):
    """One mail as every tool needs it.

    ``tags`` are the message's and the sequence's names: what the tool's webhooks report of the
    mail names the first. ``variables`` are what the template may show.
    """

    id: str
    to: str
    template: str | int
    variables: Mapping[str, str | int]
    tags: tuple[str, ...]


class Request(Struct, frozen=True, kw_only=True):
    """What is posted to the tool."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class MailDestination(SelectingDestination):
    """Sends nurture steps as templates of a mail tool.

    Mail tools send again what they are told again. So nothing is repeated unless it has certainly
    not been sent, and a person decides about the rest.
    """

    may_repeat = False
    writes_to_people = True

    def __init__(self, name: str, settings: MailToolSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        self._own = settings

    @abstractmethod
    def request(self, mail: OutgoingMail) -> Request:
        """The request that has the mail sent."""

    @abstractmethod
    def judged(self, answer: OutboundAnswer, told: "Told", now: datetime) -> AttemptResult:
        """What an answer means."""

    async def send(self, message: OutgoingMessage, now: datetime) -> AttemptResult:
        """One mail to the lead."""
        data = message.data
        lead = data.get("lead") or {}
        to, step = lead.get("email"), str(data.get("message") or "")
        if not (isinstance(to, str) and to):
            return Skipped("no email address of the lead is known")
        if normalise_email(to) != to or any(sign in to for sign in _OF_LISTS):
            return Declined("the email address cannot be written to")
        if (lead.get("consent") or {}).get("may_be_mailed") is False:
            return Skipped("the person may not be written to")
        template = self._own.templates.get(step)
        if template is None:
            return Declined(f"templates has none for the message {step[:80]}: add it")
        mail = OutgoingMail(
            id=message.id,
            to=to,
            template=template,
            variables=variables_of(message, self._own.traits),
            tags=_tags(step, str(data.get("sequence") or "")),
        )
        answer = await self.posted(self.request(mail))
        personal = [to, *(str(mail.variables[name]) for name in (*TRAITS, *self._own.traits))]
        return self.judged(answer, Told(answer, personal), now)

    async def posted(self, request: Request) -> OutboundAnswer:
        """The answer to the request."""
        headers = {"User-Agent": "Warmlead", **request.headers}
        return await self._outbound.request("POST", request.url, headers, request.body)


class Told:
    """What a tool told with its answer, without what is personal in it."""

    def __init__(self, answer: OutboundAnswer, personal: Sequence[str]) -> None:
        self._personal = sorted(personal, key=len, reverse=True)
        try:
            self.fields = json.decode(answer.body, type=dict[str, Any])
        except (DecodeError, ValidationError, UnicodeDecodeError):
            self.fields = {}

    def words(self, *parts: object) -> str:
        """Texts and numbers of the tool's on one line, divided by blanks."""
        given = " ".join(str(part) for part in parts if isinstance(part, str | int) and part != "")
        words = _ADDRESS_IN_TEXT.sub("(address)", one_line(given[: 10 * MAX_SHOWN]))
        for value in self._personal:
            if len(value) > 2:  # noqa: PLR2004  # a shorter one is in every other word
                words = words.replace(value, "(…)")
        return words[:MAX_SHOWN]

    def id(self, *names: str) -> str:
        """The tool's id of the mail, in a field of one of the names."""
        found = (self.fields.get(name) for name in names)
        return next((str(one)[:200] for one in found if isinstance(one, str | int) and one), "")


def judged_by_status(
    answer: OutboundAnswer, now: datetime, *, words: str = "", after_s: float | None = None
) -> AttemptResult:
    """What a status means for a mail; ``after_s`` is the pause of a header of the tool's own.

    After an error of the tool the mail may have been sent, unless the tool says that it is not
    available (503).
    """
    if answer.status in (401, 402, 403):
        why = f"it answered {answer.status}" + (f": {words}" if words else "")
        return Postponed(f"{why}; a person has to look at the key and the account")
    result = result_of(answer, now, shown=words)
    if not isinstance(result, Postponed):
        return result
    is_certain = answer.status < 500 or answer.status == 503  # noqa: PLR2004  # HTTP's
    return replace(result, after_s=result.after_s or after_s, is_certain=is_certain)


def number_in(answer: OutboundAnswer, header: str) -> float | None:
    """The number in a header; ``None`` if there is none."""
    text = answer.headers.get(header, "").strip()[:12]
    return float(text) if text.isascii() and text.isdigit() else None


def sent_as(reference: str) -> Sent:
    """The result of a mail that the tool took."""
    return Sent(reference.strip("<>")[:200])


def _tags(*names: str) -> tuple[str, ...]:
    """The names as tags, each once: SendGrid takes none twice."""
    return tuple(dict.fromkeys(name[:MAX_TAG] for name in names if name))


# --- what templates get --------------------------------------------------------------------


def variables_of(message: OutgoingMessage, traits: tuple[str, ...]) -> dict[str, str | int]:
    """What a template may show; all of it is always there, empty if it is not known.

    A lead's texts were typed by anybody. So they are one line, without the signs of markup, and a
    text with a link in it is left out: nobody's form sends links to others in our name.
    """
    data = message.data
    lead = data.get("lead") or {}
    known = lead.get("traits") or {}
    found: dict[str, str | int] = {
        name: shown(known.get(name), name) for name in (*TRAITS, *traits)
    }
    found["first_name"] = found["first_name"] or _first_of(str(found["name"]))
    numbers = ("score", "step", "steps")
    texts = ("stage", "grade", "sequence", "message")
    found |= {name: shown(data.get(name)) for name in texts}
    found |= {name: value for name in numbers if isinstance(value := data.get(name), int)}
    return {**found, "email": str(lead.get("email") or ""), "lead_id": message.lead_id}


def shown(value: object, name: str = "") -> str | int:
    """The value of a trait of this name as a template may show it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    text = one_line(value).translate(_UNSENDABLE).strip() if isinstance(value, str) else ""
    is_name = name == _NAMED_LIKE_A_HOST and _HOST.fullmatch(text)
    return "" if "@" in text or (_LINK.search(text) and not is_name) else text[:MAX_VALUE]


def _first_of(name: str) -> str:
    """The first name in a name of two or more words; empty if it is not clear."""
    first, blank, _ = name.partition(" ")
    return first if blank and first.isalpha() and "," not in name else ""
