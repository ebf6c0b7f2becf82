"""What a person says about a form: which field is what, who may post, where to go afterwards."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from warmlead.domain.errors import ConfigurationError
from warmlead.web.signatures import HmacScheme, key_of

EventName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
FormName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class SignatureSettings(BaseModel):
    """How the sender signs. With several secrets any of them is good, so they can be rotated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scheme: Literal["standard-webhooks", "hmac"] = "standard-webhooks"
    secrets: Annotated[tuple[str, ...], Field(min_length=1, repr=False)]
    hmac: HmacScheme = HmacScheme()

    @model_validator(mode="after")
    def _has_usable_secrets(self) -> Self:
        for secret in self.secrets:
            key_of(secret)  # raises ValueError, which pydantic turns into a fault of the file
        return self


class FormSettings(BaseModel):
    """One form. Fields are named as the form names them; those not named are recognised.

    ``traits`` says which trait a field is; what is neither a trait nor named becomes a property
    of the event. A post whose ``honeypot`` field is filled is answered well and forgotten.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: EventName = "form_submitted"
    email: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    id: str | None = None
    time: str | None = None
    traits: Mapping[str, EventName] = {}
    ignore: tuple[str, ...] = ()
    honeypot: str | None = "_gotcha"
    redirect: str | None = None
    redirect_fields: tuple[str, ...] = ("_redirect", "_next")
    redirect_hosts: frozenset[str] = frozenset()
    signature: SignatureSettings | None = None
    allow_unsigned: bool = False

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        if self.signature is None and not self.allow_unsigned:
            raise ValueError("give a signature, or say allow_unsigned: true")
        if self.redirect is not None and not is_web_url(self.redirect):
            raise ValueError("redirect must be a whole URL, https://…")
        return self


def is_web_url(text: str) -> bool:
    """Whether a text is a plain http(s) URL that every browser reads as we do.

    No spaces, controls or backslashes, no letters beyond ASCII, no user name: what makes a
    browser go to another host than the one we saw.
    """
    if not text.isascii() or not text.isprintable() or any(sign in text for sign in ' \\"<>'):
        return False
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and parts.port != 0  # reading the port checks it
        )
    except ValueError:
        return False


def read_forms(raw: object) -> Mapping[str, FormSettings]:
    """The forms of a settings file, by name: the last part of the path that they post to.

    Raises ``ConfigurationError`` that names every fault.
    """
    try:
        return TypeAdapter(dict[FormName, FormSettings]).validate_python(raw or {})
    except ValidationError as error:
        raise ConfigurationError(
            "These forms cannot be used:",
            [
                f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].removeprefix('Value error, ')}"
                for fault in error.errors(include_input=False, include_url=False)
            ],
        ) from None  # the original holds the secrets
