import base64
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event, Trust
from warmlead.ports import RawRequest
from warmlead.sources.segment import SegmentSource
from warmlead.web.answer import Answer

NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)
SEGMENT = SegmentSource({"pub": Trust.PUBLIC, "server": Trust.SIGNED})
FAILURE = Answer(401, b"{}", headers={"Retry-After": "1"}, facts={"reason": "unauthorized"})


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def request_of(
    path: str = "/v1/batch",
    body: object = b"",
    *,
    method: str = "POST",
    query: str = "",
    key: str | None = "pub",
    **headers: str,
) -> RawRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    if key:
        headers["authorization"] = basic(key)
    return RawRequest(method, path, query, headers, raw, NOW, "req")


def track(**fields: object) -> dict[str, object]:
    return {"type": "track", "event": "A", "userId": "u", **fields}


def only_event(path: str, body: object, *, key: str = "pub") -> Event:
    request = request_of(path, body, key=key)
    ((_, event),) = SEGMENT.translate(request, SEGMENT.verify(request)).events
    return event


def refusals(*items: object) -> list[tuple[int, Reason]]:
    translation = SEGMENT.translate(request_of(body={"batch": items}), Trust.PUBLIC)
    assert len(translation.events) + len(translation.refused) == len(items) == translation.items
    return [(one.index, one.error.reason) for one in translation.refused]


# --- who may send ---


@pytest.mark.parametrize(
    "request_",
    [
        request_of(body={"batch": []}),
        request_of(body={"batch": []}, key=None, query="writeKey=pub"),
        request_of(body={"batch": []}, key=None, **{"x-write-key": "pub"}),
        request_of(body={"batch": [], "writeKey": "pub"}, key=None),
        request_of(body={"batch": [], "writeKey": "pub"}, key=None, authorization="Bearer x"),
        request_of("/v1/pixel/track", method="GET", key=None, query="writeKey=pub"),
    ],
)
def test_a_write_key_is_found_wherever_clients_put_it(request_: RawRequest) -> None:
    SEGMENT.verify(request_)


@pytest.mark.parametrize(
    "request_",
    [
        request_of(body={"batch": []}, key=None),
        request_of(body={"batch": []}, key="other"),
        request_of(body={"batch": []}, key="pub "),
        request_of(body={"batch": [], "writeKey": "pub"}, key="other"),
        request_of(body={"batch": [], "writeKey": ["pub"]}, key=None),
        request_of(body={"batch": [{"writeKey": "pub"}]}, key=None),
        request_of(body={"batch": []}, key=None, authorization="Basic %%%"),
        request_of(body={"batch": []}, key=None, authorization=basic("").rstrip("=")),
        request_of("/v1/pixel/track", method="GET", key=None),
    ],
)
def test_without_a_known_key_nobody_gets_in(request_: RawRequest) -> None:
    with pytest.raises(RejectedError) as refusal:
        SEGMENT.verify(request_)

    assert refusal.value.reason is Reason.UNAUTHORIZED


def test_without_any_keys_nobody_gets_in() -> None:
    with pytest.raises(RejectedError, match="unauthorized"):
        SegmentSource({}).verify(request_of(body={"batch": []}, key=""))


def test_events_have_the_trust_of_their_key() -> None:
    assert only_event("/v1/track", track(), key="server").trust is Trust.SIGNED
    assert only_event("/v1/track", track(), key="pub").trust is Trust.PUBLIC


# --- paths ---


@pytest.mark.parametrize("prefix", ["/v1", ""])
@pytest.mark.parametrize("suffix", ["", "/"])
@pytest.mark.parametrize(
    ("name", "event"),
    [
        *(("track", "a"), ("t", "a"), ("identify", "identified"), ("i", "identified")),
        *(("page", "page_viewed"), ("p", "page_viewed"), ("screen", "screen_viewed")),
        *(("s", "screen_viewed"), ("group", "grouped"), ("g", "grouped")),
        *(("alias", "aliased"), ("a", "aliased")),
    ],
)
def test_single_calls_by_their_long_and_short_paths(
    prefix: str, suffix: str, name: str, event: str
) -> None:
    call = {"event": "A", "userId": "u", "previousId": "p"}

    assert only_event(f"{prefix}/{name}{suffix}", call).name == event


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/b", "/beacon/v1/batch"])
def test_batches_by_their_paths(path: str) -> None:
    assert only_event(path, {"batch": [track()]}).name == "a"


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/nothing", "/v2/track", "/v1/pixel/batch", "/v1/T"]
)
def test_unknown_paths(path: str) -> None:
    with pytest.raises(RejectedError) as refusal:
        SEGMENT.verify(request_of(path))

    assert refusal.value.reason is Reason.NOT_FOUND


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/track"), ("PUT", "/v1/b"), ("POST", "/v1/pixel/page")]
)
def test_wrong_methods(method: str, path: str) -> None:
    with pytest.raises(RejectedError) as refusal:
        SEGMENT.verify(request_of(path, method=method))

    assert refusal.value.reason is Reason.METHOD_NOT_ALLOWED


# --- bodies ---


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.BODY_EMPTY),
        (b"{", Reason.JSON_INVALID),
        (b"[]", Reason.EVENT_INVALID),
        (b"{}", Reason.EVENT_INVALID),
        (b'{"batch": {}}', Reason.EVENT_INVALID),
        (b'{"batch": [], "batch": []}', Reason.JSON_DUPLICATE_KEY),
        (b'{"batch": [], "sentAt": NaN}', Reason.JSON_NOT_A_NUMBER),
        (b'{"batch": [' + b"1," * 2500 + b"1]}", Reason.TOO_MANY_EVENTS),
    ],
)
def test_what_cannot_be_told_apart_is_refused_whole(body: bytes, reason: Reason) -> None:
    with pytest.raises(RejectedError) as refusal:
        SEGMENT.translate(request_of(body=body), Trust.PUBLIC)

    assert refusal.value.reason is reason


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (None, Reason.EVENT_INVALID),
        ([], Reason.EVENT_INVALID),
        ({}, Reason.EVENT_TYPE_UNKNOWN),
        (track(type="Track"), Reason.EVENT_TYPE_UNKNOWN),
        (track(type=["track"]), Reason.EVENT_TYPE_UNKNOWN),
        (track(type="delete"), Reason.EVENT_TYPE_UNKNOWN),
        (track(event=None), Reason.EVENT_NAME_MISSING),
        (track(event=5), Reason.EVENT_NAME_INVALID),
        (track(event="  "), Reason.EVENT_NAME_INVALID),
        (track(userId=None), Reason.IDENTITY_MISSING),
        (track(userId="null"), Reason.IDENTITY_MISSING),
        (track(userId={"id": 1}), Reason.IDENTITY_INVALID),
        (track(anonymousId="a\0b"), Reason.IDENTITY_INVALID),
        (track(userId="x" * 201), Reason.IDENTITY_INVALID),
        (track(messageId={}), Reason.EVENT_ID_INVALID),
        (track(timestamp="soon"), Reason.TIME_INVALID),
        (track(timestamp="2012-12-02T00:30:08Z"), Reason.TIME_OUT_OF_RANGE),
        (track(properties=[]), Reason.FIELD_INVALID),
        (track(context="x"), Reason.FIELD_INVALID),
        (track(properties={f"p{i}": i for i in range(101)}), Reason.TOO_MANY_FIELDS),
        (track(properties={"a": "x" * 9000}), Reason.FIELD_INVALID),
        (track(properties={f"p{i}": "x" * 8000 for i in range(5)}), Reason.EVENT_TOO_LARGE),
        (track(properties={"a": float("nan")}), Reason.JSON_NOT_A_NUMBER),
        (track(properties={"a": 2**64}), Reason.JSON_INTEGER_TOO_LARGE),
        (track(properties={"a": "\ud800"}), Reason.JSON_SURROGATE),
        ({"type": "alias", "userId": "u"}, Reason.IDENTITY_MISSING),
        ({"type": "identify", "traits": {"email": "nobody"}}, Reason.EMAIL_INVALID),
    ],
)
def test_a_bad_event_costs_no_neighbour(item: object, reason: Reason) -> None:
    assert refusals(track(), item, track()) == [(1, reason)]


def test_a_refused_event_is_set_aside_without_its_key() -> None:
    body = {"batch": [track(event=5, writeKey="pub", n=1)]}

    (one,) = SEGMENT.translate(request_of(body=body), Trust.PUBLIC).refused

    assert json.loads(one.raw) == track(event=5, n=1)


def test_an_event_of_32_kilobytes_is_taken_even_if_escapes_made_it_larger() -> None:
    call = track(properties={f"p{i}": "ë" * 1900 for i in range(8)})
    body = json.dumps({"batch": [call]}).encode()
    assert len(body) > 64 * 1024

    assert SEGMENT.translate(request_of(body=body), Trust.PUBLIC).events


# --- what calls mean ---


def test_a_user_id_that_is_an_address_is_one() -> None:
    event = only_event("/v1/track", track(userId="Ada@Example.com"))

    assert (event.email, event.user_id) == ("ada@example.com", "Ada@Example.com")


def test_a_faulty_address_does_not_cost_an_event_that_has_another_id() -> None:
    event = only_event("/v1/identify", {"userId": "u", "traits": {"email": "nobody", "plan": "x"}})

    assert event.email is None
    assert event.traits == {"plan": "x"}


def test_an_address_in_the_properties_may_be_somebody_elses() -> None:
    event = only_event("/v1/track", track(properties={"email": "friend@example.com"}))

    assert event.email is None


def test_placeholders_are_nobody() -> None:
    event = only_event("/v1/track", track(userId="undefined", anonymousId="b-1"))

    assert (event.user_id, event.anonymous_id) == (None, "b-1")


def test_a_missing_message_id_is_made_of_the_request_and_the_position() -> None:
    events = SEGMENT.translate(request_of(body={"batch": [track(), track()]}), Trust.PUBLIC).events

    assert [event.id for _, event in events] == ["req-0", "req-1"]


SKEWS = [
    # sentAt, timestamp, when it counts: all around 10:00:05 of our clock
    ("10:00:04", "09:59:00", "09:59:00"),  # a good clock is believed
    ("09:00:04", "08:59:04", "09:59:05"),  # an hour slow: a minute before we received it
    ("11:00:05", "11:00:00", "10:00:00"),  # an hour fast
    ("09:00:00", "09:30:00", "09:30:00"),  # sent before it happened: no use
    ("nonsense", "09:59:00", "09:59:00"),
]


@pytest.mark.parametrize(("sent", "stamp", "counts"), SKEWS)
@pytest.mark.parametrize("name", ["timestamp", "originalTimestamp"])
def test_a_wrong_clock_is_corrected_by_the_time_of_sending(
    sent: str, stamp: str, counts: str, name: str
) -> None:
    day = "2026-03-02T"
    call = track(**{name: f"{day}{stamp}Z"}, sentAt=f"{day}{sent}Z")

    assert only_event("/v1/track", call).occurred_at.isoformat() == f"{day}{counts}+00:00"


def test_an_import_of_old_events_keeps_their_times() -> None:
    old = (NOW - timedelta(days=400)).isoformat()

    assert only_event("/v1/track", track(timestamp=old, sentAt=NOW.isoformat())).occurred_at == (
        NOW - timedelta(days=400)
    )


def test_a_page_gets_what_the_context_knows_but_its_own_properties_win() -> None:
    page = {"url": "https://shop.example/a?x", "title": "From context", "tab": 1}
    call = {
        "anonymousId": "b",
        "properties": {"title": "Own"},
        "name": "Named",
        "context": {"page": page},
    }

    assert only_event("/v1/page", call).properties == {
        "title": "Own",
        "url": "https://shop.example/a?x",
        "path": "/a",
    }


# --- answers ---


def test_success_is_exactly_200() -> None:
    answer = SEGMENT.answer(request_of(), [])

    assert (answer.status, answer.body) == (200, b'{"success": true}')


def test_refused_events_are_named_by_their_position() -> None:
    request = request_of(body={"batch": [track(), {}]})

    answer = SEGMENT.answer(request, SEGMENT.translate(request, Trust.PUBLIC).refused)

    told = json.loads(answer.body)
    assert answer.status == 200
    assert told["success"] is True
    assert [(one["index"], one["code"]) for one in told["refused"]] == [(1, "event_type_unknown")]


def test_a_pixel_is_an_image_whatever_happened() -> None:
    request = request_of("/v1/pixel/track", method="GET", query="data=%%%", key=None)

    for answer in (SEGMENT.answer(request, []), SEGMENT.answer_failure(request, FAILURE)):
        assert (answer.status, answer.content_type) == (200, "image/gif")
        assert answer.body.startswith(b"GIF89a")


@pytest.mark.parametrize("path", ["/v1/track", "/nothing"])
def test_other_failures_stay_as_they_are(path: str) -> None:
    assert SEGMENT.answer_failure(request_of(path), FAILURE) is FAILURE


@pytest.mark.parametrize(
    "query",
    [
        *("data=e30", "data=%7B", "data=bm90IGpzb24", "data=W10", "data=", "a.b=1&a=2&a.b.c=3"),
        *("&".join(f"a{i}=1" for i in range(200)), "." * 100 + "=1", "userId.x=1&event=A"),
    ],
)
def test_a_broken_pixel_is_refused(query: str) -> None:
    request = request_of("/v1/pixel/track", method="GET", query=query)

    try:
        translation = SEGMENT.translate(request, Trust.PUBLIC)
    except RejectedError:
        return
    assert translation.events == []
    assert translation.refused


# --- speed ---


def test_a_batch_of_a_hundred_events_is_translated_in_milliseconds() -> None:
    page = {"url": "https://shop.example/a?utm_source=x&gclid=y", "title": "T", "path": "/a"}
    call = track(
        properties={**page, "value": 1.5, "tags": ["a", "b"]},
        context={"page": page, "userAgent": "M" * 120, "campaign": {"source": "x"}},
        timestamp="2026-03-02T10:00:00.457Z",
        anonymousId="b-1",
    )
    request = request_of(body={"batch": [{**call, "messageId": f"m{i}"} for i in range(100)]})

    fastest_s = min(_seconds_to_translate(request) for _ in range(5))

    assert fastest_s < 0.05


def _seconds_to_translate(request: RawRequest) -> float:
    began = time.perf_counter()
    assert len(SEGMENT.translate(request, Trust.PUBLIC).events) == 100
    return time.perf_counter() - began


# --- coming again ---


@pytest.mark.parametrize("path", ["/v1/b", "/v1/batch", "/v1/import", "/beacon/v1/batch"])
def test_a_refused_event_of_a_batch_can_be_sent_again_by_itself(path: str) -> None:
    request = request_of(path, {"batch": [track(), track(timestamp="soon")]})
    (refused,) = SEGMENT.translate(request, Trust.PUBLIC).refused

    again, body = SEGMENT.resend(path, refused.raw.replace(b"soon", b""))

    assert only_event(again, body).name == "a"


@pytest.mark.parametrize("path", ["/v1/t", "/v1/track", "/track"])
def test_a_refused_single_call_can_be_sent_again(path: str) -> None:
    (refused,) = SEGMENT.translate(request_of(path, track(timestamp="soon")), Trust.PUBLIC).refused

    again, body = SEGMENT.resend(path, refused.raw.replace(b"soon", b""))

    assert only_event(again, body).name == "a"


# --- where they came from ---


def test_ones_other_websites_are_no_origin() -> None:
    own = SegmentSource({"pub": Trust.PUBLIC}, own_hosts=frozenset({"our-blog.example"}))
    page = {"url": "https://shop.example/", "referrer": "https://www.our-blog.example/post"}
    call = track(context={"page": page})

    for sender, found in ((SEGMENT, {"referrer": page["referrer"]}), (own, {})):
        ((_, event),) = sender.translate(request_of("/v1/track", call), Trust.PUBLIC).events
        assert event.attribution == found
        assert not event.direct


@pytest.mark.parametrize(
    ("page", "direct"),
    [
        ({"url": "https://shop.example/", "referrer": ""}, True),
        ({"url": "https://shop.example/", "referrer": "$direct"}, True),
        ({"url": "https://shop.example/"}, False),
        ({"referrer": ""}, False),
        ({}, False),
    ],
)
def test_a_visit_is_direct_if_the_client_says_that_nothing_led_to_its_page(
    page: dict[str, str], *, direct: bool
) -> None:
    event = only_event("/v1/page", {"anonymousId": "a", "context": {"page": page}})

    assert (event.direct, event.attribution) == (direct, {})
