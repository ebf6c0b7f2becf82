"""Whom a text means that a person typed, of those who bear it: who is shown, exported or erased.

Anybody can send somebody else's address together with an anonymous id or a user id of their own
choice, which may look like an e-mail. So an address means who has that e-mail. As a user id it
means somebody only if a signed source has told of that user id, and as an anonymous id nobody.
"""

from warmlead.domain.identity import Identifier, Kind, normalise_id
from warmlead.domain.lead import Lead

__all__ = ["is_meant", "looks_like_address"]


def looks_like_address(text: str) -> bool:
    """Whether a text is, or is meant as, an e-mail."""
    return "@" in (normalise_id(text) or text)


def is_meant(identifier: Identifier, id_: str, lead: Lead | None) -> bool:
    """Whether an identifier means the lead that is found by its id; ``None``: nobody can read it.

    It may be a former spelling of one of the lead's.
    """
    if identifier.kind is Kind.EMAIL or not looks_like_address(identifier.value):
        return True
    if identifier.kind is Kind.ANONYMOUS or lead is None:
        return False
    return any(
        trail.is_signed
        for trail_id, trail in lead.trails.items()
        if id_ == trail_id or id_ in trail.former_ids
    )
