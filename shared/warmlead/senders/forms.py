"""What senders of forms share: envelopes, what is set aside, and their base class."""

import base64
import binascii
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar
from urllib.parse import unquote

from msgspec import Struct, structs

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event, Trust
from warmlead.parsing.charsets import Tell
from warmlead.parsing.form_bodies import IsNeeded
from warmlead.parsing.strict_json import mended, parse, text_of
from warmlead.ports import Accepted, Ignored, RawRequest, Refused, Translation
from warmlead.senders.automation import of_request
from warmlead.senders.base import MESSAGE_IDS, PlainAnswers, Profile, success
from warmlead.senders.claims import told_apart, trust_in
from warmlead.senders.labels import labels_of
from warmlead.senders.person import (
    MAX_ADDRESS_TEXT,
    MAX_ADDRESSES,
    MAX_KEY,
    MAX_LIST,
    MAX_LOOKED_AT,
    MAX_TEXT_BYTES,
    Notes,
    email_of,
    event_id,
    field_name,
    standard_name,
)
from warmlead.senders.submission import (
    Fact,
    FormMapping,
    NothingToKeepError,
    Post,
    UnwantedError,
    needed_fields,
    translate_submission,
    wanted_names,
)
from warmlead.web.answers import Answer, answer_error

Mend: TypeAlias = Callable[[Any], Any]
"""Corrects a value whose JSON has local faults."""

_REQUIRED = ("specversion", "id", "source", "type")
_DATA = ("data", "data_base64")


def in_envelopes(items: Sequence[Any], headers: Mapping[str, str]) -> Sequence[Any]:
    """The submissions of a request in binary mode, each in an envelope; any others as they are."""
    if "ce-specversion" not in headers or not headers.get("ce-id"):
        return items
    names = (*_REQUIRED, "time")
    said = {name: unquote(headers.get(f"ce-{name}", ""))[:MAX_TEXT_BYTES] for name in names}
    return [
        {**said, "id": f"{said['id']}-{index}" if index else said["id"], "data": item}
        for index, item in enumerate(items)
    ]


def opened(item: Any, mend: Mend) -> Fact:  # noqa: ANN401  # whatever JSON holds
    """A submission out of its envelope, if it has one; ``mend`` repairs data that was in base64."""
    if not is_envelope(item):
        return Fact(item)
    data = item["data"] if "data" in item else _decoded(item["data_base64"], mend)
    # Two sources may give the same id: it counts only with its source.
    id_ = " ".join(str(item[name]) for name in ("source", "id") if item[name])
    try:
        return Fact(data, event_id(id_, "The id"), item.get("time"))
    except RejectedError:
        return Fact(data, None, item.get("time"))


def is_envelope(item: Any) -> bool:  # noqa: ANN401  # whatever JSON holds
    """Whether it is a CloudEvent in JSON, with data."""
    return (
        isinstance(item, dict)
        and all(isinstance(item.get(name), str) for name in _REQUIRED)
        and any(name in item for name in _DATA)
    )


def _decoded(encoded: Any, mend: Mend) -> Any:  # noqa: ANN401  # whatever JSON holds
    try:
        document = parse(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError, TypeError, RejectedError):
        return None
    return mend(document.value) if document.suspect else document.value


MAX_SET_ASIDE_TEXT = 60_000
"""Limit of characters that are kept of one submission that is set aside."""

MAX_UNREADABLE_BYTES = 64 * 1024
"""Limit of a body that cannot be read."""

_UNWANTED_ANYWHERE = re.compile(
    r"passw|pwd|card.?num|\bcv[vc]2?\b|\bssn\b|\biban\b|captcha|turnstile|csrf", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z0-9.-]+")
_WORD_AT_END = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+\Z")

WITHHELD = "(not kept, since it may hold a password; addresses in it:)"


class SetAside(Struct, frozen=True):
    """The text for quarantine; ``is_cut`` if it is not all that was sent."""

    text: str
    is_cut: bool


def set_aside(item: Any, settings: FormMapping) -> SetAside:  # noqa: ANN401  # whatever JSON holds
    """The text of a submission for quarantine: JSON as it was sent, within limits.

    Fields that may never be kept are left out. With other settings it may become a lead later.
    """
    writing = _Writing(wanted_names(settings), needed_fields(settings))
    text = text_of(writing.value(item, ""))
    return SetAside(text, writing.is_cut)


class _Writing:
    """Copies the parts of a submission that may be kept, up to the limit."""

    def __init__(self, is_wanted: Callable[[str], bool], is_needed: IsNeeded) -> None:
        self._is_wanted = is_wanted
        self._is_needed = is_needed
        self.is_cut = False
        self._fields = MAX_LOOKED_AT
        self._room = MAX_SET_ASIDE_TEXT

    def value(self, value: Any, prefix: str) -> Any:  # noqa: ANN401  # whatever JSON holds
        """The copy of a value; its depth is bounded, as it was parsed or mended before."""
        if isinstance(value, str):
            text = value[: min(MAX_TEXT_BYTES, self._room)]
            self._room -= len(text)
            self.is_cut |= len(text) < len(value)
            return text
        if isinstance(value, list):
            self.is_cut |= len(value) > MAX_LIST
            return [self.value(one, prefix) for one in value[:MAX_LIST] if self._may(one, prefix)]
        return self._object(value, prefix) if isinstance(value, dict) else value

    def _may(self, one: Any, prefix: str) -> bool:  # noqa: ANN401  # whatever JSON holds
        """Whether a value of a list may be kept; a record in it may be labelled as a password."""
        if not isinstance(one, dict):
            return True
        names = (field_name(label) for label in labels_of(one, {}))
        return all(self._is_wanted(f"{prefix}_{name}" if prefix else name) for name in names)

    def _object(self, group: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        in_envelope = not prefix and is_envelope(group)
        written: dict[str, Any] = {}
        fields = group.items() if len(group) == 1 else sorted(group.items(), key=self._order)
        for key, value in fields:
            if self._fields <= 0:
                self.is_cut = True
                break
            own = field_name(key[:MAX_KEY])
            name = "" if in_envelope else f"{prefix}_{own}" if prefix else own
            if in_envelope or self._is_wanted(name):
                self._fields -= 1
                written[key[:MAX_KEY]] = self.value(value, name)
        if len(group) == 1:
            return written
        order = dict.fromkeys(key[:MAX_KEY] for key in group)
        return {key: written[key] for key in order if key in written}

    def _order(self, item: tuple[str, Any]) -> tuple[bool, bool, int]:
        """Needed fields come first, then groups; long texts come last, so that others find room."""
        key, value = item
        text = value if isinstance(value, str) else ""
        start = text[:MAX_ADDRESS_TEXT].encode(errors="replace")
        needed = not isinstance(value, dict | list) and self._is_needed(
            key[:MAX_KEY].encode(errors="replace"), start
        )
        return not needed, not isinstance(value, dict | list), len(text)


def unreadable_text(body: bytes) -> SetAside | None:
    """The beginning of an unreadable body, for a person to look at; ``None`` if it is not text.

    A password in it could not be found, since its fields cannot be separated. Of a body that
    mentions a password only the addresses are kept.
    """
    start = body[:MAX_UNREADABLE_BYTES]
    if b"\0" in start:
        return None
    text = start.decode(errors="replace")
    if not _UNWANTED_ANYWHERE.search(text):
        return SetAside(text, len(start) < len(body))
    return SetAside(f"{WITHHELD} {', '.join(_addresses(text))}".strip(), is_cut=True)


def _addresses(text: str) -> list[str]:
    """The e-mail addresses in a text, the first ten."""
    pieces = text.split("@", 2 * MAX_ADDRESSES)
    found = []
    for before, after in pairwise(pieces):
        local, domain = _WORD_AT_END.search(before[-64:]), _WORD.match(after[:255])
        if local and domain and (email := email_of(f"{local[0]}@{domain[0]}")):
            found.append(email)
    return found[:MAX_ADDRESSES]


NOTHING_TO_KEEP = (Reason.BODY_EMPTY, Reason.TOO_MANY_EVENTS)
"""Why a body cannot be read that is not set aside."""

_WHOLE = "Nothing is lost: the post is in quarantine."
_CUT = "The post is in quarantine, but not all of it: it holds more than is kept."
_SET_ASIDE = (
    "Correct it and send it again; or name its fields"
    " in the settings of the form and run `warmlead quarantine replay`."
)
_SET_ASIDE_AS_SPAM = (
    "Load the page again and send it once more;"
    " or look at the post and run `warmlead quarantine replay` with its number."
)


class Submissions(Struct, frozen=True):
    """What was posted: one submission, or several in a JSON list.

    Those of a ``suspect`` body are mended before they are used. ``problems`` are why some of them,
    by their index, are set aside whatever they say.
    """

    items: Sequence[Any]
    suspect: bool
    problems: Mapping[int, RejectedError] = {}


M = TypeVar("M", bound=FormMapping)


class FormSender(PlainAnswers, ABC, Generic[M]):
    """A sender of forms. A referrer on one of ``own_hosts``, or below it, is not an origin.

    A post without a value that may be kept is a failure and forgotten, unless ``keeps_empty``.
    """

    name: str
    profile: Profile
    keeps_empty: ClassVar[bool] = False

    def __init__(self, *, own_hosts: frozenset[str] = frozenset()) -> None:
        self._own_hosts = own_hosts

    @property
    @abstractmethod
    def paths(self) -> Sequence[str]:
        """The paths below the function to which forms are posted."""

    @abstractmethod
    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """The headers by which the sender proves that the request is its own; none if public."""

    @abstractmethod
    def form_of(self, request: RawRequest) -> tuple[str, M]:
        """The name and the settings of the request's form; ``RejectedError`` for no such form."""

    @abstractmethod
    def check(self, request: RawRequest) -> Trust:
        """Signed or public; raises ``RejectedError`` unless the form accepts the request."""

    @abstractmethod
    def read(self, request: RawRequest, settings: M, tell: Tell) -> Submissions:
        """The submissions in the body; raises ``RejectedError`` if they cannot be separated."""

    def facts(self, item: Any, settings: M, mend: Mend) -> Iterable[Fact | Ignored]:  # noqa: ANN401, ARG002  # whatever JSON holds; most do not ask the settings
        """What an item says: by default it is one submission, perhaps in a CloudEvent."""
        return (opened(item, mend),)

    def mapping_of(self, fact: Fact, settings: M) -> FormMapping:  # noqa: ARG002  # most have one for all
        """What the fields of a fact mean: by default what the settings of the request say."""
        return settings

    def is_trapped(self, fields: Mapping[str, Any], settings: M) -> bool:  # noqa: ARG002  # most forms have no trap
        """Whether a robot filled in the submission."""
        return False

    def id_of(self, request: RawRequest) -> str | None:
        """The id of the post, by which it is counted once if its fields have none."""
        return _sender_id(request)

    def next_page(self, fields: Mapping[str, Any], settings: M, notes: Notes) -> str:  # noqa: ARG002  # most forms ask for none
        """The page to which the form itself asks to go; empty for none."""
        return ""

    def verify(self, request: RawRequest) -> Trust:
        """Signed or public; raises ``RejectedError`` unless the form accepts the post."""
        self.form_of(request)
        if request.method != "POST":
            raise RejectedError(Reason.METHOD_NOT_ALLOWED, "Send forms with POST.")
        return self.check(request)

    def translate(self, request: RawRequest, trust: Trust) -> Translation:
        """The events in the post, each submission judged by itself.

        A body that cannot be read is one refused item. Raises ``RejectedError`` only if there
        is nothing that could be kept.
        """
        form, settings = self.form_of(request)
        notes = Notes()
        try:
            submissions = self.read(request, settings, notes.tell)
        except RejectedError as error:
            kept = None if error.reason in NOTHING_TO_KEEP else unreadable_text(request.body)
            if kept is None:
                raise
            refused = Refused(error, kept.text.encode(), 0, is_cut=kept.is_cut)
            return Translation(refused=[refused], keeps_refused=True)
        post = Post(
            source=self.name,
            form=form,
            settings=settings,
            trust=trust,
            received_at=request.received_at,
            sender_id=self.id_of(request),
            referer=request.headers.get("referer", ""),
            automated=of_request(request, trust, is_form=True),
            own_hosts=self._own_hosts,
        )
        return self._translated(submissions, settings, post, notes)

    def resend(self, path: str, raw: bytes) -> tuple[str, bytes]:
        """A refused submission is JSON already, and goes to the same form."""
        return path, raw

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:  # noqa: ARG002  # other senders need the request
        """The refused submissions and the notes; a failure if no submission can be used."""
        if accepted.refused and not accepted.events:
            return _all_refused(accepted)
        return success(accepted)

    def _translated(
        self, submissions: Submissions, settings: M, post: Post, notes: Notes
    ) -> Translation:
        found = _Found()
        for index, item in enumerate(submissions.items):
            own = Notes(notes.told)
            mend = partial(_sound, settings=settings, notes=own)
            sound = mend(item) if submissions.suspect else item
            problem = submissions.problems.get(index)
            try:
                for fact in self.facts(sound, settings, mend):
                    self._judge(fact, settings, post, index, own, found, problem)
            except RejectedError as error:
                if isinstance(error, NothingToKeepError) and not self.keeps_empty:
                    found.empty.append(error)
                kept = set_aside(sound, settings)
                is_cut = kept.is_cut or any("left out" in note for note in notes.told)
                found.refused.append(
                    Refused(
                        problem or error, kept.text.encode(), index, post.automated, is_cut=is_cut
                    )
                )
        return found.translation(len(submissions.items))

    def _judge(  # noqa: PLR0917  # one fact, and all that it is judged by
        self,
        fact: Fact | Ignored,
        settings: M,
        post: Post,
        index: int,
        notes: Notes,
        found: "_Found",
        problem: RejectedError | None,
    ) -> None:
        """Adds what becomes of a fact; raises ``RejectedError`` if it cannot be used."""
        if isinstance(fact, Ignored):
            found.ignored.append((index, fact))
            return
        if not isinstance(fact.fields, dict):
            found.pages.append("")
            raise RejectedError(Reason.EVENT_INVALID, "A submission must have fields with names.")
        found.pages.append(self.next_page(fact.fields, settings, notes))
        if self.is_trapped(fact.fields, settings):
            return
        own = structs.replace(
            post,
            settings=self.mapping_of(fact, settings),
            form=fact.form or post.form,
            trust=trust_in(fact.claims, post.trust),
        )
        try:
            event = translate_submission(fact, own, index, notes)
        except UnwantedError:
            found.ignored.append((index, UNWANTED))
            return
        if problem:
            raise problem
        ids = {"user_id": fact.user_id, "anonymous_id": fact.anonymous_id}
        for told in told_apart(event, fact.claims, trust=post.trust, **ids):
            found.events.append((index, told))


UNWANTED = Ignored("not_wanted", "The settings want nothing of it.")


class _Found:
    """What the items of a request have become so far."""

    def __init__(self) -> None:
        self.events: list[tuple[int, Event]] = []
        self.refused: list[Refused] = []
        self.ignored: list[tuple[int, Ignored]] = []
        self.empty: list[RejectedError] = []
        self.pages: list[str] = []

    def translation(self, items: int) -> Translation:
        """All of it; raises the first error if no item holds anything that may be kept."""
        if self.empty and len(self.empty) == len(self.refused) and not self.events:
            raise self.empty[0]
        page = self.pages[0] if self.pages else ""
        return Translation(
            self.events,
            self.refused,
            items,
            keeps_refused=True,
            ignored=self.ignored,
            redirect=page,
        )


def _all_refused(accepted: Accepted) -> Answer:
    """The answer to a post without a usable submission: the reason, and what can be done."""
    first, *others = accepted.refused
    before = f"None of the {len(others) + 1} submissions can be used. The first: " if others else ""
    kept = _CUT if any(one.is_cut for one in accepted.refused) else _WHOLE
    is_spam = Reason(first.error.reason).is_for_a_person
    message = (
        f"{before}{first.error.message} {kept} {_SET_ASIDE_AS_SPAM if is_spam else _SET_ASIDE}"
    )
    return answer_error(RejectedError(Reason(first.error.reason), message))


def _sound(item: Any, settings: FormMapping, notes: Notes) -> Any:  # noqa: ANN401  # whatever JSON holds
    """The item without the faults of its JSON; all addresses in it are tried."""
    email = field_name(settings.email) if settings.email else None

    def keep_all(key: str) -> bool:
        name = field_name(key[:MAX_KEY])
        return name == email or standard_name(name) == "email"

    return mended(item, notes.tell, keep_all)


def _sender_id(request: RawRequest) -> str | None:
    """The id of the post in a header; ``None`` for none, and for one that cannot be used."""
    for header in MESSAGE_IDS:
        try:
            if found := event_id(request.headers.get(header), header):
                return found
        except RejectedError:
            continue
    return None
