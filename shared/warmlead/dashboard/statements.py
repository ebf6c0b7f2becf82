"""The buttons of sales: a form that only our own pages can send becomes a signed statement."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import get_args

from warmlead.application.accept import by_lead
from warmlead.dashboard.access import Viewer
from warmlead.dashboard.parts import Parts
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event
from warmlead.domain.identity import Kind
from warmlead.domain.lead import Lead
from warmlead.domain.sales import BY, NOTE, Refusal, SalesStatus
from warmlead.domain.stages import SQL
from warmlead.domain.trigger import Topic
from warmlead.ports import RawRequest
from warmlead.senders.crm import CrmIdentity, CrmOrigin, Word, statement
from warmlead.senders.statement_parts import details_of

SOURCE = "dashboard"
"""The source of the statements, as any sender has one."""

OFFERED = (SalesStatus.TOUCHED, SalesStatus.ACCEPTED, SalesStatus.REJECTED)
"""What a button can state; the rest of a deal is in a CRM."""

_BY_STAGE = {
    SQL: (SalesStatus.TOUCHED, SalesStatus.REJECTED),
    "opportunity": (SalesStatus.TOUCHED,),
    "customer": (SalesStatus.TOUCHED,),
}
"""What a button can state where not all of it makes sense: no button undoes a deal."""

WAIT_S = 1.5
"""Seconds in which the lead usually has the statement, so that the next page shows it."""

LOOK_EVERY_S = 0.05


class FormKeys:
    """Keys that forms of our pages carry: one a viewer, form and day; yesterday's counts too."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def key(self, viewer: Viewer, of: str, now: datetime) -> str:
        """The key of a form: that ``of`` a lead by its id, or of a page by its path."""
        text = f"form of the dashboard\n{viewer.name}\n{of}\n{now.date()}"
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()

    def demand(self, given: str, viewer: Viewer, of: str, now: datetime) -> None:
        """Raises ``RejectedError`` unless the key is of today or yesterday."""
        days = (now, now - timedelta(days=1))
        known = [self.key(viewer, of, day) for day in days]
        if not any(hmac.compare_digest(given.encode(), key.encode()) for key in known):
            text = "This form is too old, or not from this page. Open the page again."
            raise RejectedError(Reason.FORBIDDEN, text)


def demand_own_page(headers: Mapping[str, str]) -> None:
    """Raises ``RejectedError`` if the browser says that another site sent the form.

    A browser that says how the sites are related is believed: behind a proxy the host may be
    another than that of the page.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is not None:
        same = origin.partition("://")[2] == headers.get("host", "")
        site = "same-origin" if same else "cross-site"
    if site not in (None, "same-origin"):
        raise RejectedError(Reason.FORBIDDEN, "Another site sent this form.")


def offered(stage: str) -> Sequence[SalesStatus]:
    """What a button can state of a lead that stands in a stage."""
    return _BY_STAGE.get(stage, OFFERED)


def is_stale(lead: Lead, form: Mapping[str, str], event: Event) -> bool:
    """Whether a form answers for a stage in which the lead does not stand any more.

    Sales may have spoken to a lead wherever it stands. A form that is sent twice is not stale,
    though the first time has moved the lead.
    """
    said, stage = form.get("said", ""), lead.progress.stage
    if said == SalesStatus.TOUCHED or has(event, lead):
        return False
    return form.get("stage", "") != stage or said not in offered(stage)


def stated(lead: Lead, form: Mapping[str, str], viewer: Viewer, request: RawRequest) -> Event:
    """The statement in a form as an event; raises ``RejectedError`` if it is none."""
    said = form.get("said", "")
    if said not in OFFERED:
        text = f"Say one of {', '.join(OFFERED)}."
        raise RejectedError(Reason.SAID_UNKNOWN, text)
    word = form.get("reason", "") if said == SalesStatus.REJECTED else said
    if said == SalesStatus.REJECTED and word not in set(Refusal):
        raise RejectedError(Reason.REASON_INVALID, "Choose why the lead is rejected.")
    if word not in get_args(Word):
        raise RejectedError(Reason.SAID_UNKNOWN, "This is not known.")
    details = details_of({BY: viewer.name, NOTE: form.get("note", "")}, cut=False)
    nonce = form.get("once", "")[:64] or request.request_id
    told = f"{lead.id}\n{nonce}\n{word}\n{form.get('note', '')}"  # twice the same counts once
    digest = hashlib.sha256(told.encode()).hexdigest()
    origin = CrmOrigin(SOURCE, request.received_at, f"{said}-{digest[:32]}", None)
    return statement(origin, _who(lead), word, details=details)


def _who(lead: Lead) -> CrmIdentity:
    """The strongest identifier of the lead: the one of its id."""
    identifier = lead.trails[lead.id].identifier
    match identifier.kind:
        case Kind.EMAIL:
            return CrmIdentity(email=identifier.value)
        case Kind.USER:
            return CrmIdentity(user_id=identifier.value)
        case _:
            return CrmIdentity(anonymous_id=identifier.value)


async def publish(event: Event, lead_id: str, parts: Parts) -> bool:
    """Publishes the statement as ``sales`` does; true if the lead has it when this returns.

    When it returns the statement is durable. Raises ``UnavailableError`` otherwise.
    """
    await parts.bus.publish(Topic.LEAD_EVENTS, by_lead([event], parts.ids))
    try:
        async with asyncio.timeout(WAIT_S):
            while not await _has(event, lead_id, parts):  # noqa: ASYNC110  # of another process
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        return False
    return True


async def _has(event: Event, lead_id: str, parts: Parts) -> bool:
    lead = await parts.leads.get(lead_id)
    return lead is not None and has(event, lead)


def has(event: Event, lead: Lead) -> bool:
    """Whether the lead has a statement already."""
    return any(each.key == event.key for each in lead.statements)
