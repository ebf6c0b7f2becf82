"""What sales says, in any order and any number of times, among what the lead does: one end.

Through the real decision, identities and settling. How a lead got there, and what was told on the
way, is a record of what was known when, and differs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from builders import lead_ids
from effort import examples
from unit.domain.worlds import HasTrait, Holds, rules_of
from warmlead.application.apply import Decision, Scoring
from warmlead.domain.event import Event, Trust
from warmlead.domain.handoff import HandoffPolicy
from warmlead.domain.identity import identifiers_of
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.sales import IDENTIFIED, Statement, verdict
from warmlead.domain.scoring import ScoringPolicy, SignalPolicy
from warmlead.domain.stages import StagePolicy
from warmlead.ports import Commit
from warmlead.senders.crm import WORDS, CrmIdentity, CrmOrigin, statement
from warmlead.senders.statement_parts import CrmDeal

EXAMPLES = examples(1_000)
ORDERS = 6

OFFERED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW = OFFERED + timedelta(days=20)
HOUR = timedelta(hours=1)
EMAIL, CONTACT, DEAL = "ada@example.com", "crm:test:contact:1", "crm:test:deal:1"
SAYINGS = [word for word in WORDS if word != "nothing"]


def model() -> Rules:
    """An MQL from 30 points; what sales refuses is left alone for longer than the test takes."""
    rules = rules_of(
        ScoringPolicy({"visit": SignalPolicy(10, per_day=20)}, {}),
        {"page_viewed": ["visit"]},
        fit_rules=[HasTrait("in_usa", 10, "country", "US")],
        stages=[
            StagePolicy(
                "mql",
                enter=Holds(lambda facts: facts["score"] >= 30),  # type: ignore[operator]  # a number
                cooldown=timedelta(days=30),
            )
        ],
    )
    return replace(rules, handoff=HandoffPolicy(HOUR, 24 * HOUR, HOUR / 2))


SCORING = Scoring(model(), lead_ids)


class Memory:
    """Leads in memory, changed by decisions as a store would commit them."""

    def __init__(self) -> None:
        self.leads: dict[str, Lead] = {}
        self.aliases: dict[str, str] = {}

    def get(self, id_: str) -> Lead | None:
        return self.leads.get(self.aliases.get(id_, id_))

    def apply(self, events: Sequence[Event], now: datetime) -> None:
        decide = Decision(events, SCORING, now)
        wanted = {lead_ids.of(identifiers_of(event)[0]) for event in events}
        while not isinstance(done := decide({id_: self.get(id_) for id_ in wanted}), Commit):
            wanted |= done.ids
        for lead in done.leads:
            self.aliases = {a: to for a, to in self.aliases.items() if a != lead.id}
            self.leads[lead.id] = lead
        for alias, id_ in done.aliases.items():
            self.leads.pop(alias, None)
            self.aliases = {a: id_ if to == alias else to for a, to in self.aliases.items()}
            self.aliases[alias] = id_
        assert not any(alias in self.leads for alias in self.aliases)


@dataclass(frozen=True)
class End:
    """All that must not depend on the order."""

    stage: str
    offered: int
    answered_at: datetime | None
    answer: str
    touched_at: datetime | None
    worth: tuple[int | None, str]
    statements: Sequence[Statement]
    score: int


def end_of(memory: Memory) -> End:
    (lead,) = memory.leads.values()
    assert lead.offer
    assert lead.snapshot
    last = verdict(lead.statements)
    return End(
        lead.progress.stage,
        lead.offer.cycle,
        lead.offer.closed_at,
        lead.offer.answer,
        lead.offer.touched_at,
        (last.value_cents, last.currency) if last else (None, ""),
        lead.statements,
        lead.snapshot.score,
    )


def did(id_: str, at: datetime, **fields: str) -> Event:
    return _event(id_, at, "page_viewed", CrmIdentity(**fields or {"email": EMAIL}))


def known(id_: str, **fields: str) -> Event:
    return _event(id_, OFFERED + HOUR, IDENTIFIED, CrmIdentity(**fields))


def _event(
    id_: str, at: datetime, name: str, who: CrmIdentity, traits: Mapping[str, str] | None = None
) -> Event:
    return Event.checked(
        id=id_,
        source="crm",
        trust=Trust.SIGNED,
        name=name,
        occurred_at=at,
        received_at=NOW,
        email=who.email,
        user_id=who.user_id,
        anonymous_id=who.anonymous_id,
        traits=dict(traits or {}),
    )


WARM = [did(f"warm-{n}", OFFERED - n * HOUR) for n in range(3)]
"""What made the lead an MQL, and had it offered."""

WHOSE = [
    known("whose-contact", email=EMAIL, user_id=CONTACT),
    known("whose-deal", user_id=CONTACT, anonymous_id=DEAL),
]

AS = [{"email": EMAIL}, {"user_id": CONTACT}, {"anonymous_id": "browser", "email": EMAIL}]
EARLIER_TRAITS = [
    _event("form", OFFERED, "form_submitted", CrmIdentity(email=EMAIL), {"country": "US"})
]
"""Known to sales when it judged, but perhaps not to us."""

people = st.sampled_from(
    [
        CrmIdentity(email=EMAIL),
        CrmIdentity(user_id=CONTACT),
        CrmIdentity(anonymous_id=DEAL),
        CrmIdentity(EMAIL, CONTACT),
        CrmIdentity(None, CONTACT, DEAL),
    ]
)
values = st.none() | st.integers(0, 10**6)
after_the_offer = st.integers(1, 19 * 24).map(lambda hours: OFFERED + hours * HOUR)


@st.composite
def statements(draw: st.DrawFn, id_: str, words: Sequence[str]) -> Event:
    worth = draw(values)
    deal = CrmDeal(worth, "EUR" if worth is not None else "", draw(st.sampled_from(["", "price"])))
    telling = CrmOrigin("crm", NOW, id_, draw(after_the_offer))
    return statement(telling, draw(people), draw(st.sampled_from(words)), deal)


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    """What sales says of a lead, and what the lead does meanwhile."""
    count = draw(st.integers(1, 7))
    spoken = [draw(statements(f"said-{n}", SAYINGS)) for n in range(count)]
    views = [
        did(f"view-{n}", draw(after_the_offer), **draw(st.sampled_from(AS)))
        for n in range(draw(st.integers(0, 4)))
    ]
    return [*spoken, *views, *WHOSE, *draw(st.sampled_from([[], EARLIER_TRAITS]))]


def answered_before_a_second_offer(word: str) -> list[Event]:
    """The record of the CRM alone is offered too, before it is known whose it is."""
    telling = CrmOrigin("crm", NOW, "said-0", OFFERED + HOUR)
    said = statement(telling, CrmIdentity(email=EMAIL), word, CrmDeal())
    views = [did(f"view-{n}", OFFERED + HOUR, user_id=CONTACT) for n in range(3)]
    return [said, *views, *WHOSE]


def in_any_order(story: Sequence[Event], chance: Random) -> Memory:
    """Every event once or more, in any order and any batches, all of it now."""
    again = [
        structs.replace(event, received_at=NOW + HOUR)
        for event in chance.choices(story, k=chance.randrange(len(story) + 1))
    ]
    arrivals = [*story, *again]
    chance.shuffle(arrivals)
    memory = Memory()
    memory.apply(WARM, OFFERED)
    while arrivals:
        size = chance.choice([1, 1, 1, 2, 5])
        by_home: dict[str, list[Event]] = {}
        for event in arrivals[:size]:
            by_home.setdefault(lead_ids.of(identifiers_of(event)[0]), []).append(event)
        for group in by_home.values():
            memory.apply(group, NOW)
        del arrivals[:size]
    return memory


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(stories(), st.integers(0, 2**32))
@example(answered_before_a_second_offer("accepted"), 0)
@example(answered_before_a_second_offer("not_ready"), 0)
def test_statements_in_any_order_end_in_the_same_stage_answer_and_value(
    story: list[Event], seed: int
) -> None:
    chance = Random(seed)
    expected = end_of(in_any_order(story, chance))
    for _ in range(ORDERS - 1):
        assert end_of(in_any_order(story, chance)) == expected
