"""Any form: what is configured of it, what may be posted, and where its sender goes afterwards."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Self
from urllib.parse import urlsplit

from msgspec import structs

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Trust
from warmlead.parsing.charsets import Tell, in_utf8, unwidened
from warmlead.parsing.form_bodies import (
    Fields,
    IsNeeded,
    parameter_of,
    parse_multipart,
    parse_text_plain,
    parse_urlencoded,
)
from warmlead.parsing.signatures import SignatureSettings
from warmlead.parsing.strict_json import parse
from warmlead.ports import Accepted, RawRequest
from warmlead.senders.base import sign_as_configured
from warmlead.senders.forms import FormSender, Submissions, in_envelopes
from warmlead.senders.person import Notes
from warmlead.senders.submission import FormMapping, needed_fields
from warmlead.settings import Settings
from warmlead.web.answers import Answer, is_web_url, navigates

NAME = "generic"

_OK = 200

_PATH = re.compile(r"/generic(?:/([a-z0-9][a-z0-9_-]{0,63}))?/?")


class FormSettings(FormMapping, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One form: its mapping, how it is signed, and where to go afterwards.

    A post whose ``honeypot`` field is filled is answered well and forgotten.
    """

    honeypot: str | None = "_gotcha"
    redirect: str | None = None
    redirect_fields: tuple[str, ...] = ("_redirect", "_next")
    redirect_hosts: frozenset[str] = frozenset()
    signature: SignatureSettings | None = None
    allow_unsigned: bool = False

    def __post_init__(self) -> None:
        if self.signature is None and not self.allow_unsigned:
            raise ValueError("give a signature, or say allow_unsigned: true")
        if self.redirect is not None and not is_web_url(self.redirect):
            raise ValueError("redirect must be a whole URL, https://…")


class GenericSource(FormSender[FormSettings]):
    """Forms by name, at ``/generic/<name>``; the one called ``generic`` at ``/generic`` itself.

    ``unconfigured`` are the settings of all other names; without it there are no others.
    """

    name = NAME

    def __init__(
        self,
        forms: Mapping[str, FormSettings],
        *,
        unconfigured: FormSettings | None = None,
        own_hosts: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(own_hosts=own_hosts)
        self._forms = forms
        self._unconfigured = unconfigured

    @classmethod
    def from_settings(cls, own: Mapping[str, FormSettings], using: Settings) -> Self:
        """The sender of these forms; outside of production any other form may post too."""
        unconfigured = None if using.production else FormSettings(allow_unsigned=True)
        return cls(own, unconfigured=unconfigured, own_hosts=using.own_hosts)

    @property
    def paths(self) -> Sequence[str]:
        """One for each form; if none is configured, and any may post, the one without a name."""
        names = sorted(self._forms) or ([NAME] if self._unconfigured else [])
        return [f"/{NAME}" if name == NAME else f"/{NAME}/{name}" for name in names]

    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """The signature that the form's settings ask for; none if it takes any post."""
        signature = self.form_of(request)[1].signature
        return sign_as_configured(signature, request) if signature else {}

    def form_of(self, request: RawRequest) -> tuple[str, FormSettings]:
        """The form that the path names."""
        found = _PATH.fullmatch(request.path)
        name = (found[1] or "") if found else ""
        settings = self._forms.get(name or NAME, self._unconfigured)
        if not found or settings is None:
            raise RejectedError(Reason.NOT_FOUND, "There is no form of this name.")
        return name, settings

    def check(self, request: RawRequest) -> Trust:
        """Signed if the form has a signature, public if it allows that."""
        _, settings = self.form_of(request)
        signature = settings.signature
        if signature is None:
            if not settings.allow_unsigned:
                raise RejectedError(Reason.FORBIDDEN, "This form does not accept posts.")
            return Trust.PUBLIC
        if settings.allow_unsigned and not signature.is_claimed(request.headers):
            return Trust.PUBLIC
        signature.verify(request.headers, request.body, now=request.received_at)
        return Trust.SIGNED

    def read(self, request: RawRequest, settings: FormSettings, tell: Tell) -> Submissions:
        """The submissions in the body, whatever its ``Content-Type`` says."""
        return read_submissions(request, tell, needed_fields(settings))

    def is_trapped(self, fields: Mapping[str, Any], settings: FormSettings) -> bool:
        """Whether a robot filled the field that people do not see."""
        return settings.honeypot is not None and bool(fields.get(settings.honeypot))

    def next_page(self, fields: Mapping[str, Any], settings: FormSettings, notes: Notes) -> str:
        """Where the form itself asks to go; empty, and a note, if its host is not listed."""
        for field in settings.redirect_fields:
            target = fields.get(field)
            if isinstance(target, str) and (target := target.strip()):
                if is_web_url(target) and urlsplit(target).hostname in settings.redirect_hosts:
                    return target
                notes.tell(field, "was not followed: its host is not among the redirect_hosts")
        return ""

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:
        """JSON for scripts; for a browser that navigates, a redirect or a page."""
        answer = super().answer(request, accepted)
        target = accepted.redirect or self.form_of(request)[1].redirect
        if answer.status == _OK and target and navigates(request.headers):
            return Answer(303, headers={"Location": target})
        return answer


MAX_SUBMISSIONS = 100

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_TEXT = "text/plain"
_JSON = "application/json"
_SAYS_NOTHING = ("", "application/octet-stream", _JSON)
"""Types that clients set although they post a form; in truth such a body may be one."""


def read_submissions(request: RawRequest, tell: Tell, is_needed: IsNeeded) -> Submissions:
    """The submissions in the body; raises ``RejectedError`` if it cannot be split into submissions.

    A body that begins like JSON is JSON: ``curl -d``, beacons and scripts label it wrongly. If a
    form has too many fields, the needed ones are kept.
    """
    content_type = request.headers.get("content-type", "")[:1_000]
    body = unwidened(request.body, parameter_of(content_type, "charset"))
    media_type = content_type.partition(";")[0].strip().lower()
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not start:
        raise RejectedError(Reason.BODY_EMPTY, "The body is empty.")
    if start in (b"{", b"[") or media_type == _JSON or media_type.endswith("+json"):
        found = _json_or_form(body, media_type, content_type, tell, is_needed)
    else:
        found = _one(_form(body, media_type, content_type, tell, is_needed))
    return structs.replace(found, items=in_envelopes(found.items, request.headers))


def _json_or_form(
    body: bytes, media_type: str, content_type: str, tell: Tell, is_needed: IsNeeded
) -> Submissions:
    try:
        return _from_json(in_utf8(body, parameter_of(content_type, "charset"), tell))
    except RejectedError as error:
        could_be_a_form = media_type in (_FORM, _TEXT, _JSON) and b"=" in body
        if error.reason is not Reason.JSON_INVALID or not could_be_a_form:
            raise
    return _one(_form(body, media_type, content_type, tell, is_needed))


def _form(
    body: bytes, media_type: str, content_type: str, tell: Tell, is_needed: IsNeeded
) -> Fields:
    """The fields of a body that is not JSON."""
    if media_type == _MULTIPART or _is_multipart(body):
        return parse_multipart(body, content_type, tell, is_needed)
    is_one_line = b"\n" not in body.strip() and b"&" in body
    if media_type == _TEXT and not is_one_line:
        return parse_text_plain(body, content_type, tell, is_needed)
    if media_type in (_FORM, _TEXT) or (media_type in _SAYS_NOTHING and b"=" in body):
        return parse_urlencoded(body, content_type, tell, is_needed)
    raise RejectedError(
        Reason.MEDIA_TYPE_UNSUPPORTED, "Send JSON or a form, urlencoded or multipart."
    )


def _is_multipart(body: bytes) -> bool:
    """Whether it is a multipart form that its client has labelled wrongly, or not at all."""
    start = body[:2_000].lstrip().lower()
    return start.startswith(b"--") and b"content-disposition: form-data" in start


def _one(fields: Any) -> Submissions:  # noqa: ANN401  # a form's fields are like a JSON object's
    return Submissions([fields], suspect=False)


def _from_json(body: bytes) -> Submissions:
    document = parse(body)
    if not isinstance(document.value, list):
        return Submissions([document.value], document.suspect)
    if not document.value:
        raise RejectedError(Reason.BODY_EMPTY, "The list is empty.")
    if len(document.value) > MAX_SUBMISSIONS:
        raise RejectedError(
            Reason.TOO_MANY_EVENTS, f"A list has {MAX_SUBMISSIONS} submissions at most."
        )
    return Submissions(document.value, document.suspect)
