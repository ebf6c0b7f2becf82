"""The adapter: who may post, the events of a post, and its answer."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event, Trust
from warmlead.parsing.strict_json import mended
from warmlead.ports import Accepted, RawRequest, Refused, Translation
from warmlead.senders.automation import of_request
from warmlead.senders.base import success
from warmlead.senders.configuration import claims_signature, verify_signature
from warmlead.senders.generic.keeping import needed_fields, set_aside, unreadable_text
from warmlead.senders.generic.payload import Opened, Submissions, opened, read_submissions
from warmlead.senders.generic.settings import FormSettings, form_settings
from warmlead.senders.generic.translate import (
    NAME,
    NothingToKeepError,
    Post,
    is_trapped,
    translate_submission,
)
from warmlead.senders.person import MAX_KEY, Notes, event_id, field_name, standard_name
from warmlead.settings import Settings
from warmlead.web.answers import Answer, answer_error, is_web_url, navigates

_PATH = re.compile(r"/generic(?:/([a-z0-9][a-z0-9_-]{0,63}))?/?")
_NOTHING_TO_KEEP = (Reason.BODY_EMPTY, Reason.TOO_MANY_EVENTS)
_WHOLE = "Nothing is lost: the post is in quarantine."
_CUT = "The post is in quarantine, but not all of it: it holds more than is kept."
_SET_ASIDE = (
    "Correct it and send it again; or name its fields"
    " in the settings of the form and run `warmlead quarantine replay`."
)


class GenericSource:
    """Forms by name, at ``/generic/<name>``; the one called ``generic`` at ``/generic`` itself.

    ``unconfigured`` are the settings of all other names; without it there are no others. A referrer
    on one of ``own_hosts``, or below it, does not count as an origin.
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

    @classmethod
    def from_settings(cls, using: Settings, environment: Mapping[str, str]) -> Self:
        """The sender as the process is configured; outside of production any form may post.

        Raises ``ConfigurationError`` with every fault of the file of forms.
        """
        unconfigured = None if using.production else FormSettings(allow_unsigned=True)
        forms = form_settings(using, environment)
        return cls(forms, unconfigured=unconfigured, own_hosts=using.own_hosts)

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
        """The events in the post, each submission judged by itself.

        A body that cannot be read is one refused item. Raises ``RejectedError`` only if there
        is nothing that could be kept.
        """
        form, settings = self._form(request)
        notes = Notes()
        try:
            submissions = read_submissions(request, notes.tell, needed_fields(settings))
        except RejectedError as error:
            kept = None if error.reason in _NOTHING_TO_KEEP else unreadable_text(request.body)
            if kept is None:
                raise
            refused = Refused(error, kept.text.encode(), 0, is_cut=kept.is_cut)
            return Translation(refused=[refused], keeps_refused=True)
        post = Post(
            form=form,
            settings=settings,
            trust=trust,
            received_at=request.received_at,
            sender_id=_sender_id(request),
            referer=request.headers.get("referer", ""),
            automated=of_request(request, trust, is_form=True),
            own_hosts=self._own_hosts,
        )
        return _translated(submissions, post, notes)

    def resend(self, path: str, raw: bytes) -> tuple[str, bytes]:
        """A refused submission is JSON already, and goes to the same form."""
        return path, raw

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:
        """JSON for scripts; for a browser that navigates, a redirect or a page."""
        if accepted.refused and not accepted.events:
            return _all_refused(accepted)
        _, settings = self._form(request)
        target = accepted.redirect or settings.redirect
        if target and navigates(request.headers):
            return Answer(303, headers={"Location": target})
        return success(accepted)

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


def _translated(submissions: Submissions, post: Post, notes: Notes) -> Translation:
    events: list[tuple[int, Event]] = []
    refused: list[Refused] = []
    empty: list[RejectedError] = []
    redirects: list[str] = []
    for index, item in enumerate(submissions.items):
        own = Notes(notes.told)
        sound = _sound(item, post.settings, own) if submissions.suspect else item
        submission = opened(sound, partial(_sound, settings=post.settings, notes=own))
        redirects.append(_redirect(submission.fields, post.settings, own))
        try:
            event = _event(submission, post, index, own)
        except RejectedError as error:
            empty.extend([error] if isinstance(error, NothingToKeepError) else [])
            text, is_cut = set_aside(sound, post.settings)
            is_cut |= any("left out" in note for note in notes.told)
            refused.append(Refused(error, text.encode(), index, post.automated, is_cut=is_cut))
        else:
            events.extend([(index, event)] if event else [])
    if empty and len(empty) == len(refused) and not events:
        raise empty[0]
    return Translation(
        events, refused, len(submissions.items), keeps_refused=True, redirect=redirects[0]
    )


def _all_refused(accepted: Accepted) -> Answer:
    """The answer to an unusable post: the reason, and what can be done."""
    first, *others = accepted.refused
    before = f"None of the {len(others) + 1} submissions can be used. The first: " if others else ""
    kept = _CUT if any(one.is_cut for one in accepted.refused) else _WHOLE
    message = f"{before}{first.error.message} {kept} {_SET_ASIDE}"
    return answer_error(RejectedError(Reason(first.error.reason), message))


def _sound(item: Any, settings: FormSettings, notes: Notes) -> Any:  # noqa: ANN401  # whatever JSON holds
    """The item without the faults of its JSON; all addresses in it are tried."""
    email = field_name(settings.email) if settings.email else None

    def keep_all(key: str) -> bool:
        name = field_name(key[:MAX_KEY])
        return name == email or standard_name(name) == "email"

    return mended(item, notes.tell, keep_all)


def _event(submission: Opened, post: Post, index: int, notes: Notes) -> Event | None:
    """The event, or ``None`` for what a robot sent."""
    if not isinstance(submission.fields, dict):
        raise RejectedError(Reason.EVENT_INVALID, "A submission has fields by name.")
    if is_trapped(submission.fields, post.settings):
        return None
    return translate_submission(submission, post, index, notes)


def _sender_id(request: RawRequest) -> str | None:
    """The id that a header gives the post; an unusable one is ignored."""
    for header in ("webhook-id", "svix-id", "idempotency-key"):
        try:
            if found := event_id(request.headers.get(header), header):
                return found
        except RejectedError:
            continue
    return None


def _redirect(fields: Any, settings: FormSettings, notes: Notes) -> str:  # noqa: ANN401  # whatever JSON holds
    """Where the form itself asks to go; empty, and a note, if its host is not listed."""
    for field in settings.redirect_fields if isinstance(fields, dict) else ():
        target = fields.get(field)
        if isinstance(target, str) and (target := target.strip()):
            if is_web_url(target) and urlsplit(target).hostname in settings.redirect_hosts:
                return target
            notes.tell(field, "was not followed: its host is not among the redirect_hosts")
    return ""
