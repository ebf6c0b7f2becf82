"""What the checker looks at when a trial has ended; others judge it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from faults.expected import Expected
from warmlead.domain.lead import Lead
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.rules import Rules
from warmlead.domain.stages import Transition
from warmlead.ports import Message


class Told(NamedTuple):
    """What one trigger tells, however often it was sent; ``what`` is its type without the rest."""

    id: str
    what: str
    subject: str
    at: datetime
    data: Mapping[str, Any]

    @property
    def cycle(self) -> int:
        """The how-manieth time it is: of the stage, of the offer, of the sequence."""
        counted = {
            "stage_entered": "cycle",
            "step_due": "run",
            "alerted": "count",
            "updated": "count",
        }
        return int(self.data[counted.get(self.what, "offer")])

    @property
    def kind(self) -> str:
        """What its id is made of besides the lead and the cycle, as the documentation says."""
        match self.what:
            case "stage_entered":
                return f"stage:{self.data['stage']}"
            case "step_due":
                return f"nurture:{self.data['sequence']}:{self.data['step']}"
            case "breached":
                return f"handoff:breached:{self.data['promise']}"
            case "alerted":
                return f"alert:{self.data['alert']}"
            case "updated":
                return "updated"
            case _:
                return f"handoff:{self.what}"


class Books(NamedTuple):
    """Everything that the checker may look at, as it was in the end."""

    expected: Expected
    leads: Mapping[str, Lead]
    moves: Mapping[str, Sequence[Transition]]
    nurtured: Mapping[str, Sequence[NurtureRecord]]
    sink: Sequence[Message]
    told: Sequence[Told]
    quarantine: Sequence[Message]
    accepted: Sequence[Message]
    rules: Rules
    now: datetime


def mixed(leads: Mapping[str, Lead]) -> frozenset[str]:
    """The leads that may have been one person for a while, and are two.

    A public source claimed one for the other, until a signed one told something of it. What was
    recorded meanwhile lies with the one whose name it bore, whoever went on from there.
    """
    of = {id_: lead.id for lead in leads.values() for id_ in lead.trails}
    pairs = {
        (lead.id, of[claim.owner])
        for lead in leads.values()
        for trail in lead.trails.values()
        for claim in trail.claims
        if claim.owner in of
    }
    return frozenset(id_ for one, other in pairs if one != other for id_ in (one, other))


def read_told(sink: Sequence[Message]) -> list[Told]:
    """The triggers that automation tools were sent; each once, as it was sent last."""
    bodies = {message.attributes["id"]: message.body for message in sink}
    found = []
    for body in map(json.loads, bodies.values()):
        what, at = body["type"].split(".")[2], datetime.fromisoformat(body["time"])
        found.append(Told(body["id"], what, body["subject"], at, body["data"]))
    return found
