import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from cost import assert_within
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import MAX_AGE, Automation, Event, Trust
from warmlead.ports import Accepted, RawRequest
from warmlead.senders.segment import SegmentSource
from warmlead.web.answers import Answer

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


def answer_to(request: RawRequest) -> Answer:
    return SEGMENT.answer(request, SEGMENT.translate(request, Trust.PUBLIC).accepted)


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
        (b'{"batch": [' + b"1," * 2500 + b"1]}", Reason.TOO_MANY_EVENTS),
    ],
)
def test_a_body_that_cannot_be_split_into_calls_is_refused_whole(
    body: bytes, reason: Reason
) -> None:
    with pytest.raises(RejectedError) as refusal:
        SEGMENT.translate(request_of(body=body), Trust.PUBLIC)

    assert refusal.value.reason is reason


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (None, Reason.EVENT_INVALID),
        ([], Reason.EVENT_INVALID),
        ({}, Reason.EVENT_TYPE_UNKNOWN),
        (track(type=["track"]), Reason.EVENT_TYPE_UNKNOWN),
        (track(type="delete"), Reason.EVENT_TYPE_UNKNOWN),
        (track(event=None), Reason.EVENT_NAME_MISSING),
        (track(event=5), Reason.EVENT_NAME_INVALID),
        (track(event="  "), Reason.EVENT_NAME_INVALID),
        (track(userId=None), Reason.IDENTITY_MISSING),
        (track(userId="null"), Reason.IDENTITY_MISSING),
        (track(userId={"id": 1}), Reason.IDENTITY_INVALID),
        (track(userId="crm:1"), Reason.IDENTITY_INVALID),
        (track(userId="x" * 201), Reason.IDENTITY_INVALID),
        (track(userId=1.5, anonymousId="a\0"), Reason.IDENTITY_INVALID),
        (track(properties={f"p{i}": "x" * 8000 for i in range(5)}), Reason.EVENT_TOO_LARGE),
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


def test_a_far_too_large_event_is_refused_before_repair() -> None:
    faulty = b'{"type":"track","event":"a","userId":"u","a":[%s]}' % b",".join([b"[1,NaN]"] * 4_000)
    repeated = b'{"type":"track","event":"a","userId":"u","a":1,"a":"%s","a":2}' % (b"x" * 200_000)
    one, other = (
        SEGMENT.translate(request_of(body=b'{"batch":[%s]}' % call), Trust.PUBLIC).refused
        for call in (faulty, repeated)
    )

    assert not one  # what is left of it is small
    assert [refused.error.reason for refused in other] == [Reason.EVENT_TOO_LARGE]


# --- one usable identity is enough ---


@pytest.mark.parametrize("empty", [[], "", False, None, {}])
@pytest.mark.parametrize("name", ["properties", "traits", "context"])
@pytest.mark.parametrize("path", ["/v1/identify", "/v1/track", "/v1/page", "/v1/group"])
def test_an_empty_map_may_be_sent_in_any_way(path: str, name: str, empty: object) -> None:
    event = only_event(path, track(**{name: empty}))

    assert (event.user_id, event.notes) == ("u", ())


@pytest.mark.parametrize("empty", [[], "", False, None])
@pytest.mark.parametrize("name", ["page", "campaign", "traits"])
def test_an_empty_map_in_the_context_may_be_sent_in_any_way(name: str, empty: object) -> None:
    event = only_event("/v1/page", track(context={name: empty, "locale": "en"}))

    assert (event.user_id, event.notes) == ("u", ())


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (track(properties=["a"]), "properties: was left out: it is not an object"),
        (track(context="x"), "context: was left out: it is not an object"),
        (track(context={"page": 5}), "page: was left out: it is not an object"),
        (track(context={"campaign": [1]}), "campaign: was left out: it is not an object"),
        (track(context={"traits": "x"}), "traits: was left out: it is not an object"),
        (track(context={"traits": {"email": "x"}}), "email: was left out (email_invalid)"),
        (track(context={"traits": {"email": {"a": 1}}}), None),
        (track(context={"traits": {"email": ["x", 5]}}), "email: was left out (email_invalid)"),
        (track(anonymousId="a\0b"), "anonymous_id: was left out (identity_invalid)"),
        (track(anonymousId=["a"]), "anonymous_id: was left out (identity_invalid)"),
        (track(anonymousId="crm:1"), "anonymous_id: was left out (identity_invalid)"),
        (track(messageId={}), "message_id: was left out (event_id_invalid)"),
        (track(timestamp="soon"), "timestamp: was left out (time_invalid)"),
        (track(timestamp=[]), "timestamp: was left out (time_invalid)"),
        (track(originalTimestamp="soon"), "original_timestamp: was left out (time_invalid)"),
        (track(timestamp="1970-01-01"), "timestamp: is before 1995; the time of receipt counts"),
        (
            track(properties={f"p{i}": i for i in range(101)}),
            "fields left out: 1; at most 100 are kept",
        ),
        (track(properties={"a": "x" * 9000}), "a: was cut to 8192 bytes"),
        (track(properties={"a": [0] * 101}), "a: was cut to 100 values"),
        (track(properties={"a": float("nan")}), "a: was left out: its number"),
        (track(properties={"a": 2**64}), "a: is larger than 64 bits; it was kept as text"),
        (track(properties={"a": "\ud800"}), "a: half a surrogate pair was replaced"),
        (track(properties={"\ud800": "a"}), "half a surrogate pair was replaced"),
    ],
)
def test_unusable_fields_of_a_call_are_left_out_and_noted(
    call: dict[str, object], told: str | None
) -> None:
    event = only_event("/v1/track", call)

    assert (event.user_id, event.email) == ("u", None)
    assert event.occurred_at == NOW
    assert [note[: len(told or "")] for note in event.notes] == ([told] if told else [])


def test_a_call_that_is_older_than_five_years_counts_as_five_years_old() -> None:
    event = only_event("/v1/track", track(timestamp="2012-12-02T00:30:08Z"))

    assert event.occurred_at == NOW - MAX_AGE
    assert "five years" in event.notes[0]


@pytest.mark.parametrize(
    "root",
    [
        '{"batch": [CALL], "sentAt": NaN}',
        '{"batch": [], "batch": [CALL]}',
        '{"batch": [CALL], "context": {"a": 1, "a": 2}}',
        '{"batch": [CALL], "context": {"app": "\\ud800"}}',
    ],
)
def test_a_fault_beside_the_calls_costs_none_of_them(root: str) -> None:
    body = root.replace("CALL", json.dumps(track())).encode()

    assert only_event("/v1/batch", body).user_id == "u"


def test_addresses_are_found_in_what_is_written_around_them() -> None:
    for given in ("Ada <ada@example.com>", ["", "mailto:ada@example.com"]):
        event = only_event("/v1/identify", {"userId": "u", "traits": {"email": given}})

        assert (event.email, event.notes) == ("ada@example.com", ())


def test_a_script_gets_notes_beside_success() -> None:
    calls = [track(), track(context={"traits": {"email": "nobody"}}), {}]

    answer = answer_to(request_of(body={"batch": calls}))

    told = json.loads(answer.body)
    assert (answer.status, told["success"]) == (200, True)
    assert told["notes"] == [{"index": 1, "message": "email: was left out (email_invalid)"}]
    assert [one["index"] for one in told["refused"]] == [2]


def test_at_most_a_hundred_notes_are_answered() -> None:
    calls = [track(timestamp="soon")] * 150

    assert len(json.loads(answer_to(request_of(body={"batch": calls})).body)["notes"]) == 100


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
    answer = SEGMENT.answer(request_of(), Accepted(1, [], 1))

    assert (answer.status, answer.body) == (200, b'{"success": true}')


def test_refused_events_are_named_by_their_position() -> None:
    request = request_of(body={"batch": [track(), {}]})

    answer = answer_to(request)

    told = json.loads(answer.body)
    assert answer.status == 200
    assert told["success"] is True
    assert [(one["index"], one["code"]) for one in told["refused"]] == [(1, "event_type_unknown")]


def test_a_pixel_request_always_gets_an_image() -> None:
    request = request_of("/v1/pixel/track", method="GET", query="data=%%%", key=None)

    for answer in (
        SEGMENT.answer(request, Accepted(1, [], 1)),
        SEGMENT.answer_failure(request, FAILURE),
    ):
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


@pytest.mark.slow
def test_a_batch_of_a_hundred_events_is_translated_in_milliseconds() -> None:
    page = {"url": "https://shop.example/a?utm_source=x&gclid=y", "title": "T", "path": "/a"}
    call = track(
        properties={**page, "value": 1.5, "tags": ["a", "b"]},
        context={"page": page, "userAgent": "M" * 120, "campaign": {"source": "x"}},
        timestamp="2026-03-02T10:00:00.457Z",
        anonymousId="b-1",
    )
    request = request_of(body={"batch": [{**call, "messageId": f"m{i}"} for i in range(100)]})

    def translate() -> None:
        assert len(SEGMENT.translate(request, Trust.PUBLIC).events) == 100

    assert_within(0.05, translate)


# --- coming again ---


@pytest.mark.parametrize("path", ["/v1/b", "/v1/batch", "/v1/import", "/beacon/v1/batch"])
def test_a_refused_event_of_a_batch_can_be_sent_again_by_itself(path: str) -> None:
    request = request_of(path, {"batch": [track(), track(userId=" ", n="soon")]})
    (refused,) = SEGMENT.translate(request, Trust.PUBLIC).refused

    again, body = SEGMENT.resend(path, refused.raw.replace(b'" "', b'"u"'))

    assert only_event(again, body).name == "a"


@pytest.mark.parametrize("path", ["/v1/t", "/v1/track", "/track"])
def test_a_refused_single_call_can_be_sent_again(path: str) -> None:
    (refused,) = SEGMENT.translate(request_of(path, track(userId=" ")), Trust.PUBLIC).refused

    again, body = SEGMENT.resend(path, refused.raw.replace(b'" "', b'"u"'))

    assert only_event(again, body).name == "a"


# --- who did not look ---

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/147.0.0.0 Safari/537.36"
)
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def automations(*items: object, key: str = "pub", **headers: str) -> list[Automation | None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = request_of(body={"batch": items}, key=key, **named)
    translation = SEGMENT.translate(request, SEGMENT.verify(request))
    assert not translation.refused
    return [event.automated for _, event in translation.events]


def test_a_public_request_is_that_of_its_agent() -> None:
    page = {"type": "page", "anonymousId": "b"}
    assert automations(page, user_agent=CHROME) == [None]
    assert automations(page) == [None]
    assert automations(page, page, user_agent=GOOGLEBOT) == [Automation.ROBOT] * 2
    assert automations(page, user_agent=CHROME, sec_purpose="prefetch;prerender") == [
        Automation.PREFETCH
    ]


def test_a_server_hands_on_the_agent_of_each_visitor() -> None:
    robot = track(context={"userAgent": GOOGLEBOT})
    person = track(context={"userAgent": CHROME})
    unknown = track(context={})
    for key in ("server", "pub"):
        found = automations(robot, person, unknown, key=key, user_agent="analytics-python/2.2.2")
        assert found == [Automation.ROBOT, None, None]
    assert automations(person, key="server", user_agent=GOOGLEBOT) == [None]


def test_a_batchs_context_holds_for_its_calls_unless_they_have_their_own() -> None:
    body = {
        "batch": [track(), track(context={"userAgent": CHROME})],
        "context": {"userAgent": GOOGLEBOT},
    }
    events = SEGMENT.translate(request_of(body=body), Trust.PUBLIC).events
    assert [event.automated for _, event in events] == [Automation.ROBOT, None]


def test_a_mail_systems_statement_counts_for_any_clicking_agent() -> None:
    clicked = {"context": {"userAgent": GOOGLEBOT}}
    stated = track(event="Email Unsubscribed", **clicked)
    opened = track(event="Email Opened", **clicked)
    assert automations(stated, opened, key="server") == [None, Automation.ROBOT]
    assert automations(stated, opened) == [Automation.ROBOT, Automation.ROBOT]


@pytest.mark.parametrize(
    ("method", "headers", "automated"),
    [
        ("GET", {"user-agent": CHROME}, None),
        ("HEAD", {"user-agent": CHROME}, Automation.HEAD),
        ("GET", {"user-agent": CHROME, "purpose": "prefetch"}, Automation.PREFETCH),
        ("GET", {"user-agent": "WhatsApp/2.23.20.0 A"}, Automation.PREVIEW),
        ("HEAD", {"user-agent": GOOGLEBOT}, Automation.ROBOT),
    ],
)
def test_a_pixel_view_belongs_to_the_requesting_agent(
    method: str, headers: dict[str, str], automated: Automation | None
) -> None:
    query = "writeKey=pub&userId=u&event=Email%20Opened&messageId=m-1"
    request = request_of("/v1/pixel/track", method=method, query=query, key=None, **headers)
    ((_, event),) = SEGMENT.translate(request, SEGMENT.verify(request)).events
    assert event.automated is automated
    seen = request_of("/v1/pixel/track", method="GET", query=query, key=None)
    ((_, person),) = SEGMENT.translate(seen, Trust.PUBLIC).events
    assert (event.key == person.key) is (automated is None)
    assert event.name == person.name == "email_opened"


# --- where they came from ---


def test_ones_other_websites_are_no_origin() -> None:
    own = SegmentSource({"pub": Trust.PUBLIC}, own_hosts=frozenset({"our-blog.example"}))
    page = {"url": "https://shop.example/", "referrer": "https://www.our-blog.example/post"}
    call = track(context={"page": page})

    of_others = {"referrer": page["referrer"], "landing_page": "/"}
    for sender, found in ((SEGMENT, of_others), (own, {})):
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
def test_a_visit_is_direct_if_the_client_states_an_empty_referrer(
    page: dict[str, str], *, direct: bool
) -> None:
    event = only_event("/v1/page", {"anonymousId": "a", "context": {"page": page}})

    assert (event.direct, event.attribution) == (direct, {})


@pytest.mark.parametrize(
    ("event", "properties", "key", "email"),
    [
        ("Email Bounced", {"email": "Old9@e.com"}, "server", "old9@e.com"),
        ("Email Delivered", {"recipient": "old9@e.com"}, "server", "old9@e.com"),
        ("users.messages.email.Bounce", {"email_address": "old9@e.com"}, "server", "old9@e.com"),
        ("Email Bounced", {"email": "old9@e.com"}, "pub", None),
        ("Email Bounced", {"email": "nobody"}, "server", None),
        ("Friend Invited", {"email": "old9@e.com"}, "server", None),
        ("SMS Bounced", {"email": "old9@e.com"}, "server", None),
    ],
)
def test_a_mails_outcome_belongs_to_the_address_it_was_sent_to(
    event: str, properties: dict[str, str], key: str, email: str | None
) -> None:
    call = {"userId": "u9", "event": event, "properties": properties}
    assert only_event("/v1/track", call, key=key).email == email
    known = {**call, "context": {"traits": {"email": "new9@e.com"}}}
    assert only_event("/v1/track", known, key=key).email == (email or "new9@e.com")


@pytest.mark.parametrize("other", ["gdpr_consent", "consent"])
def test_the_answers_of_two_consent_boxes_are_both_kept(other: str) -> None:
    traits = {other: True, "marketing_consent": False}
    event = only_event("/v1/identify", {"userId": "u", "traits": traits})
    assert event.traits == {"consent": True, "marketing_consent": False}


def test_deep_nesting_costs_only_the_nested_value() -> None:
    deep = b"[" * 9_000 + b"]" * 9_000
    body = b'{"batch": [{"type": "track", "event": "A", "userId": "u", "properties": {"a": 1, "b":'
    body += deep + b'}}, {"type": "track", "event": "B", "userId": "v"}]}'
    first, second = (e for _, e in SEGMENT.translate(request_of(body=body), Trust.PUBLIC).events)
    assert (first.user_id, first.properties["a"], second.user_id) == ("u", 1, "v")


def test_a_call_is_read_in_the_charset_that_is_declared_with_its_key_in_it() -> None:
    call = track(traits={"name": "表示"}, context={"traits": {"name": "表示"}}, writeKey="server")
    body = json.dumps(call, ensure_ascii=False).encode("shift_jis")
    headers = {"content-type": "application/json; charset=Shift_JIS"}
    request = request_of("/v1/track", body, key=None, **headers)
    assert SEGMENT.verify(request) is Trust.SIGNED
    ((_, event),) = SEGMENT.translate(request, Trust.SIGNED).events
    assert event.traits["name"] == "表示"


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("title", "Dr.", "salutation"),
        ("title", "Mr", "salutation"),
        ("title", "CTO", "title"),
        ("firstName", "Herr", "salutation"),
        ("name", "Mrs.", "salutation"),
        ("lastName", "Pan", "last_name"),
        ("firstName", "M", "first_name"),
        ("name", "Mr. Turner", "name"),
    ],
)
def test_a_salutation_is_neither_title_nor_name(field: str, value: str, kept: str) -> None:
    event = only_event("/v1/identify", {"userId": "u", "traits": {field: value}})
    assert event.traits == {kept: value}


def test_a_plus_in_a_pixels_address_is_one() -> None:
    query = "event=A&userId=ada+news@example.com&properties.a=b+c&writeKey=pub"
    request = request_of("/v1/pixel/track", method="GET", query=query)
    ((_, event),) = SEGMENT.translate(request, SEGMENT.verify(request)).events
    assert (event.user_id, event.properties["a"]) == ("ada+news@example.com", "b c")


def test_a_batch_that_php_made_an_object_is_a_list() -> None:
    request = request_of(body={"batch": {"0": track(), "2": track(userId="w")}})
    events = SEGMENT.translate(request, Trust.PUBLIC).events
    assert [event.user_id for _, event in events] == ["u", "w"]
