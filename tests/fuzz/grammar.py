"""Requests after the senders' own grammars, with anything at every place: Hypothesis makes them."""

import json
from random import Random
from urllib.parse import quote

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from fuzz import odd
from fuzz.corpus import BASIC, an_event, ascii_target, push_of
from fuzz.sent import Sent

AT_ONCE = 500

any_text = st.text(max_size=12) | st.sampled_from(["", " ", "\0", "a" * 9_000, "购入", "\ud800"])
keys = st.sampled_from(odd.KEYS)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | any_text
shallow = scalars | st.lists(scalars, max_size=2) | st.dictionaries(keys, scalars, max_size=2)
values = scalars | st.lists(shallow, max_size=2) | st.dictionaries(keys, shallow, max_size=2)
people = st.integers(0, 40).map(str)
emails = people.map("ada{}@example.com".format) | any_text
ids = people | st.integers() | any_text
names = st.sampled_from(
    [
        *("Demo Requested", "page_viewed", "x", "", "购入", "Content Downloaded", "Unsubscribed"),
        *("Email Bounced", "Email Marked as Spam", "newsletter_subscribed", "email_dropped"),
    ]
)
times = (
    st.datetimes().map("{:%Y-%m-%dT%H:%M:%S}".format)
    | st.sampled_from(["2026-03-02T10:00:00.000Z", "", "0001-01-01", "9999-12-31T23:59:59-23:59"])
    | st.integers(-(10**13), 10**13)
)
traits = st.dictionaries(
    st.sampled_from(["email", "title", "employees", "country", "company", "tags", "kind"])
    | st.sampled_from(["unsubscribed", "mailing_list", "list_name", "bounce_type", "reason"])
    | any_text,
    values | emails,
    max_size=4,
)
calls = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "identify", "page", "screen", "group", "alias"])},
    optional={
        **dict.fromkeys(("userId", "anonymousId", "previousId", "groupId", "messageId"), ids),
        **dict.fromkeys(("timestamp", "originalTimestamp", "sentAt"), times),
        **dict.fromkeys(("traits", "properties", "context"), traits | values),
        "event": names | any_text,
        "name": any_text,
    },
)
batches = st.fixed_dictionaries(
    {"batch": st.lists(calls | values, max_size=5)},
    optional={"context": traits, "sentAt": times, "writeKey": st.sampled_from(["local", "server"])},
)
fields = st.dictionaries(
    st.sampled_from(["email", "Your Name", "a[b]", "tags[]", "_charset_", "phone"]) | any_text,
    emails | any_text,
    max_size=5,
)
submissions = st.fixed_dictionaries(
    {"email": emails}, optional={"more": values, "employees": values}
)
events = st.fixed_dictionaries(
    {"id": st.uuids().map(str) | any_text},
    optional={
        **dict.fromkeys(("user_id", "anonymous_id", "source"), any_text | people),
        "email": emails,
        "traits": st.dictionaries(any_text, scalars | st.lists(scalars, max_size=3), max_size=3),
        "properties": st.dictionaries(any_text, scalars, max_size=3),
        "attribution": st.dictionaries(any_text, any_text, max_size=2),
        "name": st.sampled_from(["page_viewed", "content_downloaded", "Not A Name"]),
        "occurred_at": times,
        "received_at": times,
        "trust": st.sampled_from(["signed", "public", "no"]),
    },
)


def _target(function: str) -> st.SearchStrategy[bytes]:
    return st.sampled_from(odd.TARGETS[function])


def _written(value: object) -> bytes:
    return json.dumps(value).encode()


def _post(function: str, target: bytes, body: bytes, content_type: bytes) -> Sent:
    headers = ((b"content-type", content_type), (b"authorization", BASIC))
    return Sent(function, "POST", target, headers, (body,) if body else ())


def _quoted(text: str) -> str:
    return quote(text, safe="[]", errors="surrogatepass")


def _urlencoded(given: dict[str, str]) -> bytes:
    return "&".join(f"{_quoted(k)}={_quoted(v)}" for k, v in given.items()).encode()


def _plain_lines(given: dict[str, str]) -> bytes:
    text = "\r\n".join(f"{k}={v}" for k, v in given.items())
    return text.encode("utf-8", "surrogatepass")


def _multipart(given: dict[str, str], more: str) -> bytes:
    parts = (
        f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'
        for name, value in given.items()
    )
    return "".join((*parts, "--b--\r\n")).encode("utf-8", "surrogatepass")


def _pixel(path: str, query: dict[str, str]) -> Sent:
    target = f"/v1/pixel/{path}?writeKey=local&".encode() + _urlencoded(query)
    return Sent("track", "GET", ascii_target(target), (), ())


_calls_anywhere = st.builds(
    _post,
    st.just("track"),
    _target("track"),
    (calls | batches | values).map(_written),
    st.sampled_from(odd.CONTENT_TYPES[:6]),
)
_batches = st.builds(
    _post, st.just("track"), st.just(b"/v1/batch"), batches.map(_written), st.just(b"")
)
_calls = calls.map(lambda call: _post("track", b"/v1/track", _written(call), b"application/json"))
_identifies = calls.map(lambda call: _post("track", b"/v1/identify", _written(call), b"text/plain"))
_pixels = st.builds(
    _pixel,
    st.sampled_from(["track", "page", "identify", "x"]),
    st.dictionaries(
        st.sampled_from(["anonymousId", "event", "properties.a.b", "data", "a"]),
        any_text,
        max_size=4,
    ),
)
_submissions = st.builds(
    _post,
    st.just("forms"),
    _target("forms"),
    (submissions | st.lists(submissions, max_size=3) | values).map(_written),
    st.sampled_from(odd.CONTENT_TYPES),
)
_forms = st.builds(
    _post,
    st.just("forms"),
    st.sampled_from([b"/generic", b"/generic/demo"]),
    fields.map(_urlencoded) | fields.map(_plain_lines),
    st.sampled_from(odd.CONTENT_TYPES[4:10]),
)
_multiparts = st.builds(
    _post,
    st.just("forms"),
    st.just(b"/generic/contact"),
    st.builds(
        _multipart,
        fields,
        st.sampled_from(["", '; filename="a"', "; filename*=utf-8''%ff", '; name="b"']),
    ),
    st.sampled_from([b"multipart/form-data; boundary=b", b"multipart/form-data; boundary=c"]),
)
_pushes = events.map(lambda changed: push_of(_written({"events": [an_event(**changed)]})))
_heads = st.builds(
    lambda method, target, headers: Sent("track", method, ascii_target(target), headers, ()),
    st.sampled_from(odd.METHODS),
    st.binary(max_size=20).map(lambda path: b"/" + path),
    st.lists(st.sampled_from(odd.HEADERS), max_size=3).map(tuple),
)
requests = st.one_of(
    *(_calls_anywhere, _batches, _calls, _identifies, _pixels),
    *(_submissions, _forms, _multiparts, _pushes, _heads),
)


def grammatical(count: int, random: Random) -> list[Sent]:
    """As many requests; the same ones from the same randomness."""
    made: list[Sent] = []
    while len(made) < count:
        made += _made(min(AT_ONCE, count - len(made)), random.getrandbits(64))
    return made[:count]


def _made(count: int, seeded: int) -> list[Sent]:
    found: list[Sent] = []

    @seed(seeded)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(requests)
    def collect(sent: Sent) -> None:
        found.append(sent._replace(made_by="the grammar"))

    collect()
    return found
