"""Which acts cause an alert, which its rest keeps back, and what is kept of it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.domain.worlds import Holds
from warmlead.domain.alerts import (
    MAX_RECORDS,
    Act,
    AlertPolicy,
    AlertRecord,
    AlertsRaised,
    News,
    merge_alerted,
    raise_alerts,
)
from warmlead.domain.history import to_ms
from warmlead.domain.packed_history import KeptEvent

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ASKED = AlertPolicy("asked", frozenset({"demo", "quote"}), frozenset({"mql", "sql"}), HOUR)


def did(signal: str, at: datetime, key: str = "", name: str = "") -> KeptEvent:
    at_ms = to_ms(at)
    signals = (signal,) if signal else ()
    return KeptEvent(at_ms, key or f"{signal}{at_ms}", at_ms, name or f"{signal}_done", signals)


def raised(
    *events: KeptEvent,
    policy: AlertPolicy = ASKED,
    stage: str = "mql",
    record: AlertRecord | None = None,
    earlier: Iterable[KeptEvent] = (),
    now: datetime = NOON,
    offered: bool = False,
) -> AlertsRaised:
    kept = [*earlier, *events]

    def received_after(moment: datetime) -> Iterable[KeptEvent]:
        return [event for event in kept if event.received_ms > to_ms(moment)]

    news = News(events, received_after, {"mail_delivered"}, {"page_viewed"})
    records = {policy.name: record} if record else {}
    return raise_alerts([policy], records, {"stage": stage}, news, now, offered=offered)


@pytest.mark.parametrize(
    ("stage", "signal", "causes"),
    [
        ("mql", "demo", True),
        ("sql", "quote", True),
        ("mql", "page", False),
        ("lead", "demo", False),
        ("customer", "demo", False),
    ],
)
def test_an_alert_is_for_its_signals_in_its_stages(stage: str, signal: str, causes: bool) -> None:
    found = raised(did(signal, NOON), stage=stage)
    assert bool(found.alerts) is causes
    assert found.records == ({"asked": AlertRecord(1, NOON)} if causes else {})


@pytest.mark.parametrize(
    ("minutes_ago", "count"), [(0, None), (59, None), (60, 4), (61, 4), (6_000, 4)]
)
def test_an_alert_rests_for_again_after(minutes_ago: int, count: int | None) -> None:
    record = AlertRecord(3, NOON - minutes_ago * MINUTE)
    found = raised(did("demo", NOON), record=record)
    assert [alert.count for alert in found.alerts] == ([] if count is None else [count])
    assert found.records["asked"] == (record if count is None else AlertRecord(4, NOON))


def test_an_alert_tells_what_was_done_since_the_one_before() -> None:
    told, rested, now = (did("demo", NOON - minutes * MINUTE) for minutes in (120, 70, 0))
    page = did("page", NOON - 5 * MINUTE)
    quote = did("quote", NOON - 10 * MINUTE)
    record = AlertRecord(1, NOON - 120 * MINUTE)
    (alert,) = raised(now, record=record, earlier=[told, rested, page, quote]).alerts
    assert alert.acts == (Act("demo", NOON, 2), Act("quote", NOON - 10 * MINUTE, 1))


def test_an_offer_because_of_the_same_act_replaces_the_alert_and_begins_its_rest() -> None:
    assert raised(did("demo", NOON), offered=True) == AlertsRaised(
        (), {"asked": AlertRecord(0, NOON)}
    )
    record = AlertRecord(2, NOON - 10 * HOUR)
    found = raised(did("demo", NOON), record=record, offered=True)
    assert found == AlertsRaised((), {"asked": AlertRecord(2, NOON)})
    assert raised(did("page", NOON), offered=True) == AlertsRaised((), {})


def test_a_condition_is_asked_of_the_lead_after_the_act() -> None:
    policy = AlertPolicy(
        "hot", frozenset({"page"}), frozenset({"mql"}), HOUR, Holds(lambda f: f["stage"] == "mql")
    )
    assert raised(did("page", NOON), policy=policy).alerts
    never = AlertPolicy("hot", policy.on, policy.stages, HOUR, Holds(lambda _: False))
    assert raised(did("page", NOON), policy=never) == AlertsRaised((), {})


def test_without_signals_whatever_the_lead_does_is_an_act() -> None:
    policy = AlertPolicy("any", frozenset(), frozenset({"mql"}), HOUR, Holds(lambda _: True))
    (alert,) = raised(did("", NOON, name="page_viewed"), policy=policy).alerts
    assert alert.acts == (Act("page_viewed", NOON, 1),)
    (alert,) = raised(did("", NOON, name="ada_lovelace"), policy=policy).alerts
    assert alert.acts == (Act("other", NOON, 1),)
    assert not raised(did("", NOON, name="mail_delivered"), policy=policy).alerts
    assert not raised(policy=policy).alerts


names = st.sampled_from(["a", "b", "c"])
record_of_hours = st.builds(
    lambda count, hours: AlertRecord(count, NOON + hours * HOUR),
    st.integers(0, 5),
    st.integers(0, 5),
)
parts = st.lists(st.dictionaries(names, record_of_hours), max_size=4)


@given(parts)
def test_records_merge_in_any_order_and_never_count_back(
    several: list[Mapping[str, AlertRecord]],
) -> None:
    merged = merge_alerted(several)
    assert merged == merge_alerted(several[::-1]) == merge_alerted([merged, *several])
    for part in several:
        for name, record in part.items():
            assert merged[name].count >= record.count
            assert merged[name].at >= record.at


def test_a_lead_keeps_a_limited_number_of_records_those_of_the_model_first() -> None:
    old = {f"old-{i:03}": AlertRecord(1, NOON - i * HOUR) for i in range(MAX_RECORDS)}
    news = News([did("demo", NOON)], lambda _: ())
    found = raise_alerts([ASKED], old, {"stage": "mql"}, news, NOON, offered=False)
    assert len(found.records) == MAX_RECORDS
    assert found.records["asked"] == AlertRecord(1, NOON)
    assert "old-099" not in found.records
