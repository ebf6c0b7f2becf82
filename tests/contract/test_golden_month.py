"""One lead, from the first visit to the sale, on both backends; every score by hand arithmetic.

The model is the ready-made ``b2b-saas``. What counts of it here:

- a page view is worth 1 (half of it is gone after 14 days), a day with a visit 3 (30 days), the
  pricing page 10 (30), a customer's story 5 (30): together 40 at most, which is never reached;
- the newsletter is worth 5 (90), a whitepaper 20 (60), a webinar 20 (60);
- a business address is worth 5, 50 to 500 employees 15, a manager 5: these never fade;
- two weeks without a sign of life cost a tenth of what was done, and every further week again;
- an MQL fits with 20, has 50 in all, and did something in the last 30 days that shows it;
- sales is reminded after 30 minutes, should have spoken after an hour, and decided after a day;
- messages go out on weekdays from 9 to 17 in New York, where summer begins on day 7: that is
  from 14:00 UTC before, and from 13:00 UTC on after it.
"""

import json
import math
from datetime import timedelta
from typing import NamedTuple

import pytest

from builders import StandingClock, lead_ids
from contract.backends import Place
from contract.golden_month import (
    BEGINS,
    MODEL,
    Backend,
    Life,
    Moment,
    Record,
    moment,
    on_google,
    on_sqlite,
)
from warmlead.application.apply import Scoring
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.sales import SalesStatus
from warmlead.domain.stages import Cooling, Transition, moved_back
from warmlead.runtime import backends
from warmlead.simulation.play import StoryClock, simulate
from warmlead.simulation.story import GOLDEN_MONTH, read_story, ready_story

PLACES = [
    pytest.param(on_sqlite, id="sqlite"),
    pytest.param(on_google, id="google", marks=pytest.mark.emulator),
]
REJECTED_ON = 5


class Expected(NamedTuple):
    """What is to be seen at a time of a day: the score as a sum by hand, and rounded."""

    at: str
    by_hand: float
    score: int
    stage: str
    sent: tuple[str, ...]


# Each line: what was done by one visit or two, in the order above; the last line is the fit.
# fmt: off
DAY_1 = (
    2 + 3 + 10                                                      # 2.00 + 3.00 + 10.00 = 15.00
)
DAY_2 = (
    2 * 2**(-1/14) + 3 * 2**(-1/30) + 10 * 2**(-1/30)               # 1.90 + 2.93 + 9.77
    + 5                                                             # 5.00
    + 5                                                             # 5 = 24.61
)
DAY_4 = (
    2 * 2**(-3/14) + 3 * 2**(-3/30) + 10 * 2**(-3/30)               # 1.72 + 2.80 + 9.33
    + 5 * 2**(-2/90) + 20                                           # 4.92 + 20.00
    + (5 + 15 + 5)                                                  # 25 = 63.78
)
DAY_5 = (
    2 * 2**(-4/14) + 3 * 2**(-4/30) + 10 * 2**(-4/30)               # 1.64 + 2.74 + 9.12
    + 5 * 2**(-3/90) + 20 * 2**(-1/60)                              # 4.89 + 19.77
    + 25                                                            # 25 = 63.15
)
DAY_8_MORNING = (
    2 * 2**(-7/14) + 3 * 2**(-7/30) + 10 * 2**(-7/30)               # 1.41 + 2.55 + 8.51
    + 5 * 2**(-6/90) + 20 * 2**(-4/60)                              # 4.77 + 19.10
    + 25                                                            # 25 = 61.34
)
DAY_8_EVENING = (
    2 * 2**(-7/14) + 3 * 2**(-7/30) + 10 * 2**(-7/30)               # 1.41 + 2.55 + 8.51
    + 5 * 2**(-6/90) + 20 * 2**(-4/60)                              # 4.77 + 19.10
    + 1 + 3 + 5                                                     # 1.00 + 3.00 + 5.00
    + 25                                                            # 25 = 70.34
)
DAY_15 = (
    2 * 2**(-14/14) + 3 * 2**(-14/30) + 10 * 2**(-14/30)            # 1.00 + 2.17 + 7.24
    + 5 * 2**(-13/90) + 20 * 2**(-11/60)                            # 4.52 + 17.61
    + 1 * 2**(-7/14) + 3 * 2**(-7/30) + 5 * 2**(-7/30)              # 0.71 + 2.55 + 4.25
    + 25                                                            # 25 = 65.06
)
DAY_22 = ((
    2 * 2**(-21/14) + 3 * 2**(-21/30) + 10 * 2**(-21/30)            # 0.71 + 1.85 + 6.16
    + 5 * 2**(-20/90) + 20 * 2**(-18/60)                            # 4.29 + 16.25
    + 1 * 2**(-14/14) + 3 * 2**(-14/30) + 5 * 2**(-14/30)           # 0.50 + 2.17 + 3.62
) * 0.9**1 + 25                                                     # × 0.9 + 25 = 56.98
)
DAY_29 = ((
    2 * 2**(-28/14) + 3 * 2**(-28/30) + 10 * 2**(-28/30)            # 0.50 + 1.57 + 5.24
    + 5 * 2**(-27/90) + 20 * 2**(-25/60)                            # 4.06 + 14.98
    + 1 * 2**(-21/14) + 3 * 2**(-21/30) + 5 * 2**(-21/30)           # 0.35 + 1.85 + 3.08
) * 0.9**2 + 25                                                     # × 0.81 + 25 = 50.62
)
DAY_36 = ((
    2 * 2**(-35/14) + 3 * 2**(-35/30) + 10 * 2**(-35/30)            # 0.35 + 1.34 + 4.45
    + 5 * 2**(-34/90) + 20 * 2**(-32/60)                            # 3.85 + 13.82
    + 1 * 2**(-28/14) + 3 * 2**(-28/30) + 5 * 2**(-28/30)           # 0.25 + 1.57 + 2.62
) * 0.9**3 + 25                                                     # × 0.729 + 25 = 45.59
)
DAY_38 = ((
    2 * 2**(-37/14) + 3 * 2**(-37/30) + 10 * 2**(-37/30)            # 0.32 + 1.28 + 4.25
    + 5 * 2**(-36/90) + 20 * 2**(-34/60)                            # 3.79 + 13.50
    + 1 * 2**(-30/14) + 3 * 2**(-30/30) + 5 * 2**(-30/30)           # 0.23 + 1.50 + 2.50
) * 0.9**3 + 25                                                     # × 0.729 + 25 = 44.95
)
DAY_39 = (
    2 * 2**(-38/14) + 3 * 2**(-38/30) + 10 * 2**(-38/30)            # 0.30 + 1.25 + 4.16
    + 5 * 2**(-37/90) + 20 * 2**(-35/60)                            # 3.76 + 13.35
    + 1 * 2**(-31/14) + 3 * 2**(-31/30) + 5 * 2**(-31/30)           # 0.22 + 1.47 + 2.44
    + 1 + 3 + 10                                                    # 1.00 + 3.00 + 10.00
    + 25                                                            # 25 = 65.94
)
DAY_40 = (
    2 * 2**(-39/14) + 3 * 2**(-39/30) + 10 * 2**(-39/30)            # 0.29 + 1.22 + 4.06
    + 5 * 2**(-38/90) + 20 * 2**(-36/60)                            # 3.73 + 13.20
    + 1 * 2**(-32/14) + 3 * 2**(-32/30) + 5 * 2**(-32/30)           # 0.21 + 1.43 + 2.39
    + 1 * 2**(-1/14) + 3 * 2**(-1/30) + 10 * 2**(-1/30)             # 0.95 + 2.93 + 9.77
    + 20                                                            # 20.00
    + 25                                                            # 25 = 85.18
)
DAY_43 = (
    2 * 2**(-42/14) + 3 * 2**(-42/30) + 10 * 2**(-42/30)            # 0.25 + 1.14 + 3.79
    + 5 * 2**(-41/90) + 20 * 2**(-39/60)                            # 3.65 + 12.75
    + 1 * 2**(-35/14) + 3 * 2**(-35/30) + 5 * 2**(-35/30)           # 0.18 + 1.34 + 2.23
    + 1 * 2**(-4/14) + 3 * 2**(-4/30) + 10 * 2**(-4/30)             # 0.82 + 2.74 + 9.12
    + 20 * 2**(-3/60)                                               # 19.32
    + 25                                                            # 25 = 82.30
)
DAY_46 = (
    2 * 2**(-45/14) + 3 * 2**(-45/30) + 10 * 2**(-45/30)            # 0.22 + 1.06 + 3.54
    + 5 * 2**(-44/90) + 20 * 2**(-42/60)                            # 3.56 + 12.31
    + 1 * 2**(-38/14) + 3 * 2**(-38/30) + 5 * 2**(-38/30)           # 0.15 + 1.25 + 2.08
    + 1 * 2**(-7/14) + 3 * 2**(-7/30) + 10 * 2**(-7/30)             # 0.71 + 2.55 + 8.51
    + 20 * 2**(-6/60)                                               # 18.66
    + 25                                                            # 25 = 79.59
)
# fmt: on

MONTH = [
    Expected("1 10:00", 1 + 3, 4, "anonymous", ()),
    Expected("1 10:04", DAY_1, 15, "anonymous", ()),
    Expected("2 14:00", DAY_2, 25, "lead", ()),
    Expected(
        *("4 15:00", DAY_4, 64, "mql"),
        ("mql 1", "offered 1", "mql-education 1/6 welcome-guide"),
    ),
    Expected("4 15:30", DAY_4, 64, "mql", ("reminder 1",)),
    Expected("4 16:00", DAY_4, 64, "mql", ("breached first_touch 1",)),
    Expected("5 15:00", DAY_5, 63, "mql", ("breached acceptance 1",)),
    Expected("5 16:30", DAY_5, 63, "recycled", ("recycled 1",)),
    # two days later is a Sunday: the first message waits for Monday, and the others for theirs
    Expected("8 13:00", DAY_8_MORNING, 61, "recycled", ("keep-warm 1/5 what-others-did-first",)),
    Expected("8 18:00", DAY_8_EVENING, 70, "recycled", ()),  # more than 50, but it cools down
    Expected("15 13:00", DAY_15, 65, "recycled", ("keep-warm 2/5 checklist",)),
    Expected("22 13:00", DAY_22, 57, "recycled", ("keep-warm 3/5 customer-story",)),
    Expected("29 13:00", DAY_29, 51, "recycled", ("keep-warm 4/5 benchmark",)),
    Expected("36 13:00", DAY_36, 46, "recycled", ("keep-warm 5/5 when-shall-we-talk",)),
    Expected("38 13:00", DAY_38, 45, "recycled", ("re-engage 1/3 what-is-new",)),
    Expected("39 14:00", DAY_39, 66, "recycled", ()),  # enough points, but one page in 30 days
    Expected("40 15:00", DAY_40, 85, "mql", ("mql 2", "offered 2")),
    Expected("40 15:20", DAY_40, 85, "mql", ()),
    Expected("40 15:50", DAY_40, 85, "sql", ("sql 1",)),
    Expected("43 09:30", DAY_43, 82, "opportunity", ("opportunity 1",)),
    Expected("46 16:00", DAY_46, 80, "customer", ("customer 1",)),
]

DONE = [
    *((2, 1, 14), (3, 1, 30), (10, 1, 30)),  # two pages on one day, one of them the prices
    (5, 2, 90),  # the newsletter
    (20, 4, 60),  # the whitepaper
    *((1, 8, 14), (3, 8, 30), (5, 8, 30)),  # a customer's story
    *((1, 39, 14), (3, 39, 30), (10, 39, 30)),  # the prices again
    (20, 40, 60),  # the webinar
]
"""Points, day and half-life in days of all that she does."""

EVENINGS = [
    *(15, 25, 24, 64, 63, 63, 62),
    *(70, 70, 69, 68, 67, 66, 66),
    *(65, 64, 64, 63, 62, 62, 61),
    *(57, 56, 56, 55, 55, 54, 54),  # 14 days of silence since day 8: a tenth is gone on day 22
    *(51, 50, 50, 49, 49, 49, 48),
    *(46, 45, 45, 66, 85, 84, 83),  # on day 39 she is back, and so is what silence took
    *(82, 81, 80, 80),
]
"""The score at the end of each day."""


async def come(life: Life) -> None:
    """What she did at first, and what sales said; all else is due to time."""
    unknown = {"email": None}
    blog = {"path": "/blog/lead-scoring"}
    ad = {"utm_source": "google", "utm_campaign": "lead-scoring"}
    await life.did(1, "10:00", "page_viewed", **unknown, properties=blog, attribution=ad)
    await life.did(1, "10:04", "page_viewed", **unknown, properties={"path": "/pricing"})
    name = {"first_name": "Grace", "last_name": "Hopper"}
    await life.did(2, "14:00", "newsletter_subscribed", traits=name)
    work = {"title": "Marketing Manager", "employees": 120, "country": "NL"}
    paper = {"kind": "whitepaper"}
    await life.did(4, "15:00", "content_downloaded", properties=paper, traits=work)
    await life.sales(REJECTED_ON, "16:30", "rejected", reason="not_ready")
    await life.did(8, "18:00", "page_viewed", properties={"path": "/customers/acme"})


async def come_back(life: Life) -> None:
    """The second time sales is quick."""
    await life.did(39, "14:00", "page_viewed", properties={"path": "/pricing"})
    await life.did(40, "15:00", "webinar_attended")
    await life.sales(40, "15:20", "touched")
    await life.sales(40, "15:50", "accepted")
    await life.sales(43, "9:30", "opportunity", value_cents=1_800_000, currency="EUR")
    await life.sales(46, "16:00", "won", value_cents=1_650_000, currency="EUR")
    await life.until(moment(46, "23:59"))
    await life.evening(46)


async def live(life: Life) -> Record:
    """The whole month."""
    await come(life)
    await come_back(life)
    return await life.record()


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(BEGINS)


@pytest.mark.parametrize("backend", PLACES)
async def test_each_score_equals_the_sum_by_hand_and_each_message_is_on_time(
    backend: Backend, place: Place
) -> None:
    async with backend(place) as home:
        record = await live(home.life)

    assert [math.floor(each.by_hand + 0.5) for each in MONTH] == [each.score for each in MONTH]
    assert record.moments == [Moment(e.at, e.score, e.stage, e.sent) for e in MONTH]


@pytest.mark.parametrize("backend", PLACES)
async def test_every_evening_has_its_score(backend: Backend, place: Place) -> None:
    async with backend(place) as home:
        record = await live(home.life)

    assert [by_hand(day) for day in range(1, 47)] == EVENINGS
    assert record.evenings == EVENINGS


def by_hand(day: int) -> int:
    done = sum(points * 2 ** (-(day - on) / half) for points, on, half in DONE if on <= day)
    left = 0.9 ** sum(each <= day < 39 for each in (22, 29, 36))  # 14, 21, 28 days of silence
    fit = (day >= 2) * 5 + (day >= 4) * (15 + 5)
    return math.floor(done * left + fit + 0.5)


@pytest.mark.parametrize("backend", PLACES)
async def test_requalifying_is_a_move_of_its_own_in_the_record_of_stages(
    backend: Backend, place: Place
) -> None:
    async with backend(place) as home:
        record = await live(home.life)
        lead = await home.life.lead()

    assert [_in_short(each) for each in record.moves] == [
        ("2 14:00", "anonymous", "lead", 1, "model", 25, 5, 28.0),
        ("4 15:00", "lead", "mql", 1, "model", 64, 25, 49.0),
        ("5 16:30", "mql", "recycled", 1, "sales", 63, 25, 25.5),
        ("40 15:00", "recycled", "mql", 2, "model", 85, 25, 838.5),
        ("40 15:50", "mql", "sql", 1, "sales", 85, 25, 0.833),
        ("43 09:30", "sql", "opportunity", 1, "sales", 82, 25, 65.667),
        ("46 16:00", "opportunity", "customer", 1, "sales", 80, 25, 78.5),
    ]
    assert {each.model_version for each in record.moves} == {MODEL.version}
    ad = (("utm_campaign", "lead-scoring"), ("utm_source", "google"))
    assert {each.attribution for each in record.moves} == {ad}
    assert moved_back(record.moves, MODEL.rules.stage_order) == 1
    assert lead is not None
    assert lead.progress.entered["mql"] == 2
    won = lead.statements[-1]
    assert (won.said, won.value_cents, won.currency) == (SalesStatus.WON, 1_650_000, "EUR")


def _in_short(move: Transition) -> tuple[object, ...]:
    day = f"{(move.at - BEGINS).days + 1} {move.at:%H:%M}"
    what = (move.from_stage, move.to_stage, move.cycle, move.source, move.score, move.fit)
    return day, *what, move.hours_in_stage


@pytest.mark.parametrize("backend", PLACES)
async def test_sequences_and_offers_have_the_expected_ends(backend: Backend, place: Place) -> None:
    async with backend(place) as home:
        record = await live(home.life)

    runs = record.enrolments.items()
    assert {name: (run.run, run.position, run.ending) for name, run in runs} == {
        "mql-education": (1, 1, "stopped"),  # by the rejection; and it is for once in a life
        "keep-warm": (1, 5, "finished"),
        "re-engage": (1, 1, "goal"),  # she came back before the second message
    }
    begun = {name: run.started_at for name, run in runs}
    assert begun["keep-warm"] == moment(REJECTED_ON, "16:30")
    assert begun["re-engage"] == moment(38, "0:00")  # 30 days after day 8
    assert (record.offer.cycle, record.offer.answer) == (2, "accepted")
    assert record.offer.touched_at - record.offer.at == timedelta(minutes=20)


@pytest.mark.parametrize("backend", PLACES)
async def test_during_the_cooldown_no_score_makes_an_mql(backend: Backend, place: Place) -> None:
    async with backend(place) as home:
        await come(home.life)
        lead = await home.life.lead()

    assert lead is not None
    (mql,) = MODEL.rules.stages
    found = evaluation_of(lead, MODEL.rules, moment(8, "18:00"))
    assert mql.enter(found.facts)
    assert lead.progress.stage == "recycled"
    again = moment(REJECTED_ON, "16:30") + timedelta(days=30)
    assert lead.progress.cooling == Cooling(moment(REJECTED_ON, "16:30"), again)


@pytest.mark.emulator
async def test_both_backends_and_the_simulation_leave_the_same_record(place: Place) -> None:
    records = []
    for backend in (on_sqlite, on_google):
        place.clock.time = BEGINS
        async with backend(place) as home:
            record = await live(home.life)
            records.append(record)
            delivered = await home.delivered(len(record.triggers))
        assert sorted(delivered) == sorted(body for _, body in record.triggers)
    on_file, on_cloud = records

    told = read_story(ready_story(GOLDEN_MONTH)).script
    assert told is not None
    clock = StoryClock(told.begins)
    scoring = Scoring(MODEL.rules, lead_ids)
    async with backends.rehearsal(clock) as (store, bus):
        story = await simulate(
            told.events, until=told.ends, store=store, bus=bus, scoring=scoring, clock=clock
        )
    assert story.lead is not None

    assert on_file == on_cloud
    assert len({json.loads(body)["id"] for _, body in on_file.triggers}) == 18
    sent = [(topic, m.body) for scene in story.scenes for topic, m in scene.sent]
    assert sent == on_file.triggers
    assert [move for scene in story.scenes for move in scene.moves] == on_file.moves
    assert [each.day_score.score for each in story.days if each.day_score] == on_file.evenings
    assert (story.lead.enrolments, story.lead.offer) == (on_file.enrolments, on_file.offer)
