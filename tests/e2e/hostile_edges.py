"""The table of hostile requests, continued: headers, framing, methods, paths, keys, signatures."""

import base64

from e2e.hostile_requests import (
    CANARY,
    CANARY_HEADER,
    EMAIL,
    SUBMISSION,
    TRACK,
    Row,
    authorised,
    call,
    form,
    hashed,
    signed,
    track,
)
from e2e.wire import JSON, KEY, Sent, request

HEADERS = [
    Row(
        "neither type nor form", form(EMAIL.encode(), CANARY_HEADER), 415, "media_type_unsupported"
    ),
    Row("image", form(SUBMISSION[1:], b"Content-Type: image/png"), 415, "media_type_unsupported"),
    Row("XML", form(b"<a/>", b"Content-Type: text/xml"), 415, "media_type_unsupported"),
    Row(
        "type of 30 KB",
        form(b"a", b"Content-Type: " + b"a" * 30_000),
        415,
        "media_type_unsupported",
    ),
    Row(
        "a header without end",
        Sent(request(TRACK).head[:-2] + b"X-Large: " + b"a" * 66_000),
        400,
        None,
    ),
    Row(
        "headers without end", Sent(request(TRACK).head[:-2] + b"X-Many: a\r\n" * 6_000), 400, None
    ),
    Row("NUL in a header", track(call(), b"X-Odd: a\0b"), 400, None),
    Row("space before the colon", track(call(), b"X-Odd : a"), 400, None),
    Row("two lengths", track(call(), b"Content-Length: 5"), 400, None),
    Row("negative length", request(TRACK, KEY, body=call(), length=b"-1"), 400, None),
    Row("length in words", request(TRACK, KEY, body=call(), length=b"many"), 400, None),
    Row("length beyond all bounds", request(TRACK, KEY, length=b"9" * 23), 400, None),
    Row(
        "unknown transfer encoding",
        request(TRACK, KEY, b"Transfer-Encoding: xchunked", body=call(), length=b""),
        400,
        None,
    ),
    Row(
        "gzip as transfer encoding",
        request(TRACK, KEY, b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n", length=b""),
        400,
        None,
    ),
    Row(
        "chunked twice",
        request(TRACK, KEY, *[b"Transfer-Encoding: chunked"] * 2, body=b"0\r\n\r\n", length=b""),
        400,
        None,
    ),
    Row(
        "a chunk's size that is none",
        request(TRACK, KEY, b"Transfer-Encoding: chunked", body=b"zz\r\nabc", length=b""),
        400,
        None,
    ),
    Row(
        "a chunk's size beyond all bounds",
        request(TRACK, KEY, b"Transfer-Encoding: chunked", body=b"f" * 30 + b"\r\nabc", length=b""),
        400,
        None,
    ),
    Row(
        "length and chunks, with a request hidden behind them",
        request(
            TRACK,
            KEY,
            b"Transfer-Encoding: chunked",
            body=b"0\r\n\r\n" + track(call()).head + call(),
        ),
        400,
        "body_empty",
    ),
    Row("no host", Sent(b"POST /v1/track HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), 400, None),
    Row("a TLS greeting", Sent(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), 400, None),
    Row("HTTP/2's preface", Sent(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 404, "not_found"),
    Row("unheard-of method", track(call(), line="BREW /v1/track"), 405, None),
    Row("method of 3 KB", track(call(), line=f"{'A' * 3000} /v1/track"), 405, None),
    Row("TRACE", request("TRACE /v1/track", KEY), 405, None),
    Row("CONNECT", request("CONNECT warmlead.example:443"), 404, "not_found"),
    Row("GET where one posts", request("GET /v1/track", KEY), 405, "method_not_allowed"),
    Row("PUT", track(call(), line="PUT /v1/track"), 405, "method_not_allowed"),
    Row("DELETE of a form", request("DELETE /forms/generic"), 405, "method_not_allowed"),
    Row("POST to the pixel", track(call(), line="POST /v1/pixel/track"), 405, "method_not_allowed"),
    Row(
        "an upgrade to websockets",
        request(
            "GET /v1/track",
            *(b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13"),
        ),
        405,
        "method_not_allowed",
    ),
]

PATHS = [
    Row("unknown path", track(call(), line=f"POST /{CANARY}"), 404, "not_found"),
    Row("unknown call", track(call(), line=f"POST /v1/{CANARY}"), 404, "not_found"),
    Row(
        "the function that only the bus may push to",
        track(call(), line="POST /score"),
        404,
        "not_found",
    ),
    Row("NUL in the path", track(call(), line="POST /v1/track%00"), 404, "not_found"),
    Row("half an escape in the path", track(call(), line="POST /v1/track%z"), 404, "not_found"),
    Row("up and elsewhere", track(call(), line="POST /forms/../v1/track"), 404, "not_found"),
    Row("two slashes", track(call(), line="POST //v1/track"), 404, "not_found"),
    Row("no slash", track(call(), line="POST v1/track"), 404, "not_found"),
    Row(
        "another host's path",
        track(call(), line="POST http://x.example/v1/track"),
        404,
        "not_found",
    ),
    Row("path of 20 KB", track(call(), line=f"POST /v1/{'a' * 20_000}"), 404, "not_found"),
    Row("letters beyond ASCII", request(b"POST /v1/tr\xc3\xa4ck", KEY, body=call()), 400, None),
    Row("form of no usable name", form(SUBMISSION, JSON, name="A_B"), 404, "not_found"),
    Row("query of 20 KB", track(call(), line=f"{TRACK}?{'a' * 20_000}"), 400, "query_invalid"),
    Row(
        "query of 101 fields",
        request(f"{TRACK}?{'&'.join(['a=1'] * 101)}", JSON, body=call()),
        400,
        "query_invalid",
    ),
    Row("unknown pixel", request(f"GET /v1/pixel/{CANARY}"), 404, "not_found"),
]

KEYS = [
    Row("no key", request(TRACK, JSON, body=call()), 401, "unauthorized"),
    Row("unknown key", authorised(b"Basic " + base64.b64encode(b"mallory:")), 401, "unauthorized"),
    Row(
        "the key as the password",
        authorised(b"Basic " + base64.b64encode(b":local")),
        401,
        "unauthorized",
    ),
    Row("not base64", authorised(b"Basic l\xc3\xb6cal:"), 401, "unauthorized"),
    Row("not base64 at all", authorised(b"Basic ====="), 401, "unauthorized"),
    Row("nothing after Basic", authorised(b"Basic"), 401, "unauthorized"),
    Row(
        "not UTF-8", authorised(b"Basic " + base64.b64encode(b"\xff\xfe\x00:")), 401, "unauthorized"
    ),
    Row("a bearer's token", authorised(b"Bearer local"), 401, "unauthorized"),
    Row(
        "key of 30 KB", authorised(b"Basic " + base64.b64encode(b"a" * 30_000)), 401, "unauthorized"
    ),
    Row(
        "unknown key in a header",
        request(TRACK, b"X-Write-Key: a", body=call()),
        401,
        "unauthorized",
    ),
    Row(
        "unknown key in the query",
        request(f"{TRACK}?writeKey=%FF", body=call()),
        401,
        "unauthorized",
    ),
    Row("unknown key in the body", request(TRACK, body=call(writeKey="a")), 401, "unauthorized"),
    Row("key that is no text", request(TRACK, body=call(writeKey=["local"])), 401, "unauthorized"),
    Row(
        "key with half a surrogate pair",
        request(TRACK, body=call(writeKey="\ud800")),
        401,
        "unauthorized",
    ),
]

SIGNATURES = [
    Row("unsigned", form(SUBMISSION, JSON, name="signed"), 401, "signature_missing"),
    Row(
        "only an id",
        form(SUBMISSION, JSON, b"webhook-id: msg_1", name="signed"),
        401,
        "signature_missing",
    ),
    Row("an empty signature", signed(signature=""), 401, "signature_invalid"),
    Row("not base64 signed", signed(signature="v1,@@@"), 401, "signature_invalid"),
    Row("bytes beyond ASCII signed", signed(signature="v1,\xe4\xf6"), 401, "signature_invalid"),
    Row("another scheme's signature", signed(signature="v1a,AAAA"), 401, "signature_invalid"),
    Row("1,000 signatures", signed(signature="v1,AAAA " * 1000), 401, "signature_invalid"),
    Row("another id than signed", signed(id="msg_2"), 401, "signature_invalid"),
    Row("an id with a dot", signed(signed_id="msg.1"), 401, "signature_invalid"),
    Row("an id of 300", signed(signed_id="m" * 300), 401, "signature_invalid"),
    Row("an empty id", signed(signed_id=""), 401, "signature_invalid"),
    Row("a time in words", signed(timestamp="now"), 401, "signature_invalid"),
    Row("a negative time", signed(timestamp="-1"), 401, "signature_invalid"),
    Row("a time of 30 digits", signed(timestamp="1" * 30), 401, "signature_invalid"),
    Row("signed an hour ago", signed(ago_s=3600), 401, "signature_expired"),
    Row("signed in an hour", signed(ago_s=-3600), 401, "signature_expired"),
    Row(
        "changed after signing",
        signed()._replace(body=[SUBMISSION.replace(b"name", b"nome")]),
        401,
        "signature_invalid",
    ),
    Row("unhashed", hashed(), 401, "signature_missing"),
    Row("an empty hash", hashed(b"X-Hub-Signature-256: "), 401, "signature_invalid"),
    Row(
        "another hash",
        hashed(b"X-Hub-Signature-256: sha256=" + b"0" * 64),
        401,
        "signature_invalid",
    ),
    Row("no hash", hashed(b"X-Hub-Signature-256: sha256=\xff\xfe"), 401, "signature_invalid"),
    Row("two hashes", hashed(*[b"X-Hub-Signature-256: a"] * 2), 401, "signature_invalid"),
]
