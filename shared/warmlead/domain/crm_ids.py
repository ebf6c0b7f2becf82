"""The ids of a lead's records in CRMs, as its user ids hold them: ``crm:hubspot:4711:contact:501``.

A deal's record has an anonymous id, and is not the person's.
"""

from warmlead.domain.event import CRM_ID
from warmlead.domain.identity import Kind
from warmlead.domain.lead import Lead, Trail

_LEAD = "00Q"
"""Salesforce's prefix of ids of leads; those of contacts begin with 003."""


def crm_ids_of(lead: Lead) -> dict[str, str]:
    """The id of the person's record in each CRM that is known, by the CRM's name.

    Of several records in one CRM it is the one of which something was heard last, and a contact
    before a lead of Salesforce, which is no more once it was converted.
    """
    latest: dict[str, tuple[bool, int, str]] = {}
    for trail in lead.trails.values():
        value = trail.identifier.value
        if trail.identifier.kind is Kind.USER and value.startswith(CRM_ID):
            crm, _, rest = value.removeprefix(CRM_ID).partition(":")
            own_id = rest.rpartition(":")[2]
            if crm and own_id:
                heard = (not own_id.startswith(_LEAD), _last_day(trail), own_id)
                latest[crm] = max(heard, latest.get(crm, heard))
    return {crm: own_id for crm, (_, _, own_id) in sorted(latest.items())}


def _last_day(trail: Trail) -> int:
    """The UTC day number on which the trail's last event happened; 0 if it has none of its own."""
    return max(trail.history.last_day.values(), default=0)
