"""Clicks that only a program can have made, by what is kept of one mail's events together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from builders import NOW, RULES, an_event
from cost import measured
from effort import examples
from unit.domain.worlds import World, brute_tally
from warmlead.domain.evaluation import as_judged, evaluation_of
from warmlead.domain.event import Automation, Event, Trust
from warmlead.domain.history import EXACT_DAYS, History, fold, tally, to_ms
from warmlead.domain.identity import identifiers_of
from warmlead.domain.lead import Lead
from warmlead.domain.mail_scans import (
    APART_MS,
    AT_DELIVERY_MS,
    BURST_MS,
    MachinePolicy,
    judged,
    mark_of,
    scans_among,
)
from warmlead.domain.packed_history import DAY_MS, KeptEvent
from warmlead.domain.recording import MAX_MARKED, record
from warmlead.domain.scoring import ScoringPolicy, SignalPolicy

CLICKING = replace(
    RULES,
    scoring=ScoringPolicy({"email_clicked_signal": SignalPolicy(points=5, per_day=20)}, {}),
    shown={"email_clicked_signal": ("url",)},
)
MAIL, OTHER_MAIL = "mail-1", "mail-2"


@dataclass(frozen=True)
class Click:
    at_s: float
    link: str
    mail: str = MAIL
    name: str = "email_clicked"
    received_days: float = 0
    trust: Trust = Trust.SIGNED
    automated: Automation | None = None


def delivery(at_s: float, mail: str = MAIL, **others: Any) -> Click:
    return Click(at_s, "", mail, "email_delivered", **others)


def event_of(nth: int, click: Click) -> Event:
    at = NOW - timedelta(hours=1) + timedelta(seconds=click.at_s)
    return an_event(
        id=f"event-{nth}",
        source="mailtool",
        name=click.name,
        trust=click.trust,
        automated=click.automated,
        occurred_at=at,
        received_at=at + timedelta(days=click.received_days),
        properties={"message_id": click.mail} | ({"url": click.link} if click.link else {}),
    )


def kept_of(clicks: Sequence[Click]) -> list[KeptEvent]:
    return [
        KeptEvent(
            to_ms(event.occurred_at),
            event.key,
            to_ms(event.received_at),
            event.name,
            RULES.classify(event),
            mark_of(event),
        )
        for event in (event_of(nth, click) for nth, click in enumerate(clicks))
    ]


def scans(*clicks: Click) -> dict[int, str]:
    """Which of the clicks a program made, by their numbers, and why."""
    events = kept_of(clicks)
    found = scans_among(events)
    return {nth: found[event.key] for nth, event in enumerate(events) if event.key in found}


def test_clicks_on_several_links_at_one_moment_are_one_programs() -> None:
    assert scans(Click(0, "a"), Click(1, "b"), Click(60, "a")) == {0: "burst", 1: "burst"}


def test_each_click_of_a_burst_is_a_programs_also_a_second_one_on_a_link() -> None:
    assert scans(Click(0, "a"), Click(2, "a"), Click(5, "b"), Click(8, "c")).keys() == {0, 1, 2, 3}


def test_a_double_click_on_one_link_is_a_persons() -> None:
    assert scans(Click(0, "a"), Click(0.2, "a")) == {}


def test_links_that_were_read_one_after_the_other_are_a_persons() -> None:
    apart = BURST_MS / 1_000 + 1
    assert scans(Click(0, "a"), Click(apart, "b"), Click(2 * apart, "c")) == {}


def test_clicks_in_two_mails_at_one_moment_are_a_persons() -> None:
    assert scans(Click(0, "a"), Click(0, "b", OTHER_MAIL)) == {}


def test_what_is_no_click_is_left_as_it_is() -> None:
    opened = Click(0, "b", name="email_opened")
    assert scans(Click(0, "a"), opened, replace(opened, name="email_unsubscribed")) == {}


def test_a_click_at_the_moment_of_the_delivery_is_a_programs() -> None:
    at_once = AT_DELIVERY_MS / 1_000
    assert scans(Click(at_once, "a"), delivery(0)) == {0: "scan"}
    assert scans(Click(at_once + 1, "a"), delivery(0)) == {}
    assert scans(Click(1, "a"), delivery(0, OTHER_MAIL)) == {}


def test_a_gateway_may_click_before_it_confirms_the_delivery() -> None:
    assert scans(Click(-1, "a"), delivery(0)) == {0: "scan"}
    assert scans(Click(-60, "a"), delivery(0)) == {}


def test_each_of_several_deliveries_is_looked_at() -> None:
    mails = [delivery(at_s) for at_s in (600, 0, 300)]
    assert scans(*mails, Click(302, "a"), Click(60, "b"), Click(601, "c")).keys() == {3, 5}


def test_a_report_that_comes_days_later_says_nothing_about_a_click() -> None:
    assert scans(Click(0, "a"), delivery(0, received_days=3)) == {0: "scan"}
    assert scans(Click(0, "a"), delivery(0, received_days=4)) == {}
    assert scans(Click(0, "a"), Click(1, "b", received_days=4)) == {}


def test_nobody_can_undo_a_persons_clicks_in_public() -> None:
    assert scans(Click(0, "a"), delivery(0, trust=Trust.PUBLIC)) == {}
    assert scans(Click(0, "a"), Click(0, "b", trust=Trust.PUBLIC)) == {}


def test_a_report_that_names_no_mail_says_nothing() -> None:
    nameless = structs.replace(event_of(1, delivery(0)), properties={})
    assert mark_of(nameless) == ""


# --- what it counts as ---------------------------------------------------------------------


def lead_of(*requests: Sequence[Event]) -> Lead:
    """The lead after some requests, each with some events, all of them now."""
    world = World(CLICKING)
    for events in requests:
        world.apply(events, NOW)
    return world.lead_of(identifiers_of(requests[0][0])[0])


def counts_of(lead: Lead, rules: Any = CLICKING) -> dict[str, int]:
    names = evaluation_of(lead, rules, NOW).tally.names
    return {name: sum(days.values()) for name, days in names.items()}


SCANNED = (
    *(delivery(0), Click(2, "a"), Click(100, "a"), Click(101, "b"), Click(102, "c")),
    *(Click(900, "a"), Click(950, "b", automated=Automation.ROBOT)),
)
WORTH = {
    "email_delivered": 1,
    "scan_request": 1,
    "burst_request": 3,
    "email_clicked": 1,
    "robot_request": 1,
}


def test_clicks_of_programs_are_worth_nothing_and_the_persons_click_counts() -> None:
    lead = lead_of(*([event_of(nth, click)] for nth, click in enumerate(SCANNED)))
    assert counts_of(lead) == WORTH
    assert evaluation_of(lead, CLICKING, NOW).score.score == 5


def test_a_click_that_a_person_repeats_later_counts_once() -> None:
    first = [event_of(0, delivery(0)), event_of(1, Click(2, "a"))]
    lead = lead_of(first)
    assert evaluation_of(lead, CLICKING, NOW).score.score == 0
    again = lead_of(first, [event_of(2, Click(600, "a"))])
    assert evaluation_of(again, CLICKING, NOW).score.score == 5


def test_clicks_of_programs_end_no_inactivity() -> None:
    visit = an_event(occurred_at=NOW - timedelta(days=9))
    mail = [event_of(0, delivery(0)), event_of(1, Click(2, "a"))]
    assert evaluation_of(lead_of([visit], mail[:1]), CLICKING, NOW).score.days_inactive == 0
    policy = replace(CLICKING.scoring, passive=frozenset({"email_delivered"}))
    passive = replace(CLICKING, scoring=policy)
    assert evaluation_of(lead_of([visit], mail), passive, NOW).score.days_inactive == 9


def test_a_model_that_counts_robots_counts_them() -> None:
    signals = frozenset({"email_clicked_signal"})
    lead = lead_of([event_of(nth, click) for nth, click in enumerate(SCANNED[:5])])
    all_of_them = replace(CLICKING, robots_count=True, robots_signals=signals)
    assert counts_of(lead, all_of_them) == {"email_delivered": 1, "email_clicked": 4}
    assert evaluation_of(lead, all_of_them, NOW).score.score == 20
    one = replace(CLICKING, robots_signals=signals)
    assert counts_of(lead, one).keys() == {"email_delivered", "scan_request", "burst_request"}
    assert evaluation_of(lead, one, NOW).score.score == 20


def test_many_links_of_a_scan_leave_room_for_the_persons_click_of_that_day() -> None:
    scan = [event_of(nth, Click(nth / 10, f"link-{nth}")) for nth in range(60)]
    persons = event_of(60, Click(1_800, "link-7"))
    for order in ([*scan, persons], [persons, *scan]):
        lead = lead_of(*([event] for event in order))
        assert evaluation_of(lead, CLICKING, NOW).score.score == 5
        steps = as_judged(lead, CLICKING).steps
        assert [step.key for step in steps] == [persons.key]


def test_a_scan_takes_no_place_of_other_events() -> None:
    views = [an_event(id=f"view-{nth}", name="email_clicked") for nth in range(20)]  # of no mail
    scan = [event_of(nth, Click(nth / 10, f"link-{nth}")) for nth in range(30)]
    lead = lead_of(scan, views)
    assert counts_of(lead) == {"burst_request": 20, "email_clicked": 20}  # as far as is counted


def test_of_one_day_a_limited_number_is_kept() -> None:
    events = kept_of([Click(nth / 100, f"link-{nth}") for nth in range(MAX_MARKED + 20)])
    histories = []
    for seed in range(3):
        shuffled = Random(seed).sample(events, len(events))
        one_by_one = History()
        for event in shuffled:
            one_by_one = record(one_by_one, [event])
        histories += [one_by_one, record(History(), shuffled)]
    assert histories[0].count == MAX_MARKED
    assert all(history == histories[0] for history in histories)
    assert set(histories[0].kept.values()) == set(sorted(events)[:MAX_MARKED])


# --- order, requests and time --------------------------------------------------------------

moments = st.sampled_from([0, 0.2, 1, 2, 4, 6, 9, 60])
clicks = st.builds(
    Click,
    moments,
    st.sampled_from("abc"),
    st.sampled_from([MAIL, MAIL, OTHER_MAIL]),
    st.sampled_from(["email_clicked", "email_clicked", "email_delivered", "email_opened"]),
    automated=st.sampled_from([None, None, None, Automation.ROBOT]),
)


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(clicks, min_size=1, max_size=8), st.integers(0, 2**32))
def test_requests_in_any_order_make_the_history_and_score_of_one_request(
    told: list[Click], seed: int
) -> None:
    chance = Random(seed)
    events = [event_of(nth, click) for nth, click in enumerate(told)]
    expected = lead_of(events)
    for _ in range(5):
        again = chance.sample(
            [*events, *events[: chance.randrange(len(events) + 1)]], k=len(events)
        )
        order = [*chance.sample(events, len(events)), *again]
        cuts = sorted(chance.randrange(len(order)) for _ in range(chance.randrange(len(order))))
        parts = [order[i:j] for i, j in zip([0, *cuts], [*cuts, len(order)], strict=True) if i < j]
        lead = lead_of(*parts)
        assert lead.trails == expected.trails
        assert (
            evaluation_of(lead, CLICKING, NOW).score == evaluation_of(expected, CLICKING, NOW).score
        )


def test_seven_links_in_seven_requests_are_a_burst_in_every_order() -> None:
    events = [event_of(nth, Click(nth / 4, f"link-{nth}")) for nth in range(7)]
    orders = [*permutations(events)][::499]
    assert {str(counts_of(lead_of(*([each] for each in order)))) for order in orders} == {
        str({"burst_request": 7})
    }


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(clicks, min_size=1, max_size=8))
def test_the_verdict_is_the_same_before_and_after_folding(told: list[Click]) -> None:
    events = kept_of(told)
    history = record(History(), events)
    seen = judged(history.recent, MachinePolicy())
    assert tally([history]) == brute_tally(list(seen.values()))
    last_ms = max(event.received_ms for event in events)
    still = fold(history, last_ms + EXACT_DAYS * DAY_MS + APART_MS)
    final = fold(history, last_ms + EXACT_DAYS * DAY_MS + APART_MS + 60_000)
    assert {event.key for event in final.recent.values()} == set()
    assert tally([final]) == tally([still]) == tally([history])


def test_events_of_one_moment_are_folded_together() -> None:
    events = kept_of([delivery(0, received_days=2), Click(1, "a"), Click(600, "a")])
    history = record(History(), events)
    of_click = events[1].received_ms + EXACT_DAYS * DAY_MS + APART_MS + 1
    part = fold(history, of_click + DAY_MS)
    assert set(part.recent.values()) == set(events[:2])
    whole = fold(part, of_click + 3 * DAY_MS)
    assert whole.name_days.keys() == {"email_delivered", "scan_request", "email_clicked"}
    assert whole.last_day.keys() == whole.name_days.keys()


def test_what_was_known_then_is_judged_by_what_was_known_then() -> None:
    events = kept_of([Click(1, "a"), delivery(0, received_days=1)])
    history = record(History(), events)
    then = tally([history], known_at_ms=events[0].received_ms)
    assert then.names.keys() == {"email_clicked"}
    now = tally([history], known_at_ms=events[1].received_ms)
    assert now.names.keys() == {"email_delivered", "scan_request"}


def test_an_event_that_an_earlier_release_kept_counts_once() -> None:
    (marked,) = kept_of([Click(0, "a")])
    before = record(History(), [marked._replace(mark="")])
    assert record(before, [marked]) == before
    many = [*kept_of([Click(60 * nth, "a") for nth in range(1, 19)]), marked]
    assert record(before, many).find(marked.key) == marked._replace(mark="")


# --- cost ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_cost_of_a_verdict_grows_with_the_number_of_events_alone() -> None:
    def seconds_for(count: int) -> float:
        clicks = [Click(1_000 * nth, str(nth), f"mail-{nth % 50}") for nth in range(count)]
        history = record(History(), kept_of(clicks))
        assert history.count == count
        with measured() as spent:
            for _ in range(5):
                tally([history])
        return spent.seconds

    assert seconds_for(4_000) < 10 * seconds_for(1_000)
