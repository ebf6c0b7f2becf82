"""The spam check of a form: asks Turnstile, hCaptcha or reCAPTCHA whether a person sent a post.

The services have one protocol, ``siteverify``: a secret and a token are posted, JSON comes back.
https://developers.cloudflare.com/turnstile/get-started/server-side-validation,
https://docs.hcaptcha.com, https://developers.google.com/recaptcha/docs/verify
"""

import asyncio
import hmac
import logging
import math
import re
import uuid
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlencode

from msgspec import Struct, structs

from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.parsing.charsets import Tell
from warmlead.parsing.strict_json import mended, parse, text_of
from warmlead.ports import Fetched, RawRequest
from warmlead.senders.base import MESSAGE_IDS
from warmlead.senders.captcha import CaptchaSettings, Service
from warmlead.senders.forms import NOTHING_TO_KEEP, Submissions, is_envelope
from warmlead.senders.person import MAX_KEY, MAX_LOOKED_AT, Notes
from warmlead.web.fetching import HttpFetcher
from warmlead.web.logging import log_event

_log = logging.getLogger(__name__)

ADDRESSES: Mapping[Service, str] = MappingProxyType(
    {
        "turnstile": "https://challenges.cloudflare.com/turnstile/v0/siteverify",
        "hcaptcha": "https://api.hcaptcha.com/siteverify",
        "recaptcha": "https://www.google.com/recaptcha/api/siteverify",
    }
)
"""Where each service is asked; a token and a secret go nowhere else."""

AT_ONCE = 16
"""The most questions that are open at the same time, of all forms together."""

MAX_ANSWER_BYTES = 16 * 1024
REMEMBERED = 1_000
"""The most posts of a form of which the verdict is remembered."""

REMEMBERED_FOR = timedelta(minutes=10)
"""How long it is: twice as long as the oldest token is good."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=:-]{1,8192}")
"""All services' tokens: Turnstile's have 2,048 characters at most, others up to some thousand."""

_UNKNOWN_SECRET = frozenset(("missing-input-secret", "invalid-input-secret"))
_INTERNAL = frozenset(("internal-error",))
_USED = frozenset(
    (
        *("timeout-or-duplicate", "already-seen-response", "expired-input-response"),
        "invalid-or-already-seen-response",
    )
)
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_SECRET, _SCORE = "secret_unknown", "no_score"
_OK, _CLIENT_ERROR, _SERVER_ERROR = 200, 400, 500
_LATER = (408, 429)


# --- the service -----------------------------------------------------------------------------


class Verdict(Struct, frozen=True):
    """Whether the service takes the sender for a person; if not, ``why``, in a sentence."""

    is_person: bool
    why: str = ""


PERSON = Verdict(is_person=True)


class CaptchaService(Protocol):
    """Tells people from programs by a token, which it looks at once."""

    async def judge(self, token: str, post: uuid.UUID) -> Verdict:
        """The verdict. A token that was judged before is good again only for the same post.

        Whether it is, is certain only of services that are told the ``post``. Raises
        ``UnavailableError`` if there is no verdict in time.
        """
        ...


class SiteVerify:
    """A service that is asked over HTTP. It learns the token, and nothing else of the post."""

    def __init__(self, settings: CaptchaSettings, threads: Executor | None = None) -> None:
        self._settings = settings
        self._address = settings.address or ADDRESSES[settings.service]
        self._fetcher = HttpFetcher(
            timeout_s=settings.timeout_s, most_bytes=MAX_ANSWER_BYTES, threads=threads
        )

    async def judge(self, token: str, post: uuid.UUID) -> Verdict:
        """The service's verdict, by the first of the secrets that it knows."""
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                found = await self._answer(token, post)
            return self._verdict(found) if found["success"] else _refusal(_codes(found))
        except TimeoutError as error:
            raise self._told(_NoVerdictError("timeout")) from error
        except _NoVerdictError as error:
            raise self._told(error) from error
        except UnavailableError as error:
            raise self._told(_NoVerdictError("no_answer")) from error

    async def _answer(self, token: str, post: uuid.UUID) -> Mapping[str, Any]:
        """What the service says of the token."""
        reason = ""
        for secret in self._settings.secrets:
            asked = {"secret": secret, "response": token}
            if self._settings.service == "turnstile":
                asked["idempotency_key"] = str(post)
            if self._settings.site_key:
                asked["sitekey"] = self._settings.site_key
            answer = await self._fetcher.post(self._address, _FORM, urlencode(asked).encode())
            found = self._read(answer)
            reason = _not_about_the_token(_codes(found))
            if found["success"] or not reason:
                return found
            if reason != _SECRET:
                break
        raise _NoVerdictError(reason)

    def _read(self, answer: Fetched) -> Mapping[str, Any]:
        """What the service said. An error of the client is a refusal: a token may cause one."""
        status, found = answer.status, _object(answer.body)
        if status == _OK and isinstance(found.get("success"), bool):
            return found
        if status in _LATER or not _CLIENT_ERROR <= status < _SERVER_ERROR:
            raise _NoVerdictError("no_verdict", status)
        if found.get("success") is not False:
            self._log("client_error", status)
        return {**found, "success": False}

    def _verdict(self, found: Mapping[str, Any]) -> Verdict:
        """The verdict on a good token: whether it comes from here, with a sufficient score."""
        settings = self._settings
        if settings.hosts and not _is_below(found.get("hostname"), settings.hosts):
            return Verdict(False, "The token comes from a page of another host.")
        if settings.action is not None and found.get("action") != settings.action:
            return Verdict(False, "The token is for another action.")
        if settings.least_score is None:
            return PERSON
        score = _number(found.get("score"))
        if score is None:
            raise _NoVerdictError(_SCORE)
        if settings.service == "hcaptcha":  # there 1 is a program
            score = 1 - score
        if score < settings.least_score:
            return Verdict(False, f"The score of the sender is {score:.1f}, which is too low.")
        return PERSON

    def _told(self, error: "_NoVerdictError") -> UnavailableError:
        """The outage, which is logged: as an error if the settings cause it."""
        self._log(error.reason, error.status)
        return UnavailableError(f"{self._settings.service} gives no verdict: {error.reason}")

    def _log(self, reason: str, status: int | None) -> None:
        level = logging.ERROR if reason in (_SECRET, _SCORE) else logging.WARNING
        log_event(_log, "captcha_unavailable", level=level, status=status, reason=reason)


class _NoVerdictError(Exception):
    """The service does not say what it thinks of a token; ``reason`` is for the log."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def _object(body: bytes) -> Mapping[str, Any]:
    """The JSON object in a body; an empty one if there is none."""
    try:
        found = parse(body).value
    except RejectedError:
        return {}
    return found if isinstance(found, dict) else {}


def _codes(found: Mapping[str, Any]) -> frozenset[str]:
    given = found.get("error-codes")
    listed = given if isinstance(given, list) else ()
    return frozenset(one for one in listed if isinstance(one, str))


def _not_about_the_token(codes: Collection[str]) -> str:
    """What else is wrong; empty if nothing is. No token can bring it about."""
    if _UNKNOWN_SECRET.intersection(codes):
        return _SECRET
    return "internal_error" if _INTERNAL.intersection(codes) else ""


def _refusal(codes: Collection[str]) -> Verdict:
    if _USED.intersection(codes):
        return Verdict(False, "The token has expired, or was used before.")
    return Verdict(False, "The token is not valid.")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _is_below(host: object, hosts: Collection[str]) -> bool:
    if not isinstance(host, str):
        return False
    named = f".{host.lower()}"
    return any(named.endswith(f".{one.lower()}") for one in hosts)


# --- the check of a form ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckedRequest(RawRequest):
    """A public post to a form with a spam check, after the check.

    ``read`` are its submissions, or why they cannot be read; ``notes`` are those of reading them,
    and of the check.
    """

    read: Submissions | RejectedError
    notes: tuple[str, ...]

    def submissions(self, tell: Tell) -> Submissions:
        """The submissions, with the notes; raises ``RejectedError`` if they cannot be read."""
        for note in self.notes:
            tell("", note)
        if isinstance(self.read, RejectedError):
            raise self.read
        return self.read


Read: TypeAlias = Callable[[Tell], Submissions]
"""Reads the submissions of a request; raises ``RejectedError`` if they cannot be separated."""

IsTrapped: TypeAlias = Callable[[Mapping[str, Any]], bool]

UNCHECKED = "the spam check was left out, because its service gave no verdict"
_MISSING = "There is no token of the spam check."
_NO_VERDICT = "The service of the spam check gave no verdict."
_FURTHER = "Of a list, only the first submission passes the spam check."


class CaptchaCheck:
    """The spam check of one form. The first submission of a post is checked, and no other.

    A post that comes again with its token, since a browser or a client repeats it, has the verdict
    that it had: services take a token once. ``key`` keeps the ids of posts, which Turnstile is
    told, from saying anything about their contents.
    """

    def __init__(self, settings: CaptchaSettings, service: CaptchaService, key: bytes) -> None:
        self._settings = settings
        self._service = service
        self._key = key
        self._asked: dict[uuid.UUID, tuple[datetime, asyncio.Future[Verdict]]] = {}

    async def checked(self, request: RawRequest, read: Read, is_trapped: IsTrapped) -> RawRequest:
        """The request with its submissions, those marked that did not pass the check."""
        notes = Notes()
        found: Submissions | RejectedError
        try:
            found = read(notes.tell)
        except RejectedError as error:
            if error.reason in NOTHING_TO_KEEP:
                return request
            found = RejectedError(Reason.CAPTCHA_MISSING, f"{_MISSING} {error.message}")
        else:
            found = await self._marked(found, request, is_trapped, notes)
        return CheckedRequest(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            body=request.body,
            received_at=request.received_at,
            request_id=request.request_id,
            read=found,
            notes=notes.told,
        )

    @staticmethod
    def submissions(request: RawRequest, tell: Tell) -> Submissions | None:
        """The submissions of a request that was checked; ``None`` of any other.

        Raises ``RejectedError`` if they cannot be read.
        """
        return request.submissions(tell) if isinstance(request, CheckedRequest) else None

    async def _marked(
        self, found: Submissions, request: RawRequest, is_trapped: IsTrapped, notes: Notes
    ) -> Submissions:
        first, *others = found.items
        further = RejectedError(Reason.CAPTCHA_MISSING, _FURTHER)
        problems = dict.fromkeys(range(1, len(others) + 1), further)
        fields = _fields(first, is_suspect=found.suspect)
        if not is_trapped(fields):
            try:
                problem = await self._problem(fields, request)
            except UnavailableError:
                problem = None
                if self._settings.on_outage == "set_aside":
                    problem = RejectedError(Reason.CAPTCHA_UNCHECKED, _NO_VERDICT)
                else:
                    notes.tell("", UNCHECKED)
            problems |= {0: problem} if problem else {}
        return structs.replace(found, problems=problems)

    async def _problem(
        self, fields: Mapping[str, Any], request: RawRequest
    ) -> RejectedError | None:
        """Why the submission does not pass; ``UnavailableError`` if the service does not say."""
        token = _token(fields, self._settings.token_field)
        if not token:
            return RejectedError(Reason.CAPTCHA_MISSING, _MISSING)
        if not _TOKEN.fullmatch(token):
            return RejectedError(Reason.CAPTCHA_FAILED, "The token is not valid.")
        verdict = await self._verdict(token, request)
        return None if verdict.is_person else RejectedError(Reason.CAPTCHA_FAILED, verdict.why)

    async def _verdict(self, token: str, request: RawRequest) -> Verdict:
        """The verdict on the post: that of a moment ago, if the post came then."""
        post, now = self._post(token, request), request.received_at
        at, asked = self._asked.get(post, (now, None))
        if asked is None or _is_void(asked) or now - at > REMEMBERED_FOR:
            asked = asyncio.ensure_future(self._service.judge(token, post))
            asked.add_done_callback(_is_void)
            self._asked[post] = (now, asked)
            if len(self._asked) > REMEMBERED:
                del self._asked[next(iter(self._asked))]  # the oldest
        return await asyncio.shield(asked)  # another client may wait for it too

    def _post(self, token: str, request: RawRequest) -> uuid.UUID:
        """An id of the post: the same only for a post that makes the same event."""
        headers = request.headers
        names = ("content-type", *MESSAGE_IDS, *(n for n in headers if n.startswith("ce-")))
        told = text_of([token, request.path, *((name, headers.get(name)) for name in names)])
        digest = hmac.new(self._key, told.encode(), "sha256")
        digest.update(request.body)
        return uuid.UUID(bytes=digest.digest()[:16], version=4)


def _is_void(asked: asyncio.Future[Verdict]) -> bool:
    """Whether it ended without a verdict, so that the service may be asked once more."""
    return asked.done() and (asked.cancelled() or asked.exception() is not None)


def _fields(item: Any, *, is_suspect: bool) -> Mapping[str, Any]:  # noqa: ANN401  # whatever JSON holds
    """The fields of a submission; none if it has no names."""
    sound = mended(item, lambda *_: None, lambda _: False) if is_suspect else item
    fields = sound.get("data") if is_envelope(sound) else sound
    return fields if isinstance(fields, dict) else {}


def _token(fields: Mapping[str, Any], name: str) -> str:
    """The token in a field of this name, with any case and dashes; the first that is a text."""
    given = fields.get(name)
    if given is None:
        looked_at = islice(fields, MAX_LOOKED_AT)
        given = next((fields[key] for key in looked_at if _plain(key) == _plain(name)), None)
    several = given if isinstance(given, list) else [given]
    return next((one for one in several if isinstance(one, str) and one), "")


def _plain(key: str) -> str:
    return key[:MAX_KEY].lower().replace("-", "_")


def checks_of(forms: Mapping[str, CaptchaSettings], key: bytes) -> dict[str, CaptchaCheck]:
    """The checks of some forms, by their names; they share threads that no other work needs."""
    threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="captcha")
    return {
        name: CaptchaCheck(settings, SiteVerify(settings, threads), key)
        for name, settings in forms.items()
    }
