"""Who may look: whoever has the link, or whom Google names; and nobody else."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.auth import crypt, jwt

from warmlead.dashboard.access import (
    IAP_ISSUER,
    LinkAccess,
    SignedAccess,
    TokenAccess,
    Viewer,
    access_of,
    is_one_of,
    local_token,
    opening_link,
)
from warmlead.domain.errors import ConfigurationError, Reason, RejectedError
from warmlead.settings import Settings, read_settings
from warmlead.web.push import Certificates

TOKEN = "a-token-of-this-machine-that-nobody-guesses"
AUDIENCE = "/projects/1/locations/europe-west1/services/warmlead-dashboard"
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
USING = Settings(
    dashboard_auth="iap",
    dashboard_audience=AUDIENCE,
    dashboard_people=frozenset({"ada@example.com", "@example.org"}),
)


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def assertion(key: ec.EllipticCurvePrivateKey = KEY, key_id: str = "k1", **others: object) -> str:
    now = int(time.time())
    claims = {
        "iss": IAP_ISSUER,
        "aud": AUDIENCE,
        "email": "ada@example.com",
        "iat": now,
        "exp": now + 600,
        **others,
    }
    signer = crypt.ES256Signer.from_string(pem(key), key_id)
    return jwt.encode(signer, claims).decode()  # type: ignore[no-untyped-call,no-any-return]  # untyped


@pytest.fixture(scope="module")
def iap() -> Iterator[SignedAccess]:
    """IAP's keys, served as Google serves them."""
    public = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"k1": public.decode()}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        yield SignedAccess(Certificates(url), USING, header="x-goog-iap-jwt-assertion")
        server.shutdown()
        thread.join()


async def refused(access: Any, headers: Mapping[str, str]) -> Reason:
    with pytest.raises(RejectedError) as caught:
        await access.viewer(headers)
    return caught.value.reason


# --- the link ------------------------------------------------------------------------------


async def test_only_the_cookie_of_the_link_opens_the_pages() -> None:
    access = LinkAccess(TOKEN)
    cookie = access.opened(TOKEN, is_secure=False).partition(";")[0]
    assert (await access.viewer({"cookie": f"other=1; {cookie}; more=2"})).name == "local"
    name = cookie.partition("=")[0]
    others = ('a={"x":1}', 'b="open', "é=1", "x", "[]=1", f"c={'z' * 9_000}", f"{name}=older")
    for other in others:  # of whatever else listens on this machine
        for header in (f"{other}; {cookie}", f"{cookie}; {other}"):
            assert (await access.viewer({"cookie": header})).name == "local"
    for header in (
        "",
        name,
        f"{name}=",
        f"{name}={TOKEN}",
        f"{cookie}x",
        cookie.upper(),
        "\x00;=;",
    ):
        assert await refused(access, {"cookie": header}) is Reason.UNAUTHORIZED


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "é"])
def test_another_token_gets_no_cookie(token: str) -> None:
    with pytest.raises(RejectedError):
        LinkAccess(TOKEN).opened(token, is_secure=False)


def test_the_cookie_is_for_no_script_and_no_other_site_and_is_not_the_token() -> None:
    cookie = LinkAccess(TOKEN).opened(TOKEN, is_secure=True)
    assert {"HttpOnly", "SameSite=Strict", "Secure"} <= set(cookie.split("; "))
    assert TOKEN not in cookie


async def test_the_cookie_of_another_server_does_not_open_the_pages() -> None:
    cookie = LinkAccess(TOKEN + "2").opened(TOKEN + "2", is_secure=False).partition(";")[0]
    assert await refused(LinkAccess(TOKEN), {"cookie": cookie}) is Reason.UNAUTHORIZED


def test_the_token_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    token = local_token(folder)
    assert len(token) >= 32
    assert local_token(folder) == token
    assert (folder / "dashboard-token").stat().st_mode & 0o777 == 0o600
    (folder / "dashboard-token").write_text("short")
    with pytest.raises(ConfigurationError):
        local_token(folder)


def test_the_link_is_printed_only_where_a_link_opens_the_pages(tmp_path: Path) -> None:
    assert "token=" in opening_link(Settings(data=tmp_path), "http://here")
    assert "token" not in opening_link(USING, "http://here")


# --- IAP -----------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@Example.com", "anybody@example.org"])
async def test_iap_lets_in_whom_the_settings_name(iap: SignedAccess, email: str) -> None:
    viewer = await iap.viewer({"x-goog-iap-jwt-assertion": assertion(email=email)})
    assert viewer == Viewer(email.lower())


WRONG: Mapping[str, Callable[[], str]] = {
    "none": lambda: "",
    "no token": lambda: "abc",
    "another key": lambda: assertion(OTHER_KEY),
    "an unknown key": lambda: assertion(key_id="k2"),
    "another audience": lambda: assertion(aud="/projects/2/locations/x/services/y"),
    "several audiences": lambda: assertion(aud=[AUDIENCE, "other"]),
    "another issuer": lambda: assertion(iss="https://accounts.google.com"),
    "over": lambda: assertion(iat=int(time.time()) - 900, exp=int(time.time()) - 300),
    "not begun": lambda: assertion(nbf=int(time.time()) + 900),
    "the signature taken off": lambda: assertion().rpartition(".")[0] + ".",
}


@pytest.mark.parametrize("fault", WRONG)
async def test_iap_refuses_a_wrong_assertion(iap: SignedAccess, fault: str) -> None:
    headers = {"x-goog-iap-jwt-assertion": WRONG[fault]()}
    assert await refused(iap, headers) is Reason.UNAUTHORIZED


async def test_unsigned_headers_of_iap_count_for_nothing(iap: SignedAccess) -> None:
    headers = {"x-goog-authenticated-user-email": "accounts.google.com:ada@example.com"}
    assert await refused(iap, headers) is Reason.UNAUTHORIZED


@pytest.mark.parametrize("email", ["eve@example.com", "x@notexample.org", "", None, "@example.org"])
async def test_iap_refuses_others_who_are_signed_in(iap: SignedAccess, email: object) -> None:
    headers = {"x-goog-iap-jwt-assertion": assertion(email=email)}
    assert await refused(iap, headers) is Reason.FORBIDDEN


def test_nobody_is_among_no_people() -> None:
    assert not is_one_of("ada@example.com", frozenset())


def test_in_production_the_settings_must_say_who_may_look() -> None:
    def faults(**given: Any) -> list[str]:
        return Settings(env="production", **given).faults_for("dashboard")

    assert faults(backend="gcp", project="p")
    assert faults(dashboard_auth="iap")
    assert faults(dashboard_tokens={"panel": "short"})
    assert not faults()
    assert not faults(dashboard_auth="iap", dashboard_audience=AUDIENCE)


def test_people_and_tokens_are_read_from_lists() -> None:
    using = read_settings(
        {
            "WARMLEAD_DASHBOARD_PEOPLE": "Ada@example.com, @example.org,",
            "WARMLEAD_DASHBOARD_TOKENS": "panel:one:two, notebook:three",
        }
    )
    assert using.dashboard_people == {"ada@example.com", "@example.org"}
    assert using.dashboard_tokens == {"panel": "one:two", "notebook": "three"}
    with pytest.raises(ConfigurationError):
        read_settings({"WARMLEAD_DASHBOARD_TOKENS": "only-a-token"})


def test_the_settings_choose_the_access(tmp_path: Path) -> None:
    assert isinstance(access_of(Settings(data=tmp_path)), LinkAccess)
    assert isinstance(access_of(USING), SignedAccess)


# --- readers -------------------------------------------------------------------------------


async def test_a_reader_has_a_token_of_its_own_and_may_state_nothing() -> None:
    link = LinkAccess(TOKEN)
    access = TokenAccess({"panel": "p" * 40}, link)
    assert await access.viewer({"authorization": "Bearer " + "p" * 40}) == Viewer(
        "panel", may_state=False
    )
    for header in ("Bearer " + "p" * 39, "Basic " + "p" * 40, "Bearer", "p" * 40):
        assert await refused(access, {"authorization": header}) is Reason.UNAUTHORIZED
    cookie = link.opened(TOKEN, is_secure=False).partition(";")[0]
    assert (await access.viewer({"cookie": cookie})).may_state
