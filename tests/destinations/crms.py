"""The three CRMs for tests that say the same of all: a server, a destination, what is held."""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from builders import NOW, RULES, StandingClock
from destinations.crm_server import CrmServer, running
from destinations.hubspot_server import TOKEN as HUBSPOT_TOKEN
from destinations.hubspot_server import HubSpotServer
from destinations.pipedrive_server import TOKEN as PIPEDRIVE_TOKEN
from destinations.pipedrive_server import PipedriveServer
from destinations.salesforce_server import CLIENT, SECRET, SalesforceServer, full
from warmlead.application.deliver import Delivered, Dispatching, deliver, outgoing_of
from warmlead.application.redeliver import redeliver
from warmlead.destinations.crm import CrmDestination
from warmlead.destinations.registry import destinations_in
from warmlead.domain.dispatch import Dispatch, DispatchState
from warmlead.ports import Message
from warmlead.ports.dispatching import OutgoingMessage
from warmlead.settings import Settings
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_dispatches import SqliteDispatchStore
from warmlead.web.outbound import HttpOutbound

EXAMPLES = Path(__file__).parents[2] / "docs" / "messages"
OFFERED = "warmlead.handoff.offered.v1"
ENTERED = "warmlead.lead.stage_entered.v1"
UPDATED = "warmlead.lead.updated.v1"
OF_LEADS = (
    *(OFFERED, ENTERED, UPDATED, "warmlead.handoff.reminder.v1"),
    *("warmlead.handoff.breached.v1", "warmlead.lead.alerted.v1"),
    "warmlead.nurture.step_due.v1",
)


def example(kind: str, **changes: Any) -> dict[str, Any]:
    """The published example of a message; ``lead`` and ``data`` change a part each."""
    message: dict[str, Any] = json.loads((EXAMPLES / f"{kind}.example.json").read_text())
    if about := changes.pop("lead", {}):
        message["data"]["lead"] |= about
    message["data"] |= changes.pop("data", {})
    return {**message, **changes}


def a_person(number: int, kind: str = OFFERED, **changes: Any) -> dict[str, Any]:
    """The example about another person, with ids of its own."""
    lead_id = f"lead-{number:04d}"
    lead = {"id": lead_id, "email": f"person{number}@example.com", **changes.pop("lead", {})}
    named = {"id": f"{kind[9:16]}-{number:04d}".replace(".", "-"), "subject": lead_id}
    return example(kind, lead=lead, **{**named, **changes})


def outgoing(message: Mapping[str, Any]) -> OutgoingMessage:
    return outgoing_of(json.dumps(message).encode())


@dataclass(frozen=True)
class Held:
    """A person's record as a CRM holds it, in our words."""

    id: str
    email: str
    first_name: str
    last_name: str
    score: str
    grade: str
    stage: str
    reasons: str
    first_channel: str
    last_source: str
    touch_by: str
    accept_by: str
    message_id: str


@dataclass(frozen=True)
class HeldTask:
    """A task as a CRM holds it."""

    subject: str
    due: str
    owner: str
    record: str
    text: str


class Place(ABC):
    """A CRM's server, and how to look into it."""

    name: ClassVar[str]
    ann: ClassVar[str]
    """The CRM's id of ann@example.com."""

    server: CrmServer

    @abstractmethod
    def section(self) -> dict[str, Any]: ...

    @abstractmethod
    def held(self) -> list[Held]: ...

    @abstractmethod
    def tasks(self) -> list[HeldTask]: ...

    @abstractmethod
    def add(self, email: str, **own: str) -> str:
        """A record that somebody made in the CRM; ``own`` are ``first_name`` and ``last_name``."""

    creates: ClassVar[str]
    """How the request begins that makes a record."""
    creates_task: ClassVar[str]
    not_found: ClassVar[Any]
    """What is said of a record that is not there."""

    def made(self, **changes: Any) -> CrmDestination:
        """The destination as its section configures it, over real HTTP."""
        section = {
            "to": self.name,
            "allow_local": True,
            "address": self.server.address,
            **self.section(),
            **changes,
        }
        outbound = HttpOutbound(allow_local=True, timeout_s=5)
        made = destinations_in({self.name: section}, Settings(), outbound)[self.name]
        assert isinstance(made, CrmDestination)
        return made


class HubSpotPlace(Place):
    name = "hubspot"
    ann = "71"
    creates = "POST /crm/v3/objects/contacts"
    creates_task = "POST /crm/v3/objects/tasks"
    not_found: ClassVar = {"category": "OBJECT_NOT_FOUND", "message": "resource not found"}
    server: HubSpotServer

    def __init__(self) -> None:
        self.server = HubSpotServer()

    def section(self) -> dict[str, Any]:
        return {"tokens": [HUBSPOT_TOKEN]}

    def held(self) -> list[Held]:
        return [
            Held(
                id_,
                one.get("email", ""),
                one.get("firstname", ""),
                one.get("lastname", ""),
                *(one.get(f"warmlead_{name}", "") for name in list(Held.__match_args__)[4:]),
            )
            for id_, one in self.server.contacts.items()
        ]

    def tasks(self) -> list[HeldTask]:
        return [
            HeldTask(
                one["hs_task_subject"],
                one["hs_timestamp"][:16],
                one.get("hubspot_owner_id", ""),
                self.server.task_contacts[id_],
                one["hs_task_body"],
            )
            for id_, one in self.server.tasks.items()
        ]

    def add(self, email: str, **own: str) -> str:
        id_ = str(300 + len(self.server.contacts))
        names = {name.replace("_", ""): value for name, value in own.items()}
        self.server.contacts[id_] = {"email": email, **names}
        return id_


class PipedrivePlace(Place):
    name = "pipedrive"
    ann = "91"
    creates = "POST /api/v2/persons"
    creates_task = "POST /api/v2/activities"
    not_found: ClassVar = {"success": False, "code": "ERR_NOT_FOUND"}
    server: PipedriveServer

    def __init__(self) -> None:
        self.server = PipedriveServer(NOW)

    def section(self) -> dict[str, Any]:
        return {"tokens": [PIPEDRIVE_TOKEN]}

    def held(self) -> list[Held]:
        labels = (
            *("score", "grade", "stage", "reasons", "first channel", "last source"),
            *("touch by", "accept by", "message"),
        )
        found = []
        for id_, one in self.server.persons.items():
            if one["is_deleted"]:
                continue
            own = one["custom_fields"]
            keys = [self.server.key_of(f"Warmlead {label}") for label in labels]
            first, _, last = one["name"].partition(" ")
            values = [str(own.get(key, "")) for key in keys]
            found.append(Held(str(id_), one["emails"][0]["value"], first, last, *values))
        return found

    def tasks(self) -> list[HeldTask]:
        return [
            HeldTask(
                one["subject"],
                f"{one['due_date']}T{one['due_time']}",
                str(one["owner_id"]),
                str(one["person_id"]),
                one["note"],
            )
            for one in self.server.activities.values()
        ]

    def add(self, email: str, **own: str) -> str:
        name = f"{own.get('first_name', 'Some')} {own.get('last_name', 'Body')}"
        return str(self.server.add_person(email, name=name))


class SalesforcePlace(Place):
    name = "salesforce"
    ann = full("005Hp00000aAnnX")
    creates = "PATCH /services/data/v62.0/sobjects/Lead/Warmlead_Lead_Id__c"
    creates_task = "PATCH /services/data/v62.0/sobjects/Task/"
    not_found: ClassVar = [{"errorCode": "NOT_FOUND", "message": "does not exist"}]
    server: SalesforceServer

    def __init__(self) -> None:
        self.server = SalesforceServer()

    def section(self) -> dict[str, Any]:
        domain = "engines.my.salesforce.com"
        return {"domain": domain, "client_id": CLIENT, "secrets": [SECRET]}

    def held(self) -> list[Held]:
        people = {**self.server.records["Lead"], **self.server.records["Contact"]}
        names = [f"Warmlead_{name.title()}__c" for name in list(Held.__match_args__)[4:]]
        return [
            Held(
                id_,
                one.get("Email", ""),
                one.get("FirstName", ""),
                one.get("LastName", ""),
                *(str(one.get(name, "")) for name in names),
            )
            for id_, one in people.items()
        ]

    def tasks(self) -> list[HeldTask]:
        return [
            HeldTask(
                one["Subject"],
                one["ReminderDateTime"][:16],
                one["OwnerId"],
                one["WhoId"],
                one["Description"],
            )
            for one in self.server.records["Task"].values()
        ]

    def add(self, email: str, **own: str) -> str:
        names = {"FirstName": own.get("first_name"), "LastName": own.get("last_name", "Body")}
        return self.server.add("Contact", Email=email, **names)


PLACES: Mapping[str, type[Place]] = {
    place.name: place for place in (HubSpotPlace, SalesforcePlace, PipedrivePlace)
}


@contextmanager
def a_place(name: str) -> Any:
    """The CRM while its server runs."""
    place = PLACES[name]()
    with running(place.server):
        yield place


# --- delivering ----------------------------------------------------------------------------


@dataclass
class Delivery:
    """Deliveries to one destination with the stores of one machine, and a clock that stands."""

    using: Dispatching
    clock: StandingClock
    errors: list[BaseException] = field(default_factory=list)

    async def send(self, message: Mapping[str, Any]) -> Delivered:
        body = json.dumps(message).encode()
        return await deliver(Message(body, {}), self.using)

    async def again(self) -> Delivered:
        return await redeliver(self.using)

    async def dispatch(self, message: Mapping[str, Any]) -> Dispatch:
        """Where the message stands."""
        (name,) = self.using.destinations
        for state in DispatchState:
            for one in await self.using.dispatches.in_state(name, state, most=1_000):
                if isinstance(one, Dispatch) and one.id == message["id"]:
                    return one
        raise AssertionError("the message is not there")


@asynccontextmanager
async def delivering(to: CrmDestination, folder: Path) -> AsyncIterator[Delivery]:
    """Deliveries to a destination."""
    clock, errors = StandingClock(NOW), list[BaseException]()
    async with SqliteFile(folder / "warmlead.sqlite3") as file:
        using = Dispatching(
            dispatches=SqliteDispatchStore(file),
            leads=SqliteLeadStore(file, clock),
            destinations={to.name: to},
            rules=RULES,
            clock=clock,
            failed=lambda _, error: errors.append(error),
        )
        yield Delivery(using, clock, errors)
    assert errors == []


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)
