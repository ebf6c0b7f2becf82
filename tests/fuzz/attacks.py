"""Requests whose cost might grow faster than they do: long texts everywhere, and far too many.

Each is made for a size, up to what its function takes. Nothing here knows what is slow: that is
for the budget to find.
"""

import gzip
import json
import math
from collections.abc import Sequence
from random import Random
from urllib.parse import quote_from_bytes

from fuzz import on_forms, on_mail, on_sales, on_tools, on_track
from fuzz.corpus import ascii_target
from fuzz.long import Text, a_text, run_of, wrapped
from fuzz.on_track import QUERY_BYTES
from fuzz.sent import Sent
from fuzz.shapes import Attack, any_wrap, encoded, posted, within
from warmlead.runtime.table import FORMS, MAIL, SALES, SCORE, TRACK, public

FORM_BYTES = 1_000_000
BATCH_BYTES = 500_000
HEADER_BYTES = 60_000
LEAST_BYTES = 200
WHOLE = 0.3
"""The share of attacks that are as large as may be."""

MIXED = 0.4
"""The share of attacks with many kinds of texts; of the others, all have the same one."""

AS_GZIP = 0.1

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


def attack(
    random: Random,
    most: int = FORM_BYTES,
    shapes: Sequence[tuple[Attack, int]] = (),
    units: Sequence[str] = (),
) -> Sent:
    """One request of about so many bytes at most; of any shape and of any text unless told."""
    make, limit = random.choice(shapes or ATTACKS[random.choice(list(ATTACKS))])
    limit = min(limit, most)
    whole = random.random() < WHOLE
    size = (
        limit if whole else round(math.exp(random.uniform(math.log(LEAST_BYTES), math.log(limit))))
    )
    if units:
        text = run_of(random.choice(units))
    else:
        text = _mixed(random) if random.random() < MIXED else a_text(random)
    sent = make(random, text, size)
    if random.random() < AS_GZIP and sent.body and sent.function != "score":
        packed = sent.with_body(gzip.compress(sent.body, 1, mtime=0))
        sent = packed.with_header(b"content-encoding", b"gzip")
    return sent._replace(made_by="attacks")


def _mixed(random: Random) -> Text:
    """Another text at every place: one that takes for ever shows among any number of others."""

    def anew(size: int) -> str:
        return a_text(random)(size)

    return anew


def in_header(random: Random, text: Text, size: int) -> Sent:
    """A long header, or many of them, on an ordinary request."""
    sent = _ordinary(random)
    make = wrapped(text, random.choice(_HEADER_WRAPS))
    count = random.choice((1, 1, 40))
    for _ in range(count):
        value = encoded(within(make, size // count)).replace(b"\r", b" ").replace(b"\n", b" ")
        name = random.choice(HEADERS).encode()
        sent = sent._replace(headers=(*sent.headers, (name, value.replace(b"\0", b" ").strip())))
    if random.random() < 0.5:  # instead of beside it, where there is one
        sent = sent._replace(headers=tuple(dict(sent.headers).items()))
    return sent


def in_target(random: Random, text: Text, size: int) -> Sent:
    """A long path or query on an ordinary request."""
    sent = _ordinary(random)
    said = encoded(within(any_wrap(random, text), size))
    quoted = quote_from_bytes(said).encode()[:QUERY_BYTES] if random.random() < 0.5 else said
    between = random.choice((b"", b"/", b"?", b"?token=", b"?writeKey=", b"?a=b&"))
    return sent._replace(target=ascii_target(sent.target.partition(b"?")[0] + between + quoted))


def _ordinary(random: Random) -> Sent:
    made = random.choice(
        (on_forms.as_urlencoded, on_forms.as_multipart, on_track.many_calls, on_sales.said_by_sales)
    )
    return made(random, lambda size: "a" * size, 300)


def nested(random: Random, text: Text, size: int) -> Sent:
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


def many_values(random: Random, text: Text, size: int) -> Sent:
    """JSON with far too many keys, entries, numbers or escapes."""
    unit = random.choice(
        ("1", "[]", "{}", '""', "1.5", "-0", "1e5", "true", "null", "9" * 30, "NaN",
         '{"a":1,"a":2}',
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
            ("{}", "mail", b"/sendgrid"),
            ('[{{"event":"click","email":"ada@example.com","url":{}}}]', "mail", b"/sendgrid"),
            ("{}", "score", b"/"),
            ('{{"message":{}}}', "score", b"/"),
        )
    )
    return posted(function, target, encoded(frame.format(text)), "application/json")


_ANYWHERE: Sequence[tuple[Attack, int]] = (
    (in_header, HEADER_BYTES),
    (in_target, QUERY_BYTES),
    (nested, BATCH_BYTES),
    (many_values, BATCH_BYTES),
)
_OWN: dict[str, Sequence[tuple[Attack, int]]] = {
    FORMS.name: (
        *(
            (on_forms.as_urlencoded, FORM_BYTES),
            (on_forms.as_text_plain, FORM_BYTES),
            (on_forms.as_multipart, FORM_BYTES),
        ),
        *(
            (on_forms.as_submissions, FORM_BYTES),
            (on_forms.many_fields, FORM_BYTES),
            (on_forms.many_lines, FORM_BYTES),
        ),
        *(
            (on_forms.many_parts, FORM_BYTES),
            (on_forms.bracketed, FORM_BYTES),
            (many_values, FORM_BYTES),
        ),
    ),
    TRACK.name: (
        *(
            (on_track.one_place_in_each, BATCH_BYTES),
            (on_track.every_place, BATCH_BYTES),
            (on_track.as_keys, BATCH_BYTES),
        ),
        *((on_track.many_calls, BATCH_BYTES), (on_track.pixel, QUERY_BYTES), *_ANYWHERE),
    ),
    SALES.name: ((on_sales.said_by_sales, FORM_BYTES), (on_sales.in_xml, FORM_BYTES)),
    MAIL.name: ((on_mail.told_by_mail_tools, FORM_BYTES), (on_mail.as_merge_fields, FORM_BYTES)),
    SCORE.name: (
        (on_sales.pushed_event, FORM_BYTES),
        (on_sales.pushed_list, 100_000),
        (on_sales.pushed_many, FORM_BYTES),
    ),
}
ATTACKS: dict[str, Sequence[tuple[Attack, int]]] = {
    **_OWN,
    **{
        each.name: (*_OWN.get(each.name, ()), (on_tools.told_by(each.name), FORM_BYTES))
        for each in public()
        if each is not TRACK  # its limits are those of calls, and it has attacks for each of them
    },
}
"""Against each function, and up to which size; what is in the name of one may go to any."""
