"""The sender itself: who may post, what a post says, and what it is answered."""

import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event, Trust
from warmlead.ports import RawRequest, Refused, Translation
from warmlead.sources.fields import event_id
from warmlead.sources.generic.payload import read_submissions
from warmlead.sources.generic.settings import FormSettings, is_web_url
from warmlead.sources.generic.translate import NAME, Post, is_trapped, translate_submission
from warmlead.sources.signing import claims_signature, verify_signature
from warmlead.web.answer import Answer
from warmlead.web.strict_json import fault_in, text_of

_PATH = re.compile(r"/generic(?:/([a-z0-9][a-z0-9_-]{0,63}))?/?")
_SUCCESS = b'{"success": true}'


class GenericSource:
    """Forms by name, at ``/generic/<name>``; the one called ``generic`` at ``/generic`` itself.

    ``unconfigured`` are the settings of all other names; without it there are no others. Of a
    referrer on one of ``own_hosts``, or below it, nobody is said to come.
    """

    name = NAME

    def __init__(
        self,
        forms: Mapping[str, FormSettings],
        *,
        unconfigured: FormSettings | None = None,
        own_hosts: frozenset[str] = frozenset(),
    ) -> None:
        self._forms = forms
        self._own_hosts = own_hosts
        self._unconfigured = unconfigured

    def verify(self, request: RawRequest) -> Trust:
        """Signed or public; ``RejectedError`` unless the form takes the post, signed as it says."""
        _, settings = self._form(request)
        if request.method != "POST":
            raise RejectedError(Reason.METHOD_NOT_ALLOWED, "Forms are posted.")
        signature = settings.signature
        if signature is None:
            if not settings.allow_unsigned:
                raise RejectedError(Reason.FORBIDDEN, "This form takes no posts.")
            return Trust.PUBLIC
        if settings.allow_unsigned and not claims_signature(request, signature):
            return Trust.PUBLIC
        verify_signature(request, signature)
        return Trust.SIGNED

    def translate(self, request: RawRequest, trust: Trust) -> Translation:
        """The events in the post, each submission judged by itself."""
        form, settings = self._form(request)
        submissions = read_submissions(request)
        post = Post(
            form=form,
            settings=settings,
            trust=trust,
            received_at=request.received_at,
            sender_id=_sender_id(request),
            referer=request.headers.get("referer", ""),
            own_hosts=self._own_hosts,
        )
        events: list[tuple[int, Event]] = []
        refused: list[Refused] = []
        for index, item in enumerate(submissions.items):
            try:
                event = _translated(item, post, index, suspect=submissions.suspect)
            except RejectedError as error:
                refused.append(Refused(error, text_of(item).encode(), index))
            else:
                events.extend([(index, event)] if event else [])
        return Translation(events, refused, len(submissions.items))

    def resend(self, path: str, raw: bytes) -> tuple[str, bytes]:
        """A refused submission is JSON already, and goes to the same form."""
        return path, raw

    def answer(self, request: RawRequest, refused: Sequence[Refused]) -> Answer:
        """JSON for scripts; for a browser that left the page, the way to the next one."""
        _, settings = self._form(request)
        if "text/html" in request.headers.get("accept", ""):
            item = read_submissions(request).items[0]
            chosen = _redirect_in(item, settings) if isinstance(item, dict) else None
            if target := chosen or settings.redirect:
                return Answer(303, headers={"Location": target})
        if not refused:
            return Answer(200, _SUCCESS)
        told = [
            {"index": one.index, "code": one.error.reason, "message": one.error.message}
            for one in refused
        ]
        return Answer(200, json.dumps({"success": True, "refused": told}).encode())

    def answer_failure(self, request: RawRequest, failure: Answer) -> Answer:  # noqa: ARG002  # other senders need the request
        """The failure as it is."""
        return failure

    def _form(self, request: RawRequest) -> tuple[str, FormSettings]:
        found = _PATH.fullmatch(request.path)
        name = (found[1] or "") if found else ""
        settings = self._forms.get(name or NAME, self._unconfigured)
        if not found or settings is None:
            raise RejectedError(Reason.NOT_FOUND, "There is no form of this name.")
        return name, settings


def _translated(item: object, post: Post, index: int, *, suspect: bool) -> Event | None:
    """The event, or ``None`` for what a robot sent."""
    if suspect and (fault := fault_in(item)):
        raise fault
    if not isinstance(item, dict):
        raise RejectedError(Reason.EVENT_INVALID, "A submission has fields by name.")
    if is_trapped(item, post.settings):
        return None
    _redirect_in(item, post.settings)
    return translate_submission(item, post, index)


def _sender_id(request: RawRequest) -> str | None:
    for header in ("webhook-id", "svix-id", "idempotency-key"):
        if found := event_id(request.headers.get(header), header):
            return found
    return None


def _redirect_in(submission: Mapping[str, object], settings: FormSettings) -> str | None:
    """Where the form itself asks to go; raises ``RejectedError`` if its host is not listed."""
    for field in settings.redirect_fields:
        target = submission.get(field)
        if isinstance(target, str) and target.strip():
            target = target.strip()
            if is_web_url(target) and urlsplit(target).hostname in settings.redirect_hosts:
                return target
            raise RejectedError(
                Reason.REDIRECT_NOT_ALLOWED, "The form may not redirect to this address."
            )
    return None
