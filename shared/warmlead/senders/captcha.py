"""The settings of a form's spam check.

What asks the service is ``captcha_check``, which is imported only if a form has a check.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from warmlead.senders.base import Secrets

Service: TypeAlias = Literal["turnstile", "hcaptcha", "recaptcha"]

Host: TypeAlias = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-][A-Za-z0-9_.-]*\Z")]

TOKEN_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "turnstile": "cf-turnstile-response",
        "hcaptcha": "h-captcha-response",
        "recaptcha": "g-recaptcha-response",
    }
)
"""The field in which each service's widget puts its token."""

_SCORING = ("recaptcha", "hcaptcha")
_WITH_ACTIONS = ("turnstile", "recaptcha")

TEST_SECRETS = frozenset(
    (
        "1x0000000000000000000000000000000AA",
        "2x0000000000000000000000000000000AA",
        "3x0000000000000000000000000000000AA",
        "0x0000000000000000000000000000000000000000",
        "6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe",
    )
)
"""The secrets that the services publish for tests: with most of them any token is good."""


class CaptchaSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which service tells people from programs, and what becomes of a post while it is away.

    The first of the ``secrets`` that the service knows is used, so that they can be rotated.
    ``timeout_s`` is the time in seconds for all questions about one post together, ``least_score``
    goes from 0 (a program) to 1 (a person). ``hosts`` are those of the pages on which the form
    stands, or of what is above them. ``field`` holds the token if it is not the service's own.
    ``address`` stands in for the service; it is only for one's own machine.
    """

    service: Service
    secrets: Secrets
    on_outage: Literal["accept", "set_aside"] = "accept"
    timeout_s: Annotated[float, Meta(gt=0, le=10)] = 2.0
    least_score: Annotated[float, Meta(ge=0, le=1)] | None = None
    hosts: frozenset[Host] = frozenset()
    action: str | None = None
    site_key: str | None = None
    field: str | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        if self.least_score is not None and self.service not in _SCORING:
            raise ValueError(f"{self.service} gives no score: leave out least_score")
        if self.action is not None and self.service not in _WITH_ACTIONS:
            raise ValueError(f"{self.service} knows no actions: leave out action")
        if self.site_key is not None and self.service != "hcaptcha":
            raise ValueError("site_key is for hcaptcha: a secret of others has one site key")

    def __repr__(self) -> str:
        return f"CaptchaSettings(service={self.service!r}, on_outage={self.on_outage!r})"

    @property
    def token_field(self) -> str:
        """The field of the token, as the form names it."""
        return self.field or TOKEN_FIELDS[self.service]
