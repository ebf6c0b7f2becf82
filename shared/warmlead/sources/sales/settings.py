"""What a person says about the generic sender of sales: how it signs."""

from msgspec import Struct

from warmlead.domain.money import Numbers
from warmlead.sources.signing import SignatureSettings


class GenericSalesSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``allow_unsigned`` believes whoever reaches the address: for one's own machine alone.

    ``numbers`` is how values are written that come as text.
    """

    signature: SignatureSettings | None = None
    allow_unsigned: bool = False
    numbers: Numbers = "either"

    def __post_init__(self) -> None:
        if self.signature is None and not self.allow_unsigned:
            raise ValueError("give a signature, or say allow_unsigned: true")
