"""What a person says about Salesforce: its organisation, its secrets, what its stages say."""

from typing import Annotated

from msgspec import Meta

from warmlead.sources.crm_settings import CrmSettings
from warmlead.sources.signing import SignatureSettings

MIN_TOKEN = 24


class SalesforceSettings(CrmSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``tokens`` are for outbound messages and named credentials, ``signature`` is for Apex."""

    organizations: Annotated[tuple[str, ...], Meta(min_length=1)]
    tokens: tuple[Annotated[str, Meta(min_length=MIN_TOKEN)], ...] = ()
    signature: SignatureSettings | None = None
    email: tuple[str, ...] = ("Email",)
    amount: str = "Amount"
    amount_currency: str = "CurrencyIsoCode"
    reason: str | None = None
    time: str = "LastModifiedDate"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.tokens and self.signature is None:
            raise ValueError("give tokens, a signature, or both")

    def __repr__(self) -> str:
        return f"SalesforceSettings(organizations={self.organizations!r})"
