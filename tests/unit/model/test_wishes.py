"""What marketers wish of a model, each a file: it is valid without a doubt, and means that."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest

from builders import NOW, an_event, lead_ids
from warmlead.application.evaluate import evaluate
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import identifiers_of
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead, Trail, touch_trails
from warmlead.model.document import Severity
from warmlead.model.loading import Model, check, load

FILES = {file.stem: file for file in (Path(__file__).parent / "wishes").glob("*.yaml")}
DAY = timedelta(days=1)
Did: TypeAlias = tuple[str, float, dict[str, Any]]
"""An event, how many days ago it happened, and its properties."""

PAPER: Did = ("content_downloaded", 1, {"kind": "eBook"})
PAGE: Did = ("page_viewed", 1, {"path": "/a"})
CRM: Did = ("page_viewed", 1, {"path": "/crm/prices"})
DEMO: Did = ("demo_requested", 0, {})
SEO: Did = ("content_downloaded", 2, {"topic": "seo"})
ADS: Did = ("content_downloaded", 1, {"topic": "ads"})
BLOG: list[Did] = [("page_viewed", n % 2, {"path": f"/blog/{n}"}) for n in range(3)]
PRICES: Did = ("page_viewed", 0, {"path": "/pricing"})
MINUTES: Did = ("page_left", 0, {"seconds": 150})
MEETING: Did = ("meeting_booked", 0, {})
FORM: Did = ("form_submitted", 0, {"form": "contact"})
JOB: Did = ("form_submitted", 0, {"form": "Job application"})
ATTENDED: Did = ("webinar_attended", 0, {"minutes": 45})
CLICKS: list[Did] = [("email_clicked", n, {}) for n in range(3)]
WEEKS: list[Did] = [("page_viewed", 7 * n, {"path": "/a"}) for n in (1, 2, 3)]
PAGES: list[Did] = [("page_viewed", 0, {"path": f"/{n}"}) for n in range(4)]
USES: list[Did] = [("feature_used", n, {}) for n in range(3)]
ENDING: Did = ("trial_ending", 0, {"days": 3})
RECORD = {"last_name": "Kay", "company": "Acme", "country": "DE", "phone": "+49 30 1"}
BEST = {"title": "VP Sales", "employees": 200, "industry": "software"}
BASKET: Did = ("product_added", 0, {})
FIT = {"employees": "51-200 employees", "country": "US"}


class Person(NamedTuple):
    """What somebody is and did, and what the model is to make of it."""

    wish: str
    who: str
    did: Sequence[Did]
    stage: str
    traits: dict[str, Any] | None = None
    score: int | None = None
    owner: str | None = None
    mail: str | None = None
    mail_at: str | None = None
    email: str = "ada@acme.com"
    trust: Trust = Trust.SIGNED
    days_later: float = 0
    grew: dict[int, dict[str, Any]] | None = None


PEOPLE = [
    Person("interest-and-fit", "fits, and read a paper", [PAPER], "mql", FIT, 45),
    Person("interest-and-fit", "fits, three pages", [PAGE] * 3, "mql", FIT, 40),
    Person("interest-and-fit", "fits, two pages", [PAGE] * 2, "lead", FIT, 35),
    Person("interest-and-fit", "reads, and is small", [PAPER], "lead", {"employees": 49}),
    Person("interest-and-fit", "read 31 days ago", [("webinar_attended", 31, {})], "lead", FIT),
    Person("demo-from-a-buyer", "a buyer", [DEMO], "mql", {"title": "VP Sales"}),
    Person("demo-from-a-buyer", "a student", [DEMO], "lead", {"title": "Student"}),
    Person("demo-from-a-buyer", "at home", [DEMO], "lead", {"title": "VP"}, email="a@gmail.com"),
    Person("our-calendar-only", "the calendar", [MEETING], "mql"),
    Person("our-calendar-only", "anybody", [MEETING], "lead", score=30, trust=Trust.PUBLIC),
    Person("no-clicking-alone", "clicks", [("page_viewed", d, {}) for d in (0, 1, 2)] * 8, "lead",
           score=40),
    Person("no-clicking-alone", "clicks and reads", [PAGE] * 8 + [PAPER], "mql", score=59),
    Person("old-interest-fades", "both today", [("content_downloaded", 0, {}),
           ("webinar_attended", 0, {})], "mql", score=50),
    Person("old-interest-fades", "both 60 days ago", [("content_downloaded", 60, {}),
           ("webinar_attended", 60, {})], "lead", score=40),
    Person("old-interest-fades", "both 90 days ago", [("content_downloaded", 90, {}),
           ("webinar_attended", 90, {})], "lead", score=7),
    Person("quiet-leads-cool-down", "read today", [("content_downloaded", 0, {})], "mql",
           score=100),
    Person("quiet-leads-cool-down", "two weeks later", [("content_downloaded", 14, {})], "lead",
           score=90),
    Person("quiet-leads-cool-down", "three weeks later", [("content_downloaded", 21, {})], "lead",
           score=81),
    Person("no-competitors", "a rival", [DEMO], "lead", email="eve@rival.com", score=0),
    Person("no-competitors", "a buyer", [DEMO], "mql", score=65),
    Person("decision-makers", "leads", [DEMO], "mql", {"title": "Directeur commercial"}, 60),
    Person("decision-makers", "learns", [DEMO], "lead", {"title": "Werkstudentin"}, 10),
    Person("routes", "large", [DEMO], "mql", {"employees": 501}, owner="enterprise-team"),
    Person("routes", "in Ohio", [DEMO], "mql", {"country": "US"}, owner="ann or bob"),
    Person("routes", "elsewhere", [DEMO], "mql", {"country": "FR"}, owner="inside-sales"),
    Person("guide-by-interest", "read of CRM", [CRM, DEMO], "mql", mail="crm-guide"),
    Person("guide-by-interest", "read of nothing", [DEMO], "mql", mail_at="2026-03-10T13:00Z"),
    Person("guide-by-latest-topic", "read of SEO", [SEO, DEMO], "mql", mail="seo-guide"),
    Person("guide-by-latest-topic", "then of ads", [SEO, ADS, DEMO], "mql",
           mail_at="2026-03-10T13:00Z"),
    Person("grown-companies", "has grown", [("page_viewed", 31, {}), PRICES], "mql",
           grew={0: {"employees": "11-49"}, 1: {"employees": 60}}),
    Person("grown-companies", "has been large", [("page_viewed", 31, {}), PRICES], "lead",
           {"employees": 60}),
    Person("grown-companies", "was not known", [PRICES], "lead", {"employees": 60}),
    Person("reads-around", "reads", BLOG, "mql", score=15),
    Person("reads-around", "on one day", [(name, 0, of) for name, _, of in BLOG], "lead"),
    Person("reads-around", "reads one thing", [("page_viewed", n, {"path": "/blog/1"})
           for n in range(3)], "lead"),
    Person("reads-around", "for five minutes", [*BLOG, MINUTES, MINUTES], "mql", score=25),
    Person("reads-around", "for less", [*BLOG, MINUTES], "mql", score=15),
    Person("mails-in-their-morning", "in Tokyo", [DEMO], "mql", {"country": "JP"},
           mail_at="2026-03-10T23:00Z"),
    Person("mails-in-their-morning", "in New York", [DEMO], "mql",
           {"time_zone": "America/New_York"}, mail="welcome"),  # it is 8:00 there
    Person("mails-in-their-morning", "somewhere", [DEMO], "mql", mail_at="2026-03-11T07:00Z"),
    Person("evening-shop", "at noon", [BASKET], "mql", mail_at="2026-03-10T19:00Z"),
    Person("evening-shop", "after midnight", [BASKET], "mql", mail="your-basket", days_later=0.48),
    Person("complete-record", "all is known", [DEMO], "mql", RECORD, 40),
    Person("complete-record", "no phone", [DEMO], "lead", {**RECORD, "phone": ""}, 40),
    Person("score-and-grade", "grade A", [*CLICKS, FORM], "mql", BEST, 114),
    Person("score-and-grade", "grade B", [*CLICKS, FORM], "lead", {"employees": 200,
           "industry": "finance"}, 99),
    Person("hot-in-fifteen-minutes", "warm", [DEMO], "mql", owner="inside-sales"),
    Person("hot-in-fifteen-minutes", "hot", [DEMO, PRICES, ATTENDED], "hot", score=105,
           owner="hotline"),
    Person("job-seekers", "buys", [FORM, PRICES], "mql", score=55),
    Person("job-seekers", "applies", [FORM, PRICES, JOB], "lead", score=5),
    Person("job-seekers", "applied long ago", [FORM, PRICES, (JOB[0], 181, JOB[2])], "lead",
           score=34),
    Person("neither-half-alone", "both", [DEMO], "mql", FIT, 90),
    Person("neither-half-alone", "does all", [PAGE] * 9 + [DEMO], "lead", score=50),
    Person("surge-of-interest", "reads more", [*WEEKS, *PAGES], "mql", score=51),
    Person("surge-of-interest", "one page", [*WEEKS, *[PRICES] * 4], "lead", score=11),
    Person("partners-first", "a partner's", [FORM], "mql", {"lead_source": "partner"}, 25,
           "partner-manager"),
    Person("partners-first", "nobody's", [FORM], "lead", score=25),
    Person("trial-about-to-end", "uses it", [*USES, ENDING], "pql", score=24),
    Person("trial-about-to-end", "ends later", [*USES, ("trial_ending", 0, {"days": 7})], "lead"),
    Person("private-mailboxes-need-more", "at work", [PAPER, ATTENDED], "mql", score=55),
    Person("private-mailboxes-need-more", "at home", [PAPER, ATTENDED], "lead", score=55,
           email="ada@gmail.com"),
    Person("who-stayed-to-the-end", "stayed", [ATTENDED], "mql", score=40),
    Person("who-stayed-to-the-end", "looked in", [("webinar_attended", 0, {"minutes": 5})],
           "lead", score=10),
    Person("who-stayed-to-the-end", "missed it", [("webinar_missed", 0, {})], "lead",
           mail="the-recording"),
    Person("accounts-that-fit", "our CRM", [DEMO], "mql", {"technologies": ["salesforce"]}, 60),
    Person("accounts-that-fit", "a rival's", [DEMO], "lead",
           {"technologies": ["salesforce", "rivalsoft"], "annual_revenue": "12M"}, 40),
    Person("mails-alone-are-not-enough", "clicks", CLICKS, "lead", score=25),
    Person("mails-alone-are-not-enough", "and reads", [*CLICKS, *[PRICES] * 3], "mql", score=34),
    Person("who-refuses-mail", "reads", [PAPER], "mql"),
    Person("who-refuses-mail", "and refuses", [PAPER, ("email_unsubscribed", 0, {})], "lead"),
    Person("who-refuses-mail", "and asks", [DEMO, ("email_unsubscribed", 0, {})], "mql"),
]  # fmt: skip


@cache
def model(wish: str) -> Model:
    return load(FILES[wish].read_text(encoding="utf-8"), name=wish)


def events_of(person: Person) -> list[Event]:
    return [
        an_event(
            id=f"{name}-{number}",
            name=name,
            email=person.email,
            occurred_at=NOW - days * DAY,
            received_at=NOW - days * DAY,
            properties=properties,
            traits=(person.grew or {}).get(number, person.traits or {}),
            trust=person.trust,
        )
        for number, (name, days, properties) in enumerate(person.did)
    ]


def test_there_are_twelve_wishes_at_least_and_somebody_for_each() -> None:
    assert len(FILES) >= 12
    assert {person.wish for person in PEOPLE} == FILES.keys()


@pytest.mark.parametrize("wish", sorted(FILES))
def test_a_wish_can_be_written_without_fault_or_doubt(wish: str) -> None:
    found = check(FILES[wish].read_text(encoding="utf-8"))
    assert [each for each in found if each.severity is not Severity.NOTE] == []


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: f"{person.wish}: {person.who}")
def test_the_model_of_a_wish_means_it(person: Person) -> None:
    of, now = model(person.wish), NOW + person.days_later * DAY
    trails: dict[str, Trail] = {}
    for event in events_of(person):
        ids = {identifier: lead_ids.of(identifier) for identifier in identifiers_of(event)}
        trails = touch_trails(trails, event, ids, of.rules)
    (lead,) = resolve_identities([], trails, of.rules, NOW)
    found = evaluate(lead, of.rules, now)

    assert found.lead.progress.stage == person.stage
    if person.score is not None:
        assert found.lead.snapshot is not None
        assert found.lead.snapshot.score == person.score
    if person.owner is not None:
        assert found.lead.offer is not None
        assert found.lead.offer.owner in person.owner
    _assert_mailed(person, found.lead, [dict(t.attributes) for t in found.triggers])


def _assert_mailed(person: Person, lead: Lead, sent: list[dict[str, str]]) -> None:
    mails = [attributes["message"] for attributes in sent if "message" in attributes]
    assert mails == ([person.mail] if person.mail else [])
    if person.mail_at is not None:
        (enrolment,) = lead.enrolments.values()
        assert enrolment.next_at == datetime.fromisoformat(person.mail_at)
