"""What a person says about Pipedrive: its user and passwords, what its stages say."""

from typing import Annotated

from msgspec import Meta

from warmlead.sources.crm_settings import CrmSettings, Secrets


class PipedriveSettings(CrmSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user and password are those of the webhook, which Pipedrive sends with each."""

    user: Annotated[str, Meta(min_length=1, pattern=r"\A[^:]*\Z")]
    passwords: Secrets
    companies: Annotated[tuple[int, ...], Meta(min_length=1)]
    reason: str = "lost_reason"

    def __repr__(self) -> str:
        return f"PipedriveSettings(user={self.user!r}, companies={self.companies!r})"
