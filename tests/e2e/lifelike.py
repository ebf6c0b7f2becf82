"""Three weeks of a made site: what its people do, as five vendors post it, and what it comes to.

Each thing that a person does adds a vendor's request, and what is to be found on the person's lead.
The second is said here in plain words, and reads nothing of the product. The requests have the form
of the senders' fixtures.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from random import Random
from typing import Any

from senders.configured import HERE

WEEKS = timedelta(days=21)

POINTS = {
    "contact_requested": 30,
    "chat_started": 5,
    "chat_message_sent": 4,
    "chat_rated": 2,
    "meeting_booked": 40,
    "meeting_cancelled": -25,
    "meeting_missed": -10,
    "email_opened": 1,
    "email_clicked": 6,
    "email_unsubscribed": -15,
    "trial_started": 20,
    "subscription_started": 15,
}
OF_SIZE = 15
"""The points of who has between 50 and 500 colleagues, as a form or a booking tells."""

MQL_FROM = 60

MODEL = "\n".join(
    [
        "signals:",
        *(f"  {n}: {{on: {n}, points: {p}, per_day: 20, decay: never}}" for n, p in POINTS.items()),
        "fit:",
        f"  size: {{when: employees >= 50 && employees <= 500, points: {OF_SIZE}}}",
        "stages:",
        "  mql:",
        f"    enter: score >= {MQL_FROM} && !suppressed",
        f"    leave: score < {MQL_FROM} || suppressed",
    ]
)

BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/144.0.0.0 Safari/537.36"
)


@dataclass(frozen=True)
class Post:
    """What a vendor has to say, from ``at`` on: the path of its webhook, and the body."""

    function: str
    sender: str
    at: datetime
    body: bytes


@dataclass
class Person:
    """One person, and what their lead must hold at the end."""

    number: int
    employees: int
    is_known: bool = False
    tells_size: bool = False
    refused: str = ""
    won_cents: Sequence[int] = ()
    events: Counter[str] = field(default_factory=Counter)

    @property
    def email(self) -> str:
        """Their address."""
        return f"person-{self.number}@firm-{self.number}.example"

    @property
    def key(self) -> str:
        """What tells their lead from others: the address, or what Intercom calls who has none."""
        return self.email if self.is_known else f"intercom:contact-{self.number}"

    @property
    def score(self) -> int:
        """Counts times points."""
        done = sum(POINTS.get(name, 0) * count for name, count in self.events.items())
        return max(0, done + (OF_SIZE if self.tells_size and 50 <= self.employees <= 500 else 0))

    @property
    def stage(self) -> str:
        """Customers stay customers, however little they do, and whatever mail they refuse."""
        if self.won_cents:
            return "customer"
        if self.score >= MQL_FROM and not self.refused:
            return "mql"
        return "lead" if self.is_known else "anonymous"


@dataclass
class Mailing:
    """What SendGrid tells together of one mail, since it happened at nearly one moment."""

    at: datetime
    events: Sequence[dict[str, Any]]


class Site:
    """The people of a made site, what vendors post of them, and what their leads must hold."""

    def __init__(self, people: int, start: datetime, seed: int) -> None:
        self._chance = Random(seed)
        self._start = start
        self._mailings: list[Mailing] = []
        self.posts: list[Post] = []
        self.people = [self._lived(number) for number in range(people)]
        self._post_mailings()

    def _lived(self, number: int) -> Person:
        """Three weeks of a person; every fifth visitor only chats, and leaves no address."""
        chance = self._chance
        person = Person(number, chance.choice([3, 40, 60, 120, 500, 2_000]))
        person.is_known = number % 5 != 4
        self._chats(person)
        if person.is_known:
            for _ in range(chance.choice([0, 1, 1, 2])):
                self._fills_in(person)
            if chance.random() < 0.5 or number == 0:
                self._meets(person, ["moved", "kept", "cancelled", "missed"][number % 4])
            if chance.random() < 0.4:
                self._buys(person)
            self._is_mailed(person)
        return person

    # --- Typeform -----------------------------------------------------------------------------

    def _fills_in(self, person: Person) -> None:
        at, said = self._moment(), _said("typeform", "response__answers_and_hidden_fields")
        response = said["form_response"]
        response |= {"token": self._id(), "submitted_at": _iso(at)}
        answers = response["answers"]
        answers[0]["email"], answers[2]["number"] = person.email.upper(), person.employees
        self._post("forms", "typeform", at, said)
        person.events["contact_requested"] += 1
        person.tells_size = True

    # --- Intercom -----------------------------------------------------------------------------

    def _chats(self, person: Person) -> None:
        """A conversation; who leaves an address there does so at its end."""
        chance = self._chance
        at = self._moment()
        talk = f"{person.number}-{self._id()}"
        self._tells(_OPENED, person, at, _opening, talk)
        person.events.update(["chat_started", "chat_message_sent"])
        for _ in range(chance.randrange(4)):
            at += timedelta(minutes=chance.randrange(1, 9))
            self._tells(_REPLIED, person, at, _reply, talk)
            person.events["chat_message_sent"] += 1
        self._tells(_BOT, person, at + timedelta(seconds=20), _bot, talk)
        if chance.random() < 0.5:
            self._tells(_RATED, person, at + timedelta(minutes=10), _rating, talk)
            person.events["chat_rated"] += 1
        if person.is_known:
            self._tells(_ADDED, person, at + timedelta(minutes=11), _address, talk)
            person.events["identified"] += 1
            if person.number % 7 == 3:
                later = at + timedelta(days=1)
                self._tells(_UNSUBSCRIBED, person, later, _no_more, talk)
                person.events.update(["email_unsubscribed", "identified"])
                person.refused = "unsubscribed"

    def _tells(
        self, fixture: str, person: Person, at: datetime, change: "Change", talk: str
    ) -> None:
        said = _said("intercom", fixture)
        seconds = int(at.timestamp())
        said |= {"id": f"notif_{self._id()}", "created_at": seconds, "first_sent_at": seconds}
        change(said["data"]["item"], person, seconds, talk, self._id())
        self._post("chat", "intercom", at, said)

    # --- Calendly -----------------------------------------------------------------------------

    def _meets(self, person: Person, then: str) -> None:
        """A booking, and what becomes of it; a meeting that is moved makes two webhooks more.

        Who it is, the visitor typed: what they say of themselves is a public ``identified``.
        """
        at, first, second = self._moment(), self._id(), self._id()
        self._invites("invitee_created__booked", person, at, first)
        person.events.update(["meeting_booked", "identified"])
        person.tells_size = True
        later = at + timedelta(hours=3)
        if then == "moved":
            self._invites("invitee_canceled__rescheduled", person, later, first)
            self._invites("invitee_created__rescheduled", person, later, second)
            person.events["meeting_rescheduled"] += 1
        elif then == "cancelled":
            self._invites("invitee_canceled__by_the_invitee", person, later, first)
            person.events["meeting_cancelled"] += 1
        elif then == "missed":
            self._invites("invitee_no_show_created__missed", person, later, first)
            person.events["meeting_missed"] += 1

    def _invites(self, fixture: str, person: Person, at: datetime, invitee: str) -> None:
        said = _said("calendly", fixture)
        payload = said["payload"]
        said["created_at"] = _iso(at)
        payload |= {"email": person.email, "uri": f"https://api.calendly.com/invitees/{invitee}"}
        payload["questions_and_answers"][1]["answer"] = str(person.employees)
        for part in ("cancellation", "no_show"):
            if payload.get(part):
                payload[part]["created_at"] = _iso(at)
        self._post("forms", "calendly", at, said)

    # --- Stripe -------------------------------------------------------------------------------

    def _buys(self, person: Person) -> None:
        """A customer with a trial; half of the trials become paid, and are invoiced twice."""
        chance, seats, at = self._chance, self._chance.randrange(1, 30), self._moment()
        self._pays("customer_created__identified", person, at)
        self._pays("subscription_created__trial", person, at + timedelta(seconds=2), seats)
        person.events.update(["identified", "trial_started"])
        if chance.random() < 0.5:
            return
        at += timedelta(hours=8)
        self._pays("subscription_updated__trial_became_paid", person, at, seats)
        for _ in range(2):
            self._pays("invoice_paid__not_won_again", person, at)
        person.events.update(["subscription_started", "sales_won"])
        person.won_cents = [4_900 * seats]
        if chance.random() < 0.3:
            self._pays("subscription_deleted__cancelled", person, at + timedelta(hours=9), seats)
            person.events["subscription_cancelled"] += 1

    def _pays(self, fixture: str, person: Person, at: datetime, seats: int = 0) -> None:
        said = _said("stripe", fixture)
        said |= {"id": f"evt_{self._id()}", "created": int(at.timestamp())}
        about = said["data"]["object"]
        customer = f"cus_{person.number}"
        if about["object"] == "customer":
            about |= {"id": customer, "email": person.email}
            about["metadata"] = {"user_id": f"user-{person.number}"}
        elif about["object"] == "subscription":
            about |= {"id": f"sub_{person.number}", "customer": customer, "quantity": seats}
            about["items"]["data"][0]["quantity"] = seats
        else:
            about |= {"id": f"in_{self._id()}", "customer": customer}
            about |= {"customer_email": person.email, "subscription": f"sub_{person.number}"}
        self._post("sales", "stripe", at, said)

    # --- SendGrid -----------------------------------------------------------------------------

    def _is_mailed(self, person: Person) -> None:
        """Up to three mails; the last one ends with a bounce or an unsubscription for some."""
        chance = self._chance
        for _ in range(chance.randrange(4)):
            self._reads(person, self._moment(WEEKS - timedelta(days=3)))
        last = self._start + WEEKS - timedelta(days=2)
        if person.number % 8 == 1 and not person.refused:
            self._mails(person, last, ("bounce", {"type": "bounce", "status": "5.1.1"}))
            person.events["email_bounced"] += 1
            person.refused = "bounced"
        elif person.number % 8 == 6 and not person.refused:
            self._mails(person, last, ("unsubscribe", {"useragent": BROWSER}))
            person.events["email_unsubscribed"] += 1
            person.refused = "unsubscribed"

    def _reads(self, person: Person, at: datetime) -> None:
        """What one mail leads to: a person reads it, or programs do, which is worth nothing."""
        scanners = ["scanner at delivery", "scanner of all links", "named scanner"]
        by = self._chance.choice(["person", "person", *scanners, "reader"])
        delivered = ("delivered", dict[str, Any]())
        a, b = ({"useragent": BROWSER, "url": f"https://example.com/{n}"} for n in "ab")
        person.events["email_delivered"] += 1
        if by == "person":
            self._mails(person, at, ("processed", {}), delivered)
            later = at + timedelta(minutes=self._chance.randrange(20, 600))
            self._mails(person, later, ("open", {"useragent": BROWSER, "sg_machine_open": False}))
            self._mails(person, later + timedelta(minutes=1), ("click", a))
            person.events.update(["email_opened", "email_clicked"])
        elif by == "scanner at delivery":  # these two name themselves as browsers: haste tells
            self._mails(person, at, delivered, ("click", a))
            person.events["scan_request"] += 1
        elif by == "scanner of all links":
            self._mails(person, at, delivered)
            self._mails(person, at + timedelta(minutes=7), ("click", a), ("click", b))
            person.events["burst_request"] += 2
        elif by == "named scanner":
            named = {"useragent": "Barracuda Sentinel (EE)", "url": "https://example.com/a"}
            self._mails(person, at, delivered)
            self._mails(person, at + timedelta(minutes=7), ("click", named))
            person.events["robot_request"] += 1
        else:
            self._mails(person, at, delivered)
            opened = {"useragent": "Mozilla/5.0", "sg_machine_open": True}
            self._mails(person, at + timedelta(minutes=2), ("open", opened))
            person.events["prefetch_request"] += 1

    def _mails(self, person: Person, at: datetime, *events: tuple[str, dict[str, Any]]) -> None:
        template = _said("sendgrid", "batch__delivered_opened_clicked")[1]
        told = [
            {
                **template,
                "email": person.email,
                "timestamp": int(at.timestamp()) + second,
                "event": kind,
                "sg_event_id": self._id(),
                **more,
            }
            for second, (kind, more) in enumerate(events)
        ]
        self._mailings.append(Mailing(at, told))

    def _post_mailings(self) -> None:
        """SendGrid posts what happened to anybody's mails, a few dozen at a time."""
        rest = iter(sorted(self._mailings, key=lambda each: each.at))
        while batch := list(islice(rest, self._chance.randrange(1, 12))):
            events = [event for mailing in batch for event in mailing.events]
            self._post("mail", "sendgrid", batch[-1].at, events)

    # --- what all have in common --------------------------------------------------------------

    def _post(self, function: str, sender: str, at: datetime, said: object) -> None:
        self.posts.append(Post(function, sender, at, json.dumps(said).encode()))

    def _moment(self, within: timedelta = WEEKS - timedelta(days=2)) -> datetime:
        return self._start + timedelta(seconds=self._chance.randrange(int(within.total_seconds())))

    def _id(self) -> str:
        return f"{self._chance.getrandbits(64):016x}"


# --- the items of Intercom's topics -----------------------------------------------------------

_OPENED = "conversation_user_created__a_question_on_a_page"
_REPLIED = "conversation_user_replied__a_user_of_the_product"
_BOT = "conversation_user_replied__fin_has_the_last_word"
_RATED = "conversation_rating_added__four_stars_with_a_remark"
_ADDED = "contact_lead_added_email__after_the_chat"
_UNSUBSCRIBED = "contact_unsubscribed__from_all_mail"

Change = Callable[[dict[str, Any], Person, int, str, str], None]
"""Writes into an item the person, the second, the conversation's id, and an id for what is new."""


def _contact(person: Person) -> dict[str, Any]:
    return {"type": "lead", "id": f"contact-{person.number}", "name": None, "email": ""}


def _talk(item: dict[str, Any], person: Person, seconds: int, talk: str) -> None:
    item |= {"id": talk, "created_at": seconds, "updated_at": seconds}
    item["source"] |= {"id": f"opening-{talk}", "author": _contact(person)}
    item["contacts"]["contacts"][0] |= {"id": f"contact-{person.number}"}


def _opening(item: dict[str, Any], person: Person, seconds: int, talk: str, _: str) -> None:
    _talk(item, person, seconds, talk)


def _reply(item: dict[str, Any], person: Person, seconds: int, talk: str, new: str) -> None:
    _talk(item, person, seconds, talk)
    written = item["conversation_parts"]["conversation_parts"][0]
    written |= {"id": new, "created_at": seconds, "author": _contact(person)}


def _bot(item: dict[str, Any], person: Person, seconds: int, talk: str, new: str) -> None:
    _talk(item, person, seconds, talk)
    item["conversation_parts"]["conversation_parts"][0] |= {"id": new, "created_at": seconds}


def _rating(item: dict[str, Any], person: Person, seconds: int, talk: str, _: str) -> None:
    _talk(item, person, seconds, talk)
    item["conversation_rating"] |= {"updated_at": seconds}
    item["conversation_rating"]["contact"] |= {"id": f"contact-{person.number}"}


def _address(item: dict[str, Any], person: Person, seconds: int, _: str, __: str) -> None:
    item |= {"id": f"contact-{person.number}", "email": person.email}
    item["updated_at"] = _iso(datetime.fromtimestamp(seconds, UTC))


def _no_more(item: dict[str, Any], person: Person, seconds: int, _: str, __: str) -> None:
    item["created_at"] = seconds
    item["contact"] |= {"id": f"contact-{person.number}", "email": person.email}
    item["contact"] |= {"external_id": f"user-{person.number}"}


# --- deliveries -------------------------------------------------------------------------------


def deliveries(posts: Sequence[Post], chance: Random) -> Iterator[tuple[datetime, Post]]:
    """When each is delivered, one to three times: most at once, others up to a day later."""
    for post in posts:
        for _ in range(chance.choice([1, 1, 2, 3])):
            late = timedelta(hours=24) if chance.random() < 0.3 else timedelta(seconds=90)
            yield post.at + chance.random() * late + timedelta(seconds=1), post


def _said(sender: str, fixture: str) -> Any:
    """The body of a fixture, which the caller may change."""
    return json.loads(_body(sender, fixture))


@cache
def _body(sender: str, fixture: str) -> str:
    body: str = json.loads((HERE / sender / "fixtures" / f"{fixture}.json").read_text())["body"]
    return body


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
