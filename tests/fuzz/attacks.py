"""Requests whose cost might grow faster than they do: long texts everywhere, and far too many.

Each is made for a size, up to what its function takes. Nothing here knows what is slow: that is
for the budget to find.
"""

import base64
import gzip
import json
import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from urllib.parse import quote, quote_from_bytes

from fuzz import odd
from fuzz.corpus import BASIC, an_event, ascii_target, push_of
from fuzz.long import WRAPS, Text, a_text, wrapped
from fuzz.sent import Sent

FORM_BYTES = 1_000_000
BATCH_BYTES = 500_000
EVENT_BYTES = 32_000
TEXT_BYTES = 8_000
QUERY_BYTES = 16_000
HEADER_BYTES = 60_000
LEAST_BYTES = 200
WHOLE = 0.3
"""The share of attacks that are as large as may be."""

MIXED = 0.4
"""The share of attacks with many kinds of texts; of the others, all have the same one."""

AS_GZIP = 0.1

TRAITS = (
    *("email", "employees", "country", "company", "title", "annual_revenue", "phone", "website"),
    *(
        "first_name",
        "name",
        "industry",
        "consent",
        "plan",
        "Company Size",
        "E-Mail-Adresse",
        "seats",
    ),
)
PLACES = (
    *(
        ("event",),
        ("name",),
        ("type",),
        ("userId",),
        ("anonymousId",),
        ("messageId",),
        ("groupId",),
    ),
    *(("timestamp",), ("originalTimestamp",), ("sentAt",), ("writeKey",), ("previousId",)),
    *(("context", "page", name) for name in ("url", "referrer", "path", "search", "title")),
    *(("context", "campaign", name) for name in ("source", "name", "gclid")),
    *(("context", name) for name in ("userAgent", "ip", "locale", "timezone")),
    *(("traits", name) for name in TRAITS),
    *(("context", "traits", name) for name in TRAITS[:4]),
    *(
        ("properties", name)
        for name in ("path", "url", "referrer", "title", "kind", "revenue", "a")
    ),
)
HEADERS = (
    *("content-type", "user-agent", "referer", "cookie", "accept", "accept-language", "origin"),
    *("authorization", "x-write-key", "webhook-id", "webhook-timestamp", "webhook-signature"),
    *("x-signature", "idempotency-key", "content-encoding", "traceparent", "x-cloud-trace-context"),
    *(
        "access-control-request-headers",
        "x-hubspot-request-timestamp",
        "x-forwarded-for",
        "purpose",
    ),
    *("x-warmlead-signature", "svix-signature", "svix-id", "svix-timestamp", "ce-id", "x-odd"),
)
_HEADER_WRAPS = (
    *("{}", "Basic {}", "Bearer {}", "Bearer a.{}", "text/plain;{}", "text/plain; charset={}"),
    *("multipart/form-data; boundary={}", 'multipart/form-data; a="{}"; boundary=b', "gzip,{}"),
    *("application/json;{}=", "https://{}", "https://shop.example/?{}", "v1,{}", "sha256={}"),
)
_KINDS = ("track", "identify", "page", "group", "screen", "alias")
_URLENCODED = "application/x-www-form-urlencoded"

Attack = Callable[[Random, Text, int], Sent]


def attack(
    random: Random,
    functions: Sequence[str] = ("forms", "track", "sales", "score"),
    most: int = FORM_BYTES,
) -> Sent:
    """One request against one of the functions, of about so many bytes at most."""
    ours = [each for name in functions for each in _ATTACKS[name]]
    make, limit = random.choice(ours)
    limit = min(limit, most)
    whole = random.random() < WHOLE
    size = (
        limit if whole else round(math.exp(random.uniform(math.log(LEAST_BYTES), math.log(limit))))
    )
    text = _mixed(random) if random.random() < MIXED else a_text(random)
    sent = make(random, text, size)
    if random.random() < AS_GZIP and sent.body and sent.function != "score":
        packed = sent.with_body(gzip.compress(sent.body, 1, mtime=0))
        sent = packed.with_header(b"content-encoding", b"gzip")
    return sent._replace(made_by="attacks")


def _mixed(random: Random) -> Text:
    """Another text at every place: one that takes for ever shows among any number of others."""
    return lambda size: a_text(random)(size)


# --- parts ---------------------------------------------------------------------------------


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _within(make: Callable[[int], str], size: int) -> str:
    """A text of at most so many bytes, whatever its characters take."""
    text = make(size)
    return (
        text[: size * len(text) // max(1, len(_encoded(text)))]
        if len(_encoded(text)) > size
        else text
    )


def _any_wrap(random: Random, text: Text) -> Text:
    return wrapped(text, random.choice(WRAPS))


def _in_json(value: object) -> bytes:
    return _encoded(json.dumps(value, ensure_ascii=False))


def _posted(function: str, target: bytes, body: bytes, content_type: str) -> Sent:
    headers = ((b"content-type", content_type.encode("latin-1")), (b"authorization", BASIC))
    return Sent(function, "POST", target, headers, (body,))


def _form(body: bytes, content_type: str) -> Sent:
    return _posted("forms", b"/generic/contact", body, content_type)


def _put(root: dict[str, Any], path: Sequence[str], value: object) -> None:
    for step in path[:-1]:
        root = root.setdefault(step, {})
    root[path[-1]] = value


# --- forms ---------------------------------------------------------------------------------


def _pairs(random: Random, text: Text, size: int) -> list[tuple[str, str]]:
    """Fields of a form, some with the text as their values, some as their names."""
    names = random.sample(TRAITS, random.choice((1, 3, len(TRAITS))))
    each = min(size // len(names), random.choice((TEXT_BYTES, size)))
    pairs = [(name, _within(_any_wrap(random, text), each)) for name in names]
    if random.random() < 0.3:
        pairs = [(value, name) for name, value in pairs]
    return [("email", "ada@example.com"), *pairs]


def _as_urlencoded(random: Random, text: Text, size: int) -> Sent:
    pairs = _pairs(random, text, size // 3)
    if random.random() < 0.3:  # as it is, with whatever it means there
        return _form(_encoded("&".join(f"{name}={value}" for name, value in pairs)), _URLENCODED)
    quoted = (
        f"{quote(name, safe='[]', errors='surrogatepass')}={quote(value, errors='surrogatepass')}"
        for name, value in pairs
    )
    return _form("&".join(quoted).encode(), _URLENCODED)


def _as_text_plain(random: Random, text: Text, size: int) -> Sent:
    lines = (f"{name}={value}" for name, value in _pairs(random, text, size))
    charset = random.choice(("", "; charset=latin1", "; charset=utf-8"))
    return _form(_encoded("\r\n".join(lines)), f"text/plain{charset}")


def _as_multipart(random: Random, text: Text, size: int) -> Sent:
    more = _within(text, random.choice((0, 0, size // 4))).replace("\r", " ").replace("\n", " ")
    where = random.choice(
        ('; name="a{}"', '; filename="{}"', "; filename*=utf-8''{}", "; {}", "\r\nx: {}")
    )
    parts = (
        f'--b\r\nContent-Disposition: form-data; name="{name}"{where.format(more)}\r\n\r\n{value}\r\n'
        for name, value in _pairs(random, text, size // 2)
    )
    return _form(_encoded("".join((*parts, "--b--\r\n"))), "multipart/form-data; boundary=b")


def _as_submissions(random: Random, text: Text, size: int) -> Sent:
    """A list of submissions: the same text in the same fields, each time as something else."""
    names = random.sample(TRAITS, 4)
    each = max(8, min(TEXT_BYTES, size // (len(WRAPS) * len(names))))
    items = [
        {"email": "ada@example.com", "a": number}
        | {name: _within(wrapped(text, wrap), each) for name in names}
        for number, wrap in enumerate(WRAPS)
    ]
    return _form(_in_json(items), "application/json")


def _many_fields(random: Random, text: Text, size: int) -> Sent:
    unit = random.choice(("a&", "a=1&", "a[]=1&", "a[b]=1&", "&", "=&", "%61=%62&", "a=1;", "{}=&"))
    counted = random.random() < 0.5
    one = unit.replace("{}", text(3))
    many = (
        "".join(f"{i}{one}" for i in range(size // (len(one) + 4)))
        if counted
        else one * (size // len(one))
    )
    return _form(_encoded("email=ada@example.com&" + many), _URLENCODED)


def _many_lines(random: Random, text: Text, size: int) -> Sent:
    unit = random.choice(
        ("\n", "\r\n", "a\n", "a=1\n", "=\n", "\n=", "\r", "\u2028", "\x1c", text(4))
    )
    begun = random.choice(("a=1\n", "email=ada@example.com\n", ""))
    return _form(_encoded(begun + _within(lambda n: unit * (n // len(unit)), size)), "text/plain")


def _many_parts(random: Random, text: Text, size: int) -> Sent:
    boundary = random.choice(("b", "-" * 60, "b" * 70))
    unit = random.choice(
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n',
            f"--{boundary}\r\n\r\n\r\n",
            f"\r\n--{boundary[:-1]}",
            f"--{boundary}",
            f'--{boundary}\r\nContent-Disposition: form-data; name="a"{"; b=c" * 50}\r\n\r\n\r\n',
            f"--{boundary}\r\n{'a: b' + chr(13) + chr(10):s}" * 1,
            "a: b\r\n",
            text(6),
        )
    )
    first = f'--{boundary}\r\nContent-Disposition: form-data; name="email"\r\n\r\na@b.example\r\n'
    body = first + unit * max(1, (size - len(first)) // len(unit)) + f"\r\n--{boundary}--\r\n"
    return _form(_encoded(body), f"multipart/form-data; boundary={boundary}")


def _bracketed(random: Random, text: Text, size: int) -> Sent:
    unit = random.choice(("[a]", "[]", "[a", "a]", "][", "[[a]]", f"[{text(2)}]"))
    name = "a" + unit * (min(size, random.choice((60, 3_000, size))) // (len(unit) + 1))
    line = f"{name}={name[:20]}"
    return _form(_encoded("&".join([line] * max(1, min(150, size // len(line))))), _URLENCODED)


# --- track ---------------------------------------------------------------------------------


def _call(random: Random, number: int) -> dict[str, Any]:
    kind = random.choice(_KINDS)
    return {
        "type": kind,
        "userId": "u-1",
        "anonymousId": "b-1",
        "event": "a",
        "messageId": f"m-{number}",
    }


def _batch(calls: Sequence[object], **more: object) -> Sent:
    return _posted("track", b"/v1/batch", _in_json({"batch": calls, **more}), "application/json")


def _one_place_in_each(random: Random, text: Text, size: int) -> Sent:
    """A batch with the text at the same place of each of its calls."""
    place, make = random.choice(PLACES), _any_wrap(random, text)
    each = min(size, random.choice((150, 1_000, TEXT_BYTES, EVENT_BYTES - 1_000)))
    calls = []
    for number in range(max(1, size // (each + 200))):
        call = {**_call(random, number), "type": "identify" if "traits" in place else "page"}
        if place == ("event",):
            call["type"] = "track"
        _put(call, place, _within(make, each))
        calls.append(call)
    return _batch(calls)


def _every_place(random: Random, text: Text, size: int) -> Sent:
    """A batch of calls of which each has the text in another place."""
    each = max(8, min(TEXT_BYTES, size // (3 * len(PLACES))))
    calls = []
    for number, place in enumerate([*PLACES] * 3):
        call = _call(random, number)
        _put(call, place, _within(_any_wrap(random, text), each))
        calls.append(call)
    return _batch(calls)


def _as_keys(random: Random, text: Text, size: int) -> Sent:
    """A call whose fields are named by the text."""
    count = random.choice((1, 20, 100))
    named = {_within(text, min(EVENT_BYTES, size) // count) + str(i): i for i in range(count)}
    where = random.choice((("traits",), ("properties",), ("context", "traits"), ("context", "a")))
    calls = []
    for number in range(max(1, size // EVENT_BYTES)):
        call = _call(random, number)
        _put(call, where, named)
        calls.append(call)
    return _batch(calls)


def _many_calls(random: Random, text: Text, size: int) -> Sent:
    one = random.choice(
        (
            {"type": "page", "userId": "1"},
            {"type": "track", "event": text(3), "anonymousId": "b-1"},
            {"type": "identify", "userId": "1", "traits": {"a": 1}},
            {},
            [],
            None,
            {"type": "alias", "userId": "1", "previousId": "2"},
        )
    )
    varied = random.random() < 0.5 and isinstance(one, dict)
    count = size // (len(json.dumps(one)) + 12)
    calls = [
        {**one, "anonymousId": f"b-{i}"} if varied and isinstance(one, dict) else one
        for i in range(count)
    ]
    return _batch(calls)


def _pixel(random: Random, text: Text, size: int) -> Sent:
    make = _any_wrap(random, text)
    shape = random.choice(("one", "fields", "data", "raw"))
    if shape == "data":
        call = {**_call(random, 1), "properties": {"a": _within(make, size // 2)}}
        query = b"data=" + base64.b64encode(_in_json(call))
    elif shape == "fields":
        each = max(4, size // 300)
        query = b"&".join(
            b"%s=%s" % (quote_from_bytes(_encoded(f"properties.{make(each)}{i}")).encode(), b"a")
            for i in range(90)
        )
    else:
        value = _encoded(_within(make, size if shape == "raw" else size // 3))
        query = b"event=" + (value if shape == "raw" else quote_from_bytes(value).encode())
    target = b"/v1/pixel/track?writeKey=local&anonymousId=b-1&" + query
    return Sent("track", "GET", ascii_target(target)[:QUERY_BYTES], (), ())


# --- sales ---------------------------------------------------------------------------------

_HUBSPOT = {"subscriptionType": "contact.propertyChange", "portalId": 4711, "objectId": 1,
            "occurredAt": 1_764_700_000_000, "eventId": 1, "subscriptionId": 1,
            "propertyName": "lifecyclestage", "propertyValue": "customer"}  # fmt: skip
_STATEMENT = {"said": "won", "email": "ada@example.com", "value": "100", "currency": "EUR"}
_PIPEDRIVE = {"meta": {"action": "change", "entity": "deal", "version": "2.0", "company_id": 77001,
                       "entity_id": 1, "id": "a", "timestamp": "2026-03-02T10:00:00Z"},
              "data": {"id": 1, "person_id": 2, "status": "won", "value": 100, "currency": "EUR"},
              "previous": {"status": "open"}}  # fmt: skip
_SALESFORCE = {"attributes": {"type": "Lead"}, "Id": "00Q5g000004AbCdEAF", "Email": "ada@example.com",
               "Status": "Completed", "Amount": 1, "LastModifiedDate": "2026-03-02T10:00:00Z"}  # fmt: skip
_PATHS = {
    "generic": (b"/generic", _STATEMENT),
    "hubspot": (b"/hubspot", _HUBSPOT),
    "workflow": (b"/hubspot", {"email": "ada@example.com", "lifecyclestage": "customer"}),
    "pipedrive": (b"/pipedrive", _PIPEDRIVE),
    "salesforce": (b"/salesforce?token=a-token-of-the-tests-0123456789", _SALESFORCE),
}
_PIPEDRIVES = b"Basic " + base64.b64encode(b"warmlead:a-password-of-the-tests")


def _said_by_sales(random: Random, text: Text, size: int) -> Sent:
    """Items of a CRM, each with the text in one of its fields, or in the name of one."""
    name = random.choice(list(_PATHS))
    target, item = _PATHS[name]
    make = _any_wrap(random, text)
    count = 1 if name == "pipedrive" else random.choice((1, 10, 100))
    each = max(8, min(size // count - 300, random.choice((200, 5_000, size))))
    items = [_with_text(item, make, each, random) for _ in range(count)]
    sent = _posted("sales", target, _in_json(items if count > 1 else items[0]), "application/json")
    return sent.with_header(b"authorization", _PIPEDRIVES) if name == "pipedrive" else sent


def _with_text(item: dict[str, Any], make: Text, size: int, random: Random) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(item))
    inner = random.choice(
        [changed, *(value for value in changed.values() if isinstance(value, dict))]
    )
    if random.random() < 0.1:
        inner[_within(make, size)] = 1
    else:
        inner[random.choice(list(inner))] = _within(make, size)
    return changed


_SOAP = (
    '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"{}><e:Body>'
    '<notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
    "<OrganizationId>00D5g000004AbCd</OrganizationId>{}</notifications></e:Body></e:Envelope>"
)
_NOTIFIED = "<Notification><Id>04l{}</Id><sObject>{}</sObject></Notification>"


def _in_xml(random: Random, text: Text, size: int) -> Sent:
    said = "".join(
        sign
        for sign in _within(_any_wrap(random, text), size)
        if sign.isprintable() and sign not in "<&"
    )
    shape = random.randrange(7)
    attributes = ""
    if shape == 0:
        inside = _NOTIFIED.format("1", f"<Email>{said}</Email>")
    elif shape == 1:
        inside = _NOTIFIED.format("1", "<a/>" * (size // 4))
    elif shape == 2:
        inside = "<a>" * (size // 7) + "</a>" * (size // 7)
    elif shape == 3:
        attributes = "".join(f' a{i}="b"' for i in range(size // 12))
        inside = _NOTIFIED.format("1", "<Email>ada@example.com</Email>")
    elif shape == 4:
        inside = "".join(
            _NOTIFIED.format(i, "<Email>ada@example.com</Email>") for i in range(size // 100)
        )
    elif shape == 5:
        attributes = "".join(f' xmlns:n{i}="u{i}"' for i in range(size // 16))
        inside = _NOTIFIED.format("1", "<Email>ada@example.com</Email>")
    else:
        inside = _NOTIFIED.format("1", "<Email>" + "&lt;&#65;" * (size // 10) + "</Email>")
    target = b"/salesforce?token=a-token-of-the-tests-0123456789"
    return _posted("sales", target, _encoded(_SOAP.format(attributes, inside)), "text/xml")


# --- score ---------------------------------------------------------------------------------


def _pushed_event(random: Random, text: Text, size: int) -> Sent:
    """Events of one lead with the text among their traits, properties, names and origin."""
    events = []
    each = min(size, random.choice((2_000, EVENT_BYTES)))
    for number in range(max(1, min(40, size // each))):
        names = random.sample(TRAITS, random.choice((1, 4)))
        values = {name: _within(_any_wrap(random, text), each // len(names)) for name in names}
        where = random.choice(("traits", "properties", "attribution"))
        event = an_event(id=f"e-{number}", trust=random.choice(("signed", "public")))
        events.append({**event, where: {**event[where], **values}})
    return push_of(_in_json({"events": events}))


def _pushed_list(random: Random, text: Text, size: int) -> Sent:
    values = [text(random.choice((1, 10))) for _ in range(min(5_000, size // 20))]
    event = an_event(traits={random.choice(TRAITS): values, "employees": values[:1]})
    return push_of(_in_json({"events": [event]}))


def _pushed_many(random: Random, text: Text, size: int) -> Sent:
    names = random.choice((("page_viewed",), tuple(f"a_{i}" for i in range(50))))
    base = an_event(properties={}, traits={})
    same_day = random.random() < 0.5
    events = [
        {**base, "id": f"e-{i}", "name": names[i % len(names)],
         "occurred_at": f"2026-{1 + i % 9:02}-{1 + i % 27:02}T00:00:00Z" if not same_day else base["occurred_at"]}
        for i in range(size // 300)
    ]  # fmt: skip
    return push_of(_in_json({"events": events}))


# --- any -----------------------------------------------------------------------------------


def _in_header(random: Random, text: Text, size: int) -> Sent:
    """A long header, or many of them, on an ordinary request."""
    sent = _ordinary(random)
    make = wrapped(text, random.choice(_HEADER_WRAPS))
    count = random.choice((1, 1, 40))
    for _ in range(count):
        value = _encoded(_within(make, size // count)).replace(b"\r", b" ").replace(b"\n", b" ")
        name = random.choice(HEADERS).encode()
        sent = sent._replace(headers=(*sent.headers, (name, value.replace(b"\0", b" ").strip())))
    if random.random() < 0.5:  # instead of beside it, where there is one
        kept = {name: value for name, value in sent.headers}
        sent = sent._replace(headers=tuple(kept.items()))
    return sent


def _in_target(random: Random, text: Text, size: int) -> Sent:
    """A long path or query on an ordinary request."""
    sent = _ordinary(random)
    said = _encoded(_within(_any_wrap(random, text), size))
    quoted = quote_from_bytes(said).encode()[:QUERY_BYTES] if random.random() < 0.5 else said
    between = random.choice((b"", b"/", b"?", b"?token=", b"?writeKey=", b"?a=b&"))
    return sent._replace(target=ascii_target(sent.target.partition(b"?")[0] + between + quoted))


def _ordinary(random: Random) -> Sent:
    made = random.choice((_as_urlencoded, _as_multipart, _many_calls, _said_by_sales))
    return made(random, lambda size: "a" * size, 300)


def _nested(random: Random, text: Text, size: int) -> Sent:
    """JSON that is deep, or has the same key twice on every level of it."""
    depth = min(size // 10, random.choice((20, 31, 120, 190, 199, 900, size)))
    opening, closing, core = random.choice(
        (
            ("[", "]", "1"),
            ('{"a":', "}", "1"),
            ('{"a":1,"a":', "}", "1"),
            ('{"a":[],"a":[', "]}", "1"),
            ('[{"a":1,"a":2},', "]", "1"),
            ('{"a":{"b":1,"b":1},"c":', "}", "1"),
            ('{"a":' + json.dumps(text(20)) + ',"b":', "}", "1"),
        )
    )
    once = opening * depth + core + closing * depth
    if random.random() < 0.5:  # deep, and as large as may be
        core = json.dumps(text(max(1, size - len(once))), ensure_ascii=False)
        nested = opening * depth + core + closing * depth
    else:
        nested = f"[{','.join([once] * max(1, size // (len(once) + 1)))}]"
    return _json_to_any(random, nested)


def _many_values(random: Random, text: Text, size: int) -> Sent:
    """JSON with far too many keys, entries, numbers or escapes."""
    unit = random.choice(
        ("1", "[]", "{}", '""', "1.5", "-0", "1e5", "true", "null", "9" * 30, "NaN", '{"a":1,"a":2}',
         '"\\u0041"', '"\\ud800"', json.dumps(text(4)), '{"a":1}', "9" * 5_000)
    )  # fmt: skip
    shape = random.choice(("list", "keys", "same key", "text"))
    count = max(1, size // (len(unit) + 10))
    if shape == "list":
        made = f"[{','.join([unit] * count)}]"
    elif shape == "keys":
        made = "{" + ",".join(f'"k{i}":{unit}' for i in range(count)) + "}"
    elif shape == "same key":
        made = "{" + ",".join([f'"k":{unit}'] * count) + "}"
    else:
        made = (
            '"'
            + random.choice(("\\u0041", "\\ud800", "\\\\", '\\"', "\\n", "\\ud83d\\ude00"))
            * (size // 8)
            + '"'
        )
    return _json_to_any(random, made)


def _json_to_any(random: Random, text: str) -> Sent:
    """A request to whichever function, with this JSON somewhere in it."""
    frame, function, target = random.choice(
        (
            ("{}", "forms", b"/generic/contact"),
            ('{{"email":"ada@example.com","a":{}}}', "forms", b"/generic/contact"),
            ('[{{"email":"ada@example.com","a":{}}}]', "forms", b"/generic/contact"),
            ("{}", "track", b"/v1/track"),
            ('{{"batch":{}}}', "track", b"/v1/batch"),
            ('{{"userId":"1","event":"a","properties":{}}}', "track", b"/v1/track"),
            ('{{"batch":[{{"type":"identify","userId":"1","traits":{}}}]}}', "track", b"/v1/batch"),
            ('{{"userId":"1","event":"a","context":{}}}', "track", b"/v1/track"),
            ("{}", "sales", b"/generic"),
            ('{{"said":"won","email":{}}}', "sales", b"/generic"),
            ("{}", "sales", b"/hubspot"),
            ('{{"properties":{}}}', "sales", b"/hubspot"),
            ("{}", "score", b"/"),
            ('{{"message":{}}}', "score", b"/"),
        )
    )
    return _posted(function, target, _encoded(frame.format(text)), "application/json")


_ANYWHERE: Sequence[tuple[Attack, int]] = (
    (_in_header, HEADER_BYTES),
    (_in_target, QUERY_BYTES),
    (_nested, BATCH_BYTES),
    (_many_values, BATCH_BYTES),
)
_ATTACKS: dict[str, Sequence[tuple[Attack, int]]] = {
    "forms": (
        *((_as_urlencoded, FORM_BYTES), (_as_text_plain, FORM_BYTES), (_as_multipart, FORM_BYTES)),
        *((_as_submissions, FORM_BYTES), (_many_fields, FORM_BYTES), (_many_lines, FORM_BYTES)),
        *((_many_parts, FORM_BYTES), (_bracketed, FORM_BYTES), (_many_values, FORM_BYTES)),
    ),
    "track": (
        *((_one_place_in_each, BATCH_BYTES), (_every_place, BATCH_BYTES), (_as_keys, BATCH_BYTES)),
        *((_many_calls, BATCH_BYTES), (_pixel, QUERY_BYTES), *_ANYWHERE),
    ),
    "sales": ((_said_by_sales, FORM_BYTES), (_in_xml, FORM_BYTES)),
    "score": ((_pushed_event, FORM_BYTES), (_pushed_list, 100_000), (_pushed_many, FORM_BYTES)),
}
"""Against each function, and up to which size; what is in the name of one may go to any."""
