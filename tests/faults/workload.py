"""What a trial sends and in which order everything happens: the same for the same seed."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from builders import NOW
from faults.people import Calls, Person, before, people, stamp
from warmlead.domain.event import Event, Trust
from warmlead.parsing.signatures import SignatureSettings, sign_standard_webhooks
from warmlead.ports import RawRequest
from warmlead.senders.generic import FormSettings
from warmlead.senders.sales import GenericSalesSettings

WRITE_KEYS = {"browser": Trust.PUBLIC, "server": Trust.SIGNED}
SECRET = "whsec_" + base64.b64encode(b"the CRM signs with this secret!!").decode()
FORMS = {
    "contact": FormSettings(allow_unsigned=True, time="sent_at"),
    "crm": FormSettings(
        event="webinar_attended", time="sent_at", signature=SignatureSettings(secrets=(SECRET,))
    ),
}
SALES = GenericSalesSettings(signature=SignatureSettings(secrets=(SECRET,)))

LATE = timedelta(days=40)
"""So long ago something was received that may not be counted any more."""


class Request(NamedTuple):
    """Something to be accepted: a request over HTTP, or what came over the bus from elsewhere."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    signed: bool = False
    late: Event | None = None
    foreign: bool = False

    @property
    def over_http(self) -> bool:
        return self.late is None and not self.foreign

    def at(self, moment: datetime, request_id: str) -> RawRequest:
        """The request as it comes at a moment."""
        headers = dict(self.headers)
        if self.signed:
            id_ = headers["webhook-id"]
            headers |= {
                name.lower(): value
                for name, value in sign_standard_webhooks(
                    self.body, message_id=id_, at=moment, secret=SECRET
                ).items()
            }
        return RawRequest("POST", self.path, "", headers, self.body, moment, request_id)


PASS = "pass"


class Step(NamedTuple):
    """One thing that happens, and a number.

    ``send`` a request, ``deliver`` so many messages, have so many schedulers run ``decay`` or
    ``followup`` at once, let so many seconds ``pass``.
    """

    what: str
    number: int = 0


SOON_S = (31, 32 * 60, 61 * 60)
"""Times after which a trigger is left behind, sales is reminded, and has broken its promise."""

DAY_S = 24 * 60 * 60
DAYS = (1, 2, 3, 4, 6)
MOST_DAYS = 18
"""So many days a trial may last: events of its first must still be told apart in the end."""


class Workload(NamedTuple):
    """The requests of a trial by their numbers, and the plan; ``width`` steps go on at once."""

    people: Sequence[Person]
    requests: Sequence[Request]
    steps: Sequence[Step]
    width: int

    def once_each(self) -> list[int]:
        """The numbers of the requests, each once."""
        return list(range(len(self.requests)))


def workload(seed: int, *, persons: int = 3, busy: int = 10) -> Workload:
    """Some weeks of some people: ``busy`` requests and a few that something is wrong with."""
    random = Random(f"workload {seed}")
    who = people(random, persons)
    requests = _requests(random, who, busy)
    sends = [Step("send", i) for i in range(len(requests))]
    sends += [Step("send", random.randrange(len(requests))) for _ in range(len(requests) // 4)]
    random.shuffle(sends)
    steps = []
    time = _Time(random)
    for send in sends:
        steps.append(send)
        if random.random() < 0.45:
            steps.append(Step("deliver", random.randint(1, 4)))
        if random.random() < 0.12:
            steps += random.choice([time.minutes, time.minutes, time.days])()
    steps.append(Step("deliver", 30))
    for some_time in (time.minutes, time.days, time.days):
        steps += some_time()
    width = 3 if random.random() < 0.2 else 1
    return Workload(who, requests, steps, width)


class _Time:
    """Lets time pass in a plan, and Cloud Scheduler call; sometimes two of it at once."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._days_left = MOST_DAYS

    def minutes(self) -> list[Step]:
        """As much time as sales has, after which what is due is followed up."""
        return [Step(PASS, self._random.choice(SOON_S)), self._run("followup")]

    def days(self) -> list[Step]:
        """Some days, after which leads fade too, before or after."""
        days = min(self._random.choice(DAYS), self._days_left)
        self._days_left -= days
        runs = [self._run("decay"), self._run("followup")]
        return [Step(PASS, days * DAY_S), *self._random.sample(runs, 2)]

    def _run(self, what: str) -> Step:
        return Step(what, 2 if self._random.random() < 0.25 else 1)


def _requests(random: Random, who: Sequence[Person], busy: int) -> list[Request]:
    calls = Calls(random)
    made = [_tracked(random, calls.identified(person)) for person in who]
    for person in who:
        if random.random() < 0.5:
            made.append(_tracked(random, calls.asked(person)))
        if person.unsubscribes:
            said = [calls.unsubscribed(person) for _ in range(random.randint(1, 3))]
            made += [_tracked(random, call) for call in said]
    for person in who:
        if random.random() < 0.5:
            made += [_said(random, person) for _ in range(random.choice([1, 1, 2]))]
    made += [_busy(random, calls, random.choice(who)) for _ in range(busy - len(made))]
    some = random.choice(who)
    odd = [
        _batch(random, [calls.viewed(some), calls.unusable(some), calls.viewed(some)]),
        _tracked(random, calls.nobody()),
        _batch(random, [calls.viewed(some)], key="nobody's"),
        Request("/v1/batch", basic("browser"), b'{"batch":[{"messageId":"cut'),
        _late(random, some),
        Request("", {}, b'{"v":1,"events":"none of ours"}', foreign=True),
        _said(random, some)._replace(signed=False),
        statement(random, {"said": "maybe", "email": some.email}),
    ]
    made += random.sample(odd, 3)
    if random.random() < 0.5:
        made += _squatted(calls, some)
    random.shuffle(made)
    return made


def _busy(random: Random, calls: Calls, person: Person) -> Request:
    what = random.random()
    if what < 0.35:
        return _batch(random, [calls.viewed(person) for _ in range(random.randint(1, 4))])
    if what < 0.7:
        return _batch(random, [calls.acted(person) for _ in range(random.randint(1, 3))])
    return _form(random, person, signed=what > 0.85)


def _squatted(calls: Calls, person: Person) -> list[Request]:
    """One id, used by a browser and by a server: two events, since they are trusted apart."""
    call = {**calls.asked(person), "userId": person.email}
    return [_one_batch([call], "browser"), _one_batch([call], "server")]


def _tracked(random: Random, call: Mapping[str, Any]) -> Request:
    path = f"/v1/{call['type']}"
    return Request(path, basic(random.choice(list(WRITE_KEYS))), json.dumps(call).encode())


def _batch(random: Random, calls: Sequence[Mapping[str, Any]], key: str = "") -> Request:
    return _one_batch(calls, key or random.choice(list(WRITE_KEYS)))


def _one_batch(calls: Sequence[Mapping[str, Any]], key: str) -> Request:
    return Request("/v1/batch", basic(key), json.dumps({"batch": calls}).encode())


def _form(random: Random, person: Person, *, signed: bool) -> Request:
    id_ = f"form-{random.getrandbits(48):x}"
    fields = {
        "email": person.email,
        "employees": person.employees,
        "sent_at": stamp(before(random)),
    }
    headers = {"content-type": "application/json", "webhook-id": id_}
    path = f"/generic/{'crm' if signed else 'contact'}"
    return Request(path, headers, json.dumps(fields).encode(), signed=signed)


def _said(random: Random, person: Person) -> Request:
    """What sales says of somebody; of some of it since when, of the rest when it is heard."""
    said: dict[str, Any] = {"email": person.email, "said": random.choice(SAID)}
    if said["said"] == "rejected":
        said["reason"] = random.choice(["not_ready", "not_ready", "unreachable", "bad_data"])
    if random.random() < 0.4:
        said["occurred_at"] = stamp(before(random))
    return statement(random, said)


SAID = ("touched", "touched", "rejected", "rejected", "accepted", "lost", "won")


def statement(random: Random, said: Mapping[str, Any]) -> Request:
    id_ = f"said-{random.getrandbits(48):x}"
    headers = {"content-type": "application/json", "webhook-id": id_}
    return Request("/generic", headers, json.dumps({**said, "id": id_}).encode(), signed=True)


def _late(random: Random, person: Person) -> Request:
    """An event that lay on the bus for longer than events can be told apart."""
    then = NOW - LATE
    event = Event(
        id=f"late-{random.getrandbits(48):x}",
        source="generic",
        trust=Trust.SIGNED,
        name="webinar_attended",
        occurred_at=then,
        received_at=then,
        email=person.email,
    )
    return Request("", {}, b"", late=event)


def basic(key: str) -> Mapping[str, str]:
    """The headers of a JSON request with a write key."""
    credentials = base64.b64encode(f"{key}:".encode()).decode()
    return {"content-type": "application/json", "authorization": f"Basic {credentials}"}
