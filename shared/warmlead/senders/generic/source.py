"""Any form: its settings, who may post to it, and the page that comes afterwards."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from msgspec import structs

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Trust
from warmlead.parsing.charsets import Tell
from warmlead.parsing.form_bodies import IsNeeded
from warmlead.parsing.signatures import SignatureSettings
from warmlead.ports import Accepted, CompletedSource, RawRequest
from warmlead.senders.base import Profile, Secrets, sign_as_configured, success
from warmlead.senders.bodies import read_submissions
from warmlead.senders.captcha import TEST_SECRETS, CaptchaSettings
from warmlead.senders.forms import FormSender, Submissions
from warmlead.senders.person import Notes
from warmlead.senders.proofs import KeyInAddress, demand_secret
from warmlead.senders.submission import FormMapping, needed_fields
from warmlead.settings import SettingFault, Settings
from warmlead.web.answers import Answer, is_web_url, navigates

if TYPE_CHECKING:  # only forms with a spam check load what asks for it
    from warmlead.senders.captcha_check import CaptchaCheck

NAME = "generic"

_OK = 200

_FORM_NAME = "[a-z0-9][a-z0-9_-]{0,63}"
_PATH = re.compile(rf"/(?:generic(?:/({_FORM_NAME}))?|f/({_FORM_NAME}))/?")
"""``/f/contact`` is ``/generic/contact``: a form that was made for Formspree needs a host only."""

_KEY = KeyInAddress()


class FormSettings(FormMapping, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One form: its mapping, how its posts are proved, and where to go afterwards.

    ``secrets`` are those of a tool that signs nothing: one of them stands in the address. A post
    whose ``honeypot`` field is filled gets a success and is dropped. ``captcha`` is the spam check
    of posts without a proof.
    """

    honeypot: str | None = "_gotcha"
    redirect: str | None = None
    redirect_fields: tuple[str, ...] = ("_redirect", "_next")
    redirect_hosts: frozenset[str] = frozenset()
    signature: SignatureSettings | None = None
    secrets: Secrets | None = None
    allow_unsigned: bool = False
    captcha: CaptchaSettings | None = None

    def __post_init__(self) -> None:
        if not (self.signature or self.secrets or self.allow_unsigned):
            raise ValueError("give a signature or secrets, or say allow_unsigned: true")
        if self.signature and self.secrets:
            raise ValueError("give a signature or secrets, not both")
        if self.redirect is not None and not is_web_url(self.redirect):
            raise ValueError("redirect must be a whole URL, https://…")
        if self.captcha:
            if not self.allow_unsigned:
                raise ValueError("captcha checks unsigned posts only: say allow_unsigned: true")
            # The token is of use once, and never kept.
            structs.force_setattr(self, "ignore", (*self.ignore, self.captcha.token_field))

    def __repr__(self) -> str:
        return f"FormSettings(event={self.event!r}, allow_unsigned={self.allow_unsigned})"

    @classmethod
    def unsafe(cls, given: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[SettingFault]:
        """A spam check by another address than the service's, or with a secret for tests."""
        captcha = given.get("captcha")
        if not isinstance(captcha, dict):
            return
        at = (*where, "captcha")
        if captcha.get("address"):
            yield SettingFault((*at, "address"), "is only for one's own machine")
        secrets = captcha.get("secrets")
        listed = secrets if isinstance(secrets, list) else ()
        if any(isinstance(one, str) and one in TEST_SECRETS for one in listed):
            yield SettingFault((*at, "secrets"), "one is the service's for tests: any token passes")


_UNKNOWN = (
    "There is no form or sender of this name. Add it to the file that WARMLEAD_FORMS names, and "
    "restart."
)


class GenericSource(FormSender[FormSettings], CompletedSource):
    """Forms by name, at ``/generic/<name>`` and ``/f/<name>``, and one at ``/generic`` itself.

    ``unconfigured`` are the settings of all other names; without it there are no others. ``key`` is
    a secret of this installation: see ``CaptchaCheck``.
    """

    name = NAME
    profile = Profile(
        proof="Standard Webhooks, an HMAC, a secret in the address, or none",
        once="a field, a header, or the content and the day",
        retries="as its sender does",
    )

    def __init__(
        self,
        forms: Mapping[str, FormSettings],
        *,
        unconfigured: FormSettings | None = None,
        own_hosts: frozenset[str] = frozenset(),
        key: str = "",
    ) -> None:
        super().__init__(own_hosts=own_hosts)
        self._forms = forms
        self._unconfigured = unconfigured
        self._checks: Mapping[str, CaptchaCheck] = {}
        if captchas := {name: one.captcha for name, one in forms.items() if one.captcha}:
            from warmlead.senders.captcha_check import checks_of  # noqa: PLC0415  # for these only

            self._checks = checks_of(captchas, key.encode())

    @classmethod
    def from_settings(cls, own: Mapping[str, FormSettings], using: Settings) -> Self:
        """The sender of these forms; outside of production any other form is accepted too."""
        unconfigured = None if using.production else FormSettings(allow_unsigned=True)
        return cls(own, unconfigured=unconfigured, own_hosts=using.own_hosts, key=using.id_secret)

    @property
    def paths(self) -> Sequence[str]:
        """One for each form; ``/generic`` if none is configured and any form is accepted."""
        names = sorted(self._forms) or ([NAME] if self._unconfigured else [])
        return [f"/{NAME}" if name == NAME else f"/{NAME}/{name}" for name in names]

    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """The proof that the form's settings demand; none for a form without one."""
        settings = self.form_of(request)[1]
        if settings.secrets:
            return _KEY.sign(request, settings.secrets[0])
        return sign_as_configured(settings.signature, request) if settings.signature else {}

    def form_of(self, request: RawRequest) -> tuple[str, FormSettings]:
        """The form that the path names."""
        found = _PATH.fullmatch(request.path)
        name = (found[1] or found[2] or "") if found else ""
        settings = self._forms.get(name or NAME, self._unconfigured)
        if not found or settings is None:
            raise RejectedError(Reason.NOT_FOUND, _UNKNOWN)
        return name, settings

    def check(self, request: RawRequest) -> Trust:
        """Signed if the proof is good; public if there is none and the form allows that."""
        _, settings = self.form_of(request)
        signature = settings.signature
        if settings.secrets:
            given = list(_KEY.given(request))
            if settings.allow_unsigned and not given:
                return Trust.PUBLIC
            demand_secret(given, settings.secrets, "The key of the address")
            return Trust.SIGNED
        if signature is None:
            if not settings.allow_unsigned:
                raise RejectedError(Reason.FORBIDDEN, "This form does not accept posts.")
            return Trust.PUBLIC
        if settings.allow_unsigned and not signature.is_claimed(request.headers):
            return Trust.PUBLIC
        signature.verify(request.headers, request.body, now=request.received_at)
        return Trust.SIGNED

    async def completed(self, request: RawRequest) -> RawRequest:
        """The request; if it is public and its form has a spam check, after the check."""
        name, settings = self.form_of(request)
        check = self._checks.get(name or NAME)
        if check is None or self.check(request) is Trust.SIGNED:
            return request
        return await check.checked(
            request,
            read=lambda tell: self.read(request, settings, tell),
            is_trapped=partial(self.is_trapped, settings=settings),
        )

    def read(self, request: RawRequest, settings: FormSettings, tell: Tell) -> Submissions:
        """The submissions in the body, whatever its ``Content-Type`` says."""
        check = self._checks.get(self.form_of(request)[0] or NAME)
        if check and (found := check.submissions(request, tell)):
            return found
        return read_submissions(request, tell, _needed(settings))

    def is_trapped(self, fields: Mapping[str, Any], settings: FormSettings) -> bool:
        """Whether the hidden field that only robots fill in is filled."""
        return settings.honeypot is not None and bool(fields.get(settings.honeypot))

    def next_page(self, fields: Mapping[str, Any], settings: FormSettings, notes: Notes) -> str:
        """The page that a field of the form names; empty, with a note, if its host is unlisted."""
        for field in settings.redirect_fields:
            target = fields.get(field)
            if isinstance(target, str) and (target := target.strip()):
                if is_web_url(target) and urlsplit(target).hostname in settings.redirect_hosts:
                    return target
                notes.tell(field, "was not followed: its host is not among the redirect_hosts")
        return ""

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:
        """JSON for scripts; a redirect for a browser that leaves its page.

        A post that was set aside because its spam check had an outage is a success: its sender can
        do no more.
        """
        is_unchecked = accepted.refused and all(
            one.error.reason is Reason.CAPTCHA_UNCHECKED for one in accepted.refused
        )
        answer = success(accepted) if is_unchecked else super().answer(request, accepted)
        target = accepted.redirect or self.form_of(request)[1].redirect
        if answer.status == _OK and target and navigates(request.headers):
            return Answer(303, headers={"Location": target})
        return answer


def _needed(settings: FormSettings) -> IsNeeded:
    """Whether a field of a form with too many fields is needed; the token of a spam check is."""
    is_needed = needed_fields(settings)
    if settings.captcha is None:
        return is_needed
    token = settings.captcha.token_field.encode()
    return lambda name, value: name == token or is_needed(name, value)
