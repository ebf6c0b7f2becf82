"""Odd pieces, of which requests are made: tokens, JSON values, names, types. Nothing decides here."""

from warmlead.runtime.table import FORMS, MAIL, SALES, SCORE, TRACK, public
from warmlead.senders.registry import REGISTRY

TOKENS = (
    *(b"NaN", b"1e999", b"-1", b"9" * 30, b"null", b"[]", b"{}", b'""', b"true", b"[[[[", b"}"),
    *(b'"\\ud800"', b'"\\u0000"', b"\xff", b"\xef\xbb\xbf", b"\x00", b"%", b"%zz", b"%ff", b"%00"),
    *(b'"a":1,', b"__proto__", b"0000-00-00", b'"9999-12-31T23:59:59-14:00"', b"\x1f\x8b\x08"),
    *(
        b"\r\n",
        b"--",
        b"&" * 300,
        b"[a][b]",
        b"a" * 9_000,
        b"@",
        b".",
        b'"',
        b"\\",
        b"\xed\xa0\x80",
    ),
    *(b"\xc0\xaf", b"\xf4\x90\x80\x80", b"&#0;", b"&#55296;", b"&#1114112;", b"_charset_=utf-16&"),
)

# As JSON text: among them what Python's parser lets pass, and what databases refuse.
JSON_VALUES = (
    *("NaN", "-Infinity", "1e999", "1e-400", "-0", "-0.0", "9" * 30, "9" * 5_000, "1.5", "0"),
    *(str(2**63 - 1), str(2**63), str(-(2**63)), str(-(2**63) - 1), "1e308", "true", "null"),
    *("[]", "{}", '""', '" "', '"\\ud800"', '"\\udc00x"', '"\\ud83d\\ude00"', '"\\u0000"'),
    *('"\\uffff"', '"\\u202e\\u05d0"', '{"a":1,"a":2}', '{"":1}', '{"__proto__":{"a":1}}'),
    *('{"__name__":1}', '{"a.b":1}', '{"`":1}', '{"\\ud800":1}', "[[1],[2]]", '[{"a":[{"b":1}]}]'),
    *("[" * depth + "]" * depth for depth in (5, 20, 31, 32, 33, 250)),
    *('{"a":' * depth + "1" + "}" * depth for depth in (19, 32, 33, 250)),
    *('"' + "x" * 9_000 + '"', '"' + "é" * 4_096 + '"', str([0] * 101), '"' + "\\u0001" * 99 + '"'),
    *('"2026-13-01"', '"9999-12-31T23:59:59-14:00"', '"0001-01-01T00:00:00+14:00"', '"1"', "1e12"),
    *("-1e10", "253402300800", "-62135596801", '"2026-03-02"', '"20260302T10"', '"2026-3-2 1:1"'),
    *(
        '"\\u001b]0;x\\u0007"',
        '"\\u202e\\u2066"',
        '"\\ud83c\\udff4\\udb40\\udc67"',
        '"\\r\\n\\u2028\\u0085"',
    ),
    *('"\\ufeff"', '"' + "\\u200d" * 1_300 + '"', '"' + "\\u001b" * 1_300 + '"'),
    *('"0"', '"null"', '"undefined"', '"a@b"', '"a@b.c"', '"ü@bücher.example"', '"a@xn--.com"'),
    *(
        '"Ada <a@b.example>"',
        '"@"',
        '"a@' + "b" * 300 + '.c"',
        '"' + "k" * 201 + '"',
        '"' + "ſ" * 64 + '"',
    ),
    *(
        '"İ@example.com"',
        '"\\u1e9e@ß.example"',
        '"https://a.b/?utm_source=%ff&gclid=" ',
        '"http://["',
    ),
    *(
        '"track"',
        '"identify"',
        '"group"',
        '"alias"',
        '"page"',
        '"screen"',
        '"购入"',
        '"\\n"',
        "[null]",
    ),
)

KEYS = (
    *("", " ", "__proto__", "constructor", "email", "e-mail", "EMAIL", "userId", "anonymousId"),
    *("messageId", "traits", "properties", "context", "batch", "sentAt", "timestamp", "writeKey"),
    *(
        "a" * 300,
        "ключ",
        "😀",
        "\0",
        "a.b",
        "a[b]",
        "`",
        "__x__",
        "_gotcha",
        "_redirect",
        "employees",
    ),
    *(
        "Company Size",
        "utm_source",
        "referrer",
        "page_url",
        "password",
        "id",
        "v",
        "events",
        "received_at",
    ),
)

CONTENT_TYPES = (
    *(b"", b"application/json", b"application/json; charset=utf-16", b"application/ld+json"),
    *(b"text/plain", b"text/plain; charset=latin1", b"text/plain;charset=utf-7", b"text/html"),
    *(b"application/x-www-form-urlencoded", b"application/x-www-form-urlencoded; charset=cp1252"),
    *(
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b"multipart/form-data; boundary=--",
    ),
    *(b"multipart/form-data; boundary=----WebKitFormBoundaryAb1", b"multipart/mixed; boundary=a"),
    *(b'multipart/form-data; boundary="a\\"b"', b"multipart/form-data; boundary=" + b"x" * 300),
    *(
        b"x/y",
        b"a/b; =;",
        b";",
        b"\xff\xfe",
        b"application/json" + b"; a=b" * 500,
        b"application/xml",
    ),
)

HEADERS = (
    (b"accept", b"text/html"),
    (b"user-agent", b"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
    (b"user-agent", b"ContextualBot" * 1_000),
    (b"user-agent", b"; id bot" * 2_000),
    (b"user-agent", b"\xff\x00" * 500),
    (b"sec-ch-ua", b'"HeadlessChrome";v="147"'),
    (b"sec-purpose", b"prefetch;prerender"),
    (b"purpose", b"prefetch;" * 5_000),
    (b"authorization", b"Basic bG9jYWw6"),
    (b"authorization", b"Basic c2VydmVyOg=="),
    (b"authorization", b"Basic =="),
    (b"authorization", b"Basic \xff"),
    (b"authorization", b"Bearer x"),
    (b"x-write-key", b"server"),
    (b"x-write-key", b"\xff"),
    (b"x-signature", b"sha256=00"),
    (b"x-signature", b"\xe9"),
    (b"idempotency-key", b"k-1"),
    (b"idempotency-key", b"k" * 300),
    (b"idempotency-key", b"\xff\x01"),
    (b"webhook-id", b"w\xff"),
    (b"content-encoding", b"gzip"),
    (b"content-encoding", b"br"),
    (b"content-encoding", b"GZIP, gzip"),
    (b"content-length", b"-1"),
    (b"content-length", b"0"),
    (b"content-length", b"9" * 30),
    (b"content-length", b"1, 2"),
    (b"content-length", b"\xb2"),
    (b"origin", b"null"),
    (b"origin", b"https://a.example\xff"),
    (b"access-control-request-headers", b"a, b\xff"),
    (b"referer", b"https://[a"),
    (b"referer", b"https://shop.example/pricing?utm_source=a"),
    (b"traceparent", b"00-" + b"a" * 32 + b"-b-01"),
    (b"x-cloud-trace-context", b"a" * 9_000),
    (b"expect", b"100-continue"),
    (b"if-none-match", b"*"),
)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _of_tools(function: str) -> tuple[bytes, ...]:
    """The paths of the function's senders, and others."""
    paths = [f"/{each.path}" for each in REGISTRY if each.function == function]
    odd = (
        *paths,
        "/",
        "/zoho",
        *(f"{path}{end}" for path in paths for end in ("/", "/x", "?key=%ff")),
    )
    return tuple(path.encode() for path in odd)


TARGETS = {
    **{each.name: _of_tools(each.name) for each in public()},
    FORMS.name: (b"/generic", b"/generic/", b"/generic/contact", b"/generic/signed", b"/generic/news",
              b"/generic/demo", b"/generic/Unknown", b"/generic/a/b", b"/", b"//generic", b"/GENERIC",
              b"/generic%2Fcontact", b"/generic/%00", b"/generic/%ff", b"/typeform", b"/generic?a=%ff"),
    TRACK.name: (b"/v1/track", b"/v1/identify", b"/v1/page", b"/v1/screen", b"/v1/group", b"/v1/alias",
              b"/v1/batch", b"/v1/import", b"/v1/t", b"/b", b"/beacon/v1/batch", b"/v1/pixel/track",
              b"/pixel/v1/identify?userId=1", b"/v1/pixel/batch", b"/v2/track", b"/v1//track",
              b"/v1/track?writeKey=local", b"/v1/track?" + b"a=1&" * 101, b"/v1/track?" + b"a" * 17_000,
              b"/warmlead.js", b"/v1/%2e%2e/track", b"/v1/track%20", b"/"),
    SALES.name: (b"/generic", b"/hubspot", b"/hubspot/", b"/hubspot/x", b"/salesforce", b"/pipedrive",
              b"/salesforce?token=a-token-of-the-tests-0123456789", b"/salesforce?token=%ff",
              b"/HubSpot", b"/hubspot%2F", b"/zoho", b"/", b"//hubspot", b"/generic?a=%ff"),
    MAIL.name: (b"/sendgrid", b"/sendgrid/", b"/sendgrid/a", b"/mailgun", b"/mailchimp?key=%ff",
              b"/mailchimp?key=mailchimp-address-key-41d0", b"/SendGrid", b"/resend%2F", b"/",
              b"//postmark", b"/brevo?a=%ff"),
    SCORE.name: (b"/", b"/x", b"/?a=b"),
}  # fmt: skip
