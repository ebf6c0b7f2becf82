"""Ids by which tools know people, such as ``chatwoot:17``: who may name them."""

from warmlead.domain.event import CRM_ID
from warmlead.senders.registry import REGISTRY


def is_of_another(id_: str, sender: str) -> bool:
    """Whether it is the id of a CRM's record, or of a person whom another sender knows by it.

    Many are numbers. A stranger who could name them would take the chats of the visitors whose
    numbers come next.
    """
    tool, colon, _ = id_.partition(":")
    is_tools = bool(colon) and any(tool == each.name for each in REGISTRY)
    return id_.startswith(CRM_ID) or (is_tools and tool != sender)
