"""How a sender signs what it posts, where its user may choose: what is configured, and checked."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from warmlead.ports import RawRequest
from warmlead.web.signatures import (
    HmacScheme,
    has_standard_webhooks,
    key_of,
    verify_hmac,
    verify_standard_webhooks,
)


class SignatureSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the sender signs. With several secrets any of them is good, so they can be rotated."""

    scheme: Literal["standard-webhooks", "hmac"] = "standard-webhooks"
    secrets: Annotated[tuple[str, ...], Meta(min_length=1)]
    hmac: HmacScheme = HmacScheme()

    def __post_init__(self) -> None:
        for secret in self.secrets:
            key_of(secret)  # raises ValueError, which becomes a fault of the file

    def __repr__(self) -> str:
        return f"SignatureSettings(scheme={self.scheme!r}, hmac={self.hmac!r})"


def claims_signature(request: RawRequest, signature: SignatureSettings) -> bool:
    """Whether the request says that it is signed."""
    if signature.scheme == "hmac":
        return signature.hmac.header.lower() in request.headers
    return has_standard_webhooks(request.headers)


def verify_signature(request: RawRequest, signature: SignatureSettings) -> None:
    """Raises ``RejectedError`` unless the request is signed as the settings say."""
    secrets = signature.secrets
    if signature.scheme == "hmac":
        verify_hmac(request.headers, request.body, scheme=signature.hmac, secrets=secrets)
    else:
        now = request.received_at
        verify_standard_webhooks(request.headers, request.body, secrets=secrets, now=now)
