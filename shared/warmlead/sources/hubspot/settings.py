"""What a person says about HubSpot: its secrets, its accounts, what its stages say."""

from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from warmlead.sources.crm_settings import CrmSettings, Secrets


class HubSpotSettings(CrmSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``url`` is our public address as HubSpot knows it: its signature covers it."""

    secrets: Secrets
    url: str
    portals: Annotated[tuple[int, ...], Meta(min_length=1)]
    email: tuple[str, ...] = ("email",)
    amount: str = "amount"
    amount_currency: str = "deal_currency_code"
    reason: str = "closed_lost_reason"
    time: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        parts = urlsplit(self.url)
        if parts.scheme not in ("https", "http") or not parts.netloc or parts.query:
            raise ValueError("url must be the whole address without a query, https://…/hubspot")

    def __repr__(self) -> str:
        return f"HubSpotSettings(url={self.url!r}, portals={self.portals!r})"
