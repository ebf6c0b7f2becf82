import pytest

from warmlead.web.edge import answer_preflight, cors_headers

ORIGIN = "https://shop.example"


@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:8080", "null", "http://[::1]:80"])
def test_any_origin_is_echoed_with_credentials(origin: str) -> None:
    headers = cors_headers({"origin": origin})

    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", ["", "*", "https://a b", "https://a\r\nX: y", "javascript:x"])
def test_an_invalid_origin_is_not_echoed(origin: str) -> None:
    assert cors_headers({"origin": origin}) == {"Vary": "Origin"}


def test_a_preflight_gets_the_headers_that_it_asks_for() -> None:
    # What analytics-next and RudderStack's client ask for.
    wanted = "authorization,content-type,anonymousid,sentat,rsa-retry-attempt,x-write-key"

    answer = answer_preflight({"origin": ORIGIN, "access-control-request-headers": wanted})

    assert answer.status == 204
    assert answer.body == b""
    assert answer.headers["Access-Control-Allow-Headers"] == wanted
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("wanted", ["", "a\r\nb: c", "x" * 2000, "a;b"])
def test_strange_header_lists_are_not_echoed(wanted: str) -> None:
    answer = answer_preflight({"origin": ORIGIN, "access-control-request-headers": wanted})

    assert "Access-Control-Allow-Headers" not in answer.headers


def test_options_without_an_origin_grants_nothing() -> None:
    answer = answer_preflight({"origin": "javascript:x"})

    assert answer.status == 204
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    ("asks", "answers"),
    [
        ({"webhook-request-origin": "eventemitter.example.com"}, ["eventemitter.example.com"]),
        (
            {"webhook-request-origin": "eventemitter.example.com", "webhook-request-rate": "120"},
            ["eventemitter.example.com", "*"],
        ),
        (
            {"webhook-request-origin": "e.example", "webhook-request-rate": "1\r\nX: y"},
            ["e.example"],
        ),
        ({"webhook-request-origin": "a b\r\nSet-Cookie: x"}, []),
        ({"webhook-request-rate": "120"}, []),
    ],
)
def test_a_sender_of_cloudevents_is_told_that_it_may_send(
    asks: dict[str, str], answers: list[str]
) -> None:
    headers = answer_preflight(asks).headers

    found = [headers.get(f"WebHook-Allowed-{name}") for name in ("Origin", "Rate")]
    assert [one for one in found if one] == answers
