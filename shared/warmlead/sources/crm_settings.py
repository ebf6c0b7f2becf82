"""What people configure of a CRM: what its stages say, and which of its properties hold what."""

from typing import Annotated

from msgspec import Meta, Struct

from warmlead.domain.errors import RejectedError
from warmlead.domain.money import Numbers, currency_code
from warmlead.sources.saying import Stages

Secrets = Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)]
"""Any of them is good, so that they can be rotated."""


class CrmSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is the same for every CRM. Properties are named as the CRM names them.

    ``stages`` says what a value of a property says of the lead. ``email`` are the properties
    that may hold the lead's address, the first that does counts; ``user_id`` is the one that
    holds our user id. ``currency`` is that of values that name none. ``numbers`` is how
    amounts are written that come as text: APIs of CRMs send plain decimals.
    """

    stages: Stages
    email: tuple[str, ...] = ()
    user_id: str | None = None
    currency: str = ""
    numbers: Numbers = "1,234.56"

    def __post_init__(self) -> None:
        if self.currency:
            try:
                currency_code(self.currency)
            except RejectedError as error:
                raise ValueError("currency is not a code of ISO 4217, such as EUR") from error
