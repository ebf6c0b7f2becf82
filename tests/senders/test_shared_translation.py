"""What all senders share: fields, times, traits, attribution."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import MAX_NOTES
from warmlead.domain.identity import normalise_email
from warmlead.parsing.times import occurred_at, parse_time
from warmlead.senders.attribution import path_of
from warmlead.senders.countries import country_code
from warmlead.senders.person import (
    Notes,
    as_traits,
    company_traits,
    email_of,
    event_id,
    event_name,
    field_name,
    flatten,
    person_id,
    standard_name,
    trait_value,
)

MOMENT = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)


def untold(field: str, what: str) -> None:
    raise AssertionError((field, what))


def reason_of(function: Callable[..., object], *arguments: object) -> Reason:
    with pytest.raises(RejectedError) as refusal:
        function(*arguments)
    return refusal.value.reason


# --- fields ---


def test_nested_fields_become_flat_ones() -> None:
    assert flatten(
        {
            "firstName": "Ada",
            "Company": {"Name": "A", "address": {"zip code": 5}},
            "tags": ["a", 1, None],
            "items": [{"sku": "x"}],
            "none": None,
            "empty": {},
        },
        untold,
    ) == {
        "first_name": "Ada",
        "company_name": "A",
        "company_address_zip_code": 5,
        "tags": ["a", 1, None],
        "items": '[{"sku":"x"}]',
        "none": None,
    }


def test_the_first_of_two_equal_field_names_is_kept() -> None:
    notes = Notes()

    assert flatten({"firstName": 1, "first-name": 2}, notes.tell) == {"first_name": 1}
    assert notes.told == ("first_name: another field of this name was left out",)
    assert flatten({"firstName": "", "first-name": 2}, untold) == {"first_name": 2}
    assert flatten({"firstName": 1, "first-name": 1}, untold) == {"first_name": 1}
    assert flatten({"a": {"b": 1}, "a_b": 2}, notes.tell) == {"a_b": 2}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1.3", "field_1_3"),
        ("2", "field_2"),
        ("__proto__", "proto"),
        ("What is your budget (in €) for this whole year and perhaps the next one?" * 2, None),
        ("ご要望", "field_e55c783c"),
        ("名前", "name"),
        ("", "field_"),
    ],
)
def test_field_names_are_usable_in_conditions(text: str, name: str) -> None:
    found = field_name(text)

    assert found.startswith(name or "what_is_your_budget")
    assert found == found.lower()
    assert found[0].isalpha()
    assert len(found) <= 64


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        ({f"f{i}": i for i in range(101)}, {f"f{i}": i for i in range(100)}),
        ({"a": "x" * 8193}, {"a": "x" * 8192}),
        ({"a": "ë" * 4097}, {"a": "ë" * 4096}),
        ({"a": "x" + "日" * 2731}, {"a": "x" + "日" * 2730}),
        ({"a": "🚀" * 2049}, {"a": "🚀" * 2048}),
        ({"a": ["x" * 5000, "x" * 5000, "y"]}, {"a": ["x" * 5000]}),
        ({"a": ["x" * 9000, "y"]}, {"a": ["x" * 8192]}),
        ({"a": [1] * 101}, {"a": [1] * 100}),
        ({"a": [{"b": "x" * 9000}]}, {"a": '[{"b":"' + "x" * (8192 - 7)}),
    ],
)
def test_values_that_are_too_long_are_cut_and_noted(
    payload: dict[str, object], kept: dict[str, object]
) -> None:
    notes = Notes()

    assert flatten(payload, notes.tell) == kept
    assert len(notes.told) == 1


def test_too_many_fields_are_reduced_to_the_known_ones_in_order() -> None:
    payload = {f"f{i}": i for i in range(150)}

    flat = flatten(payload, Notes().tell, matters=lambda name: name in ("f120", "f149"))

    assert list(flat) == [*(f"f{i}" for i in range(98)), "f120", "f149"]


json_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), json_values))
def test_every_omission_is_noted(payload: dict[str, object]) -> None:
    notes = Notes()

    flat = flatten(payload, notes.tell)

    leaves = [value for value in values_in(payload) if value not in ("", None, [])]
    lost = [value for value in leaves if value not in flat.values()]
    assert not [value for value in lost if not isinstance(value, list)] or notes.told


def values_in(group: dict[str, object]) -> list[object]:
    return [
        found
        for value in group.values()
        for found in (values_in(value) if isinstance(value, dict) else [value])
    ]


def test_eight_kilobytes_of_text_are_kept() -> None:
    for text in ("x" * 8192, "ë" * 4096, "日" * 2730):
        assert flatten({"a": text}, untold) == {"a": text}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (" u-1 ", "u-1"),
        (4711, "4711"),
        (None, None),
        ("", None),
        ("null", None),
        ("Anonymous", None),
        ("[object Object]", None),
        ("none@none.none", None),
        ("NULL@null.com", None),
        ("undefined@example.com", None),
        ("none@example.com", "none@example.com"),
    ],
)
def test_ids_of_people(value: object, found: str | None) -> None:
    assert person_id(value, "userId") == found


@pytest.mark.parametrize("value", [True, 1.5, {}, ["a"], "x" * 201, "a\0b", "a\nb"])
def test_values_that_are_no_ids_are_ignored(value: object) -> None:
    assert reason_of(person_id, value, "userId") is Reason.IDENTITY_INVALID


def test_an_address_with_blanks_can_be_a_browser_id_but_not_a_user_id() -> None:
    damaged = "a b c@example.com"
    with pytest.raises(RejectedError, match="%2B"):
        person_id(damaged, "userId", is_user=True)
    assert person_id(damaged, "anonymousId") == damaged
    assert person_id("test 1@example.com", "userId", is_user=True) == "test+1@example.com"
    assert person_id("ada%40example.com", "userId", is_user=True) == "ada@example.com"


def test_ids_of_events() -> None:
    assert event_id("m-1", "messageId") == "m-1"
    assert event_id(5, "messageId") == "5"
    assert event_id("", "messageId") is None
    long = event_id("x" * 500, "messageId")
    assert long
    assert long == event_id("x" * 500, "messageId") != event_id("x" * 501, "messageId")
    assert len(long) <= 200
    values: list[object] = [True, 1.5, {}, "a\0"]
    for value in values:
        assert reason_of(event_id, value, "messageId") is Reason.EVENT_ID_INVALID


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Demo Requested", "demo_requested"),
        ("order-completed", "order_completed"),
        ("2nd visit", "event_2nd_visit"),
        ("デモ", "event_e3cc7eb0"),
        ("x" * 100, "x" * 64),
    ],
)
def test_event_names(text: str, name: str) -> None:
    assert event_name(text) == name


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_every_text_is_some_event(text: str) -> None:
    name = event_name(text)

    assert 1 <= len(name) <= 64
    assert name[0].isalpha()
    assert name.isascii()


# --- addresses ---


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("Ada <ada@example.com>", "ada@example.com"),
        ('"Lovelace, Ada" <ada@example.com>', "ada@example.com"),
        ("a <b@c> <ada@example.com>", "ada@example.com"),
        ("mailto:ada+x@example.com?cc=bob@example.com", "ada+x@example.com"),
        (["ada@", " Ada@Example.com "], "ada@example.com"),
        ("o&#039;brien@example.com", "o'brien@example.com"),
        ("r&amp;d@example.com", "r&d@example.com"),
        ("ma&#8203;x@example.com", "max@example.com"),
        ("&quot;Ada&quot; &lt;ada@example.com&gt;", "ada@example.com"),
        ("ada@example.com&nbsp;", "ada@example.com"),
        ("o\\'brien@example.com", "o'brien@example.com"),
        ("http://ada@example.com", "ada@example.com"),
        ("mailto://ada@example.com", "ada@example.com"),
        ("Ada ada@example.com", None),
        ("ada@example.com\r\nBcc: bob@example.com", None),
        ("ada@example.com bob@example.com", None),
        ("<>", None),
        ("mailto:", None),
        ("x" * 900 + "@example.com", None),
        (" " * 8_000 + "ada@example.com", "ada@example.com"),
        ([["ada@example.com"]], None),
        (5, None),
        (None, None),
    ],
)
def test_addresses_without_what_is_written_around_them(value: object, found: str | None) -> None:
    assert email_of(value) == found


@given(st.text(alphabet="<>@,;:\"' ad.mailto%40=", max_size=60))
def test_any_text_is_an_address_or_none(text: str) -> None:
    found = email_of(text)

    assert found is None or normalise_email(found) == found


# --- times ---


@pytest.mark.parametrize(
    "value",
    [
        *("2026-03-02T10:00:05Z", "2026-03-02T10:00:05.000Z", "2026-03-02T10:00:05.000000+00:00"),
        *("2026-03-02T11:00:05+01:00", "2026-03-02 10:00:05", "2026-3-2T10:00:05.000Z"),
        *("20260302T100005Z", "2026-03-02T10:00:05,000000000Z", " 2026-03-02T05:00:05-0500 "),
        *(1772445605, 1772445605.0, 1772445605000, "1772445605", "1772445605000"),
        *(1772445605000000, 1772445605000000000, "1772445605000000", "1772445605000000000"),
        *("2026/03/02 10:00:05", "2026.3.2 10:00:05", "2026-03-02 10:00:05 UTC"),
        *("02.03.2026 10:00:05", "2.3.2026, 10:00:05 Uhr", "02.03.2026 10:00:05"),
        *("Mon, 02 Mar 2026 11:00:05 +0100", "2 Mar 2026 05:00:05 EST", "02-Mar-2026 10:00:05"),
        *("Mon, 02 Mar 2026 10:00:05 GMT", "Mon Mar 02 2026 10:00:05 GMT+0000"),
        "Mon Mar 02 2026 11:00:05 GMT+0100 (Central European Standard Time)",
        *("March 2nd, 2026 at 10:00:05 am", "Mar 2, 2026, 10:00:05\u202fAM"),
        "Monday, March 2, 2026 10:00:05 AM",
    ],
)
def test_times_in_all_their_forms(value: object) -> None:
    assert parse_time(value, "timestamp") == MOMENT


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        ("11/26/2026 7:21 pm", "2026-11-26T19:21"),
        ("26/11/2026 19:21", "2026-11-26T19:21"),
        ("26-11-2026", "2026-11-26T00:00"),
        ("26.11.2026 19:21", "2026-11-26T19:21"),
        ("03.04.2026", "2026-04-03T00:00"),
        ("03/03/2026", "2026-03-03T00:00"),
        ("2026/11/26", "2026-11-26T00:00"),
        ("20261126T192100Z", "2026-11-26T19:21"),
        ("11/26/2026 12:00 am", "2026-11-26T00:00"),
        ("11/26/2026 12:30 p.m.", "2026-11-26T12:30"),
    ],
)
def test_dates_that_can_only_mean_one_day(value: str, iso: str) -> None:
    assert parse_time(value, "timestamp") == datetime.fromisoformat(iso).replace(tzinfo=UTC)


@pytest.mark.parametrize("value", ["03/04/2026", "3-4-2026 10:00", "12/11/2026 7:21 pm"])
def test_a_day_that_may_be_the_month_is_not_guessed(value: str) -> None:
    assert reason_of(parse_time, value, "timestamp") is Reason.TIME_INVALID


@given(st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001  # naive is meant
def test_a_time_written_by_a_browser_or_a_mail_reads_back(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    for form in ("%a, %d %b %Y %H:%M:%S +0000", "%a %b %d %Y %H:%M:%S GMT+0000 (UTC)"):
        assert parse_time(whole.strftime(form), "timestamp") == whole.replace(tzinfo=UTC)
    assert parse_time(f"{whole:%d.%m.%Y %I:%M:%S %p}", "timestamp") == whole.replace(tzinfo=UTC)


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_time_is_none(value: object) -> None:
    assert parse_time(value, "timestamp") is None


@pytest.mark.parametrize(
    "value",
    [
        *("yesterday", "2026-13-01", "2026-02-30T00:00:00Z", "10:00", "2026-03-02T25:00Z", "12"),
        *("20260302100005", "26.13.2026", "31/02/2026", "2 Mrz 2026", "2 Mar 2026 10:00 XYZ"),
        *("11/26/2026 13:00 pm", "26.11.26", "1" * 101, " " * 9000 + "x", "1:" * 5000),
        *(True, [], {}, 10**30, -(10**30), 1e300, "9" * 400, "0001-01-01T00:00:00+23:59"),
    ],
)
def test_a_value_that_is_not_a_time_is_refused(value: object) -> None:
    assert reason_of(parse_time, value, "timestamp") is Reason.TIME_INVALID


@given(st.text() | st.integers() | st.floats(allow_nan=False))
def test_any_time_is_understood_or_refused(value: object) -> None:
    try:
        found = parse_time(value, "timestamp")
    except RejectedError:
        return
    assert found is None or found.tzinfo is UTC


def test_times_count_within_limits() -> None:
    assert occurred_at(None, MOMENT, "timestamp") == MOMENT
    assert occurred_at(MOMENT.replace(year=2030), MOMENT, "timestamp") == MOMENT
    past = MOMENT.replace(year=2020)
    assert reason_of(occurred_at, past, MOMENT, "timestamp") is Reason.TIME_OUT_OF_RANGE


# --- traits ---


@pytest.mark.parametrize(
    ("field", "trait"),
    [
        *((name, "email") for name in ("email", "e_mail", "your_email", "work_email", "q4_email")),
        *((name, "email") for name in ("contact_email", "data_merges_email", "fields_email")),
        *((name, "first_name") for name in ("first_name", "fname", "firstname", "your_fname")),
        *((name, "company") for name in ("company", "company_name", "organisation")),
        *((name, "title") for name in ("title", "job_title", "jobtitle")),
        *((name, "employees") for name in ("company_size", "num_employees", "company_employees")),
        *((name, "country") for name in ("country", "address_country")),
        *((name, None) for name in ("friend_email", "form_name", "user_id", "message", "data")),
    ],
)
def test_common_names_of_traits(field: str, trait: str | None) -> None:
    assert standard_name(field) == trait


def test_a_standard_name_wins_over_another_spelling() -> None:
    assert as_traits({"job_title": "a", "title": "b", "custom": 1, "phone": ""}) == {
        "title": "b",
        "custom": 1,
    }


def test_a_group_call_keeps_what_describes_the_company() -> None:
    assert company_traits(
        {"name": "A", "employees": 5, "plan": "x", "email": "info@a.example"}
    ) == {
        "company": "A",
        "employees": 5,
        "company_plan": "x",
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("US", "US"), ("us", "US"), ("United States", "US"), ("usa", "US"), ("UK", "GB")),
        *(("Deutschland", "DE"), ("germany", "DE"), ("Türkiye", "TR"), ("??", None), ("", None)),
    ],
)
def test_countries_are_codes(text: str, code: str | None) -> None:
    assert country_code(text) == code


# --- paths ---


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://shop.example/a/b?c#d", "/a/b"),
        ("https://shop.example", "/"),
        ("https://shop.example?x", "/"),
        ("nonsense", "/"),
    ],
)
def test_the_path_of_a_url(url: str, path: str) -> None:
    assert path_of(url) == path


def test_event_names_that_differ_after_200_characters_are_the_same() -> None:
    beginning = "!" * 190 + "Demo"

    assert event_name(beginning + "é" * 100) == event_name(beginning + "é" * 200) == "demoeeeeee"


def test_a_ticked_box_that_sends_its_own_label_says_yes() -> None:
    assert trait_value("consent", "Einwilligung") is True
    assert trait_value("consent", "Marketing consent *") is True
    assert trait_value("consent", "newsletter-march") == "newsletter-march"


def test_a_users_role_in_an_application_is_not_their_job() -> None:
    assert as_traits({"role": "owner"}) == {"role": "owner"}
    assert standard_name("Role") == "title"


def test_the_notes_that_are_not_kept_are_counted_up_to_a_limit() -> None:
    few, many = Notes(), Notes()
    for notes, number in ((few, 30), (many, 5_000)):
        for each in range(number):
            notes.tell(f"field{each}", "was cut")

    assert few.told[-1] == f"and {30 - MAX_NOTES + 1} more"
    assert many.told[-1] == "and at least 500 more"
    assert len(many.told) == MAX_NOTES
