import pytest

from warmlead.web.edge import Cors

ORIGIN = "https://shop.example"


@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:8080", "null", "http://[::1]:80"])
def test_any_origin_is_echoed_with_credentials(origin: str) -> None:
    headers = Cors().headers({"origin": origin})

    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", ["", "*", "https://a b", "https://a\r\nX: y", "javascript:x"])
def test_what_is_no_origin_is_not_echoed(origin: str) -> None:
    assert Cors().headers({"origin": origin}) == {"Vary": "Origin"}


@pytest.mark.parametrize(
    "origin",
    [f"{ORIGIN}.evil.example", "http://shop.example", f"{ORIGIN}:8443", "null", "https://shop.ex"],
)
def test_a_list_of_origins_is_exact(origin: str) -> None:
    cors = Cors(frozenset({ORIGIN}))

    assert cors.headers({"origin": origin}) == {"Vary": "Origin"}
    assert cors.headers({"origin": ORIGIN})["Access-Control-Allow-Origin"] == ORIGIN


def test_a_preflight_gets_the_headers_that_it_asks_for() -> None:
    # What analytics-next and RudderStack's client ask for.
    wanted = "authorization,content-type,anonymousid,sentat,rsa-retry-attempt,x-write-key"

    answer = Cors().preflight({"origin": ORIGIN, "access-control-request-headers": wanted})

    assert answer.status == 204
    assert answer.body == b""
    assert answer.headers["Access-Control-Allow-Headers"] == wanted
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("wanted", ["", "a\r\nb: c", "x" * 2000, "a;b"])
def test_strange_header_lists_are_not_echoed(wanted: str) -> None:
    answer = Cors().preflight({"origin": ORIGIN, "access-control-request-headers": wanted})

    assert "Access-Control-Allow-Headers" not in answer.headers


def test_options_of_a_stranger_grants_nothing() -> None:
    answer = Cors(frozenset({ORIGIN})).preflight({"origin": "https://evil.example"})

    assert answer.status == 204
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
