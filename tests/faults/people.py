"""Who takes part in a trial, and the things that they do, as calls and forms on the wire.

Everything has an id of its sender's and a time, or a time is left out where nothing hangs on it:
then two attempts of one request say different things, and the earlier one counts.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from builders import NOW

REFUSALS = ("Email Unsubscribed", "Unsubscribed", "Unsubscribed from List")
ACTS = ("Page Viewed", "Page Viewed", "Content Downloaded", "Webinar Attended")


class Person(NamedTuple):
    """What somebody is known by; ``shared`` is a browser that others use too."""

    name: str
    email: str
    user_id: str | None
    browser: str
    employees: int
    unsubscribes: bool
    shared: bool


def people(random: Random, count: int) -> list[Person]:
    """Some people: visitors, customers with a user id, families with one browser."""
    share = random.random() < 0.25
    return [_person(random, i, share=share) for i in range(count)]


def _person(random: Random, number: int, *, share: bool) -> Person:
    name = f"person-{number}"
    return Person(
        name,
        email=f"{name}@example.com",
        user_id=f"user-{number}" if random.random() < 0.4 else None,
        browser="browser-of-all" if share else f"browser-{number}",
        employees=random.choice([5, 120, 120]),
        unsubscribes=random.random() < 0.4,
        shared=share,
    )


def before(random: Random) -> datetime:
    """Some time in the last four days, to the second."""
    return NOW - timedelta(seconds=random.randrange(3_600, 4 * 86_400))


def stamp(moment: datetime) -> str:
    """A time as clients write it."""
    return moment.isoformat().replace("+00:00", "Z")


class Calls:
    """Calls of Segment's API by people, each with an id of its own."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._made = 0

    def viewed(self, person: Person) -> dict[str, Any]:
        """A page that an unknown browser looked at; half of them without a time."""
        timed = self._random.random() < 0.5
        return self._call("page", self._browser(person), timed=timed)

    def acted(self, person: Person) -> dict[str, Any]:
        """Something worth points, under any name of the person."""
        event = self._random.choice(ACTS)
        who = self._random.choice([self._browser(person), self._named(person)])
        return self._call("track", who, event=event, context=_campaign(self._random))

    def asked(self, person: Person) -> dict[str, Any]:
        """A demo was asked for."""
        return self._call("track", self._named(person), event="Demo Requested")

    def unsubscribed(self, person: Person) -> dict[str, Any]:
        """No more e-mails, please: in our words, in Segment's or in Klaviyo's."""
        event = self._random.choice(REFUSALS)
        return self._call("track", self._named(person), event=event)

    def identified(self, person: Person) -> dict[str, Any]:
        """Whose browser it is."""
        traits = {"email": person.email, "employees": person.employees, "name": person.name}
        who = self._browser(person)
        if person.user_id:
            who["userId"] = person.user_id
        return self._call("identify", who, traits=traits)

    def unusable(self, person: Person) -> dict[str, Any]:
        """A call that can never be an event."""
        return self._call("gossip", self._browser(person))

    def nobody(self) -> dict[str, Any]:
        """A call by nobody."""
        return self._call("track", {"anonymousId": "undefined"}, event="Page Viewed")

    def _named(self, person: Person) -> dict[str, Any]:
        if person.user_id and self._random.random() < 0.5:
            return {"userId": person.user_id}
        return {"userId": person.email}

    def _browser(self, person: Person) -> dict[str, Any]:
        return {"anonymousId": person.browser}

    def _call(
        self, kind: str, who: Mapping[str, Any], *, timed: bool = True, **fields: Any
    ) -> dict[str, Any]:
        self._made += 1
        call: dict[str, Any] = {"type": kind, "messageId": f"call-{self._made}-of-trial", **who}
        if timed:
            call["timestamp"] = stamp(before(self._random))
        return {**call, **fields}


def _campaign(random: Random) -> Mapping[str, Any]:
    return {"campaign": {"source": random.choice(["news", "search"]), "name": "spring"}}
