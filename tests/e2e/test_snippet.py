import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from e2e.chromium import chromium, visited
from patience import PATIENCE_S
from warmlead.web.snippet import snippet_etag, snippet_js

pytestmark = pytest.mark.xdist_group("browser")

PAGES = Path(__file__).parent / "pages"
PLAIN = "<!doctype html><title>Plain</title><body>"


class Request(NamedTuple):
    method: str
    host: str
    path: str
    headers: dict[str, str]
    body: str


class Web(ThreadingHTTPServer):
    """Every host of the test: the visited site, its partner and its backend, and the tracker.

    The tracker answers as the `track` function does: 200, and CORS for whoever asks.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.snippet = "/track/warmlead.js"
        self.tracker_is_up = True
        self.requests: list[Request] = []
        self.arrived = threading.Condition()

    def url(self, path: str, host: str = "site") -> str:
        return f"http://{host}.example:{self.server_port}{path}"

    def page(self, path: str) -> str:
        if path.startswith("/plain"):
            return PLAIN
        if path.startswith("/sandbox"):
            return PLAIN + '<iframe sandbox="allow-scripts" src="/inside"></iframe>'
        text = (PAGES / "site.html").read_text("utf-8")
        places = {
            "{snippet}": self.url(self.snippet, "tracker"),
            "{partner}": self.url("", "partner"),
            "{backend}": self.url("", "backend"),
        }
        for place, url in places.items():
            text = text.replace(place, url)
        return text

    def got(self, method: str, host: str) -> list[Request]:
        return [r for r in self.requests if r.method == method and r.host == host]

    def batches(self) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.got("POST", "tracker")]

    def events(self) -> list[dict[str, Any]]:
        return [event for batch in self.batches() for event in batch["batch"]]

    def wait_for(self, *expected: str) -> list[dict[str, Any]]:
        """The events, once as many have come as expected; they are exactly these, in any order."""
        with self.arrived:
            self.arrived.wait_for(lambda: len(self.events()) >= len(expected), PATIENCE_S)
        events = self.events()
        assert sorted(map(label, events)) == sorted(expected)
        return events


def label(event: dict[str, Any]) -> str:
    return str(event["event"] if event["type"] == "track" else event["type"])


class Answer(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        self.note()
        path = self.path.partition("?")[0]
        if path.endswith("/warmlead.js"):
            self.reply(200, snippet_js(), "text/javascript")
        elif path.startswith(("/files/", "/library/", "/favicon")):
            self.reply(204)
        else:
            self.reply(200, self.server.page(path).encode())

    def do_POST(self) -> None:
        self.note(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if not self.server.tracker_is_up:
            self.close_connection = True
            return
        self.reply(200, PLAIN.encode())

    def do_OPTIONS(self) -> None:
        self.note()
        self.reply(204)

    def note(self, body: str = "") -> None:
        host = self.headers["Host"].partition(".")[0]
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.arrived:
            self.server.requests.append(Request(self.command, host, self.path, headers, body))
            self.server.arrived.notify_all()

    def reply(self, status: int, body: bytes = b"", content_type: str = "text/html") -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "*"))
        self.send_header("Access-Control-Allow-Credentials", "true")
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Nothing is logged."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(without=["--disable-back-forward-cache"]) as browser:
        yield browser


@pytest.fixture
def web() -> Iterator[Web]:
    with visited(Web()) as web:
        yield web


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """A new visitor's browser; whatever it does, no error may surface in a page."""
    errors: list[str] = []
    context = browser.new_context()
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    context.close()
    assert not errors


@pytest.fixture
def page(visitor: BrowserContext) -> Page:
    return visitor.new_page()


def switch_tab(page: Page, *, hidden: bool) -> None:
    """As when another tab is brought to the front, which a headless browser does not tell."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", {get: () => hidden, configurable: true});
            document.dispatchEvent(new Event("visibilitychange", {bubbles: true}));
        }""",
        hidden,
    )


def test_it_stays_below_two_kilobytes() -> None:
    assert len(snippet_js()) < 2048


def test_the_built_script_is_that_of_the_source() -> None:
    folder = files("warmlead.web.snippet")
    for line in folder.joinpath("SHA256SUMS").read_text("ascii").splitlines():
        digest, name = line.split()
        content = folder.joinpath(name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest, f"{name}: run `make snippet`"


def test_the_etag_is_that_of_the_script() -> None:
    assert snippet_etag().strip('"') in hashlib.sha256(snippet_js()).hexdigest()


def test_a_page_view_says_where_the_visitor_is_and_came_from(web: Web, page: Page) -> None:
    query = "?utm_source=google&utm_medium=cpc&utm_campaign=spring+sale&gclid=G1&id=7"
    page.goto(web.url("/pricing" + query + "#plans"), referer="https://www.google.com/")

    [event] = web.wait_for("page")
    where = {
        "url": web.url("/pricing" + query),
        "path": "/pricing",
        "title": "Acme",
        "referrer": "https://www.google.com/",
    }
    assert event["context"]["page"] == event["properties"] == where
    assert event["context"]["campaign"] == {
        "utm_source": "google",
        "utm_medium": "cpc",
        "utm_campaign": "spring sale",
        "gclid": "G1",
    }
    assert event["messageId"]
    assert event["anonymousId"]


def test_a_batch_is_posted_as_text_without_a_preflight(web: Web, page: Page) -> None:
    page.goto(web.url("/"))

    [event] = web.wait_for("page")
    [batch] = web.batches()
    assert batch["writeKey"] == "wk_acme"
    assert batch["sentAt"] == event["timestamp"]
    [request] = web.got("POST", "tracker")
    assert request.path == "/track/v1/b"
    assert request.headers["content-type"].startswith("text/plain")
    assert not web.got("OPTIONS", "tracker")


@pytest.mark.parametrize(
    ("snippet", "endpoint"),
    [
        ("/warmlead.js", "/v1/b"),
        ("/v1/warmlead.js", "/v1/b"),
        ("/track/v1/warmlead.js", "/track/v1/b"),
        ("/track/warmlead.js?v=2", "/track/v1/b"),
    ],
)
def test_events_go_where_the_script_came_from(
    web: Web, page: Page, snippet: str, endpoint: str
) -> None:
    web.snippet = snippet
    page.goto(web.url("/"))

    web.wait_for("page")
    assert [request.path for request in web.got("POST", "tracker")] == [endpoint]


@pytest.mark.parametrize(
    "click_id",
    ["gclid", "wbraid", "fbclid", "msclkid", "li_fat_id", "ttclid", "rdt_cid", "ScCid", "GCLID"],
)
def test_click_ids_and_campaign_are_kept_for_the_session(
    web: Web, page: Page, click_id: str
) -> None:
    page.goto(web.url(f"/?{click_id}=C1&utm_term=crm&email=ada@engines.example"))
    page.goto(web.url("/pricing"))

    events = web.wait_for("page", "Page Left", "page")
    for event in events:
        assert event["context"]["campaign"] == {click_id: "C1", "utm_term": "crm"}


def test_ids_are_stable_over_pages_and_message_ids_are_not(web: Web, page: Page) -> None:
    page.goto(web.url("/"))
    page.goto(web.url("/pricing"))
    page.context.new_page().goto(web.url("/docs"))

    events = web.wait_for("page", "Page Left", "page", "page")
    assert len({event["anonymousId"] for event in events}) == 1
    assert len({event["messageId"] for event in events}) == len(events)


def test_each_change_of_the_url_is_one_page_view(web: Web, page: Page) -> None:
    page.goto(web.url("/"))
    web.wait_for("page")
    page.evaluate("history.pushState({}, '', '/pricing'); document.title = 'Pricing'")
    web.wait_for("page", "Page Left", "page")
    page.evaluate("history.replaceState({}, '', '/pricing?plan=pro')")
    web.wait_for("page", *("Page Left", "page") * 2)
    page.evaluate("history.back()")
    events = web.wait_for("page", *("Page Left", "page") * 3)

    views = [event["properties"] for event in events if event["type"] == "page"]
    assert [view["path"] for view in views] == ["/", "/pricing", "/pricing", "/"]
    assert views[1]["title"] == "Pricing"
    left = [event["context"]["page"]["path"] for event in events if label(event) == "Page Left"]
    assert left == ["/", "/pricing", "/pricing"]


def test_navigation_to_the_same_url_is_no_page_view(web: Web, page: Page) -> None:
    page.goto(web.url("/docs"))
    page.evaluate("history.replaceState({scroll: 7}, '', location.href)")
    page.evaluate("history.pushState({}, '', '#part-2'); location.hash = 'access_token=1'")
    page.evaluate("history.pushState({}, '', '/a'); history.replaceState({}, '', '/b')")
    page.evaluate("history.pushState({}, '', '#/routed')")

    events = web.wait_for("page", *("Page Left", "page") * 2)
    urls = {event["properties"]["url"] for event in events if event["type"] == "page"}
    assert urls == {web.url("/docs"), web.url("/b"), web.url("/b#/routed")}


def test_the_time_until_the_page_is_hidden_is_sent_once(web: Web, page: Page) -> None:
    page.clock.install()
    page.goto(web.url("/pricing"))
    web.wait_for("page")
    page.clock.fast_forward(42_000)
    switch_tab(page, hidden=True)
    switch_tab(page, hidden=False)
    page.clock.fast_forward(42_000)
    switch_tab(page, hidden=True)
    page.goto(web.url("/plain"))
    page.goto(web.url("/end"))

    events = web.wait_for("page", "Page Left", "page")
    [left] = [event for event in events if label(event) == "Page Left"]
    assert left["properties"]["seconds"] == 42
    assert left["properties"]["path"] == "/pricing"


def test_a_closed_page_is_left(web: Web, page: Page) -> None:
    page.goto(web.url("/"))
    web.wait_for("page")
    page.close(run_before_unload=True)

    web.wait_for("page", "Page Left")


def test_a_page_is_viewed_when_it_is_first_seen(web: Web, page: Page) -> None:
    page.add_init_script(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: 1})"
    )
    page.goto(web.url("/"))
    page.evaluate("warmlead('track', {event: 'Opened'})")
    web.wait_for("Opened")
    switch_tab(page, hidden=False)

    web.wait_for("Opened", "page")


def test_a_page_that_comes_back_is_viewed_again(web: Web, page: Page) -> None:
    page.goto(web.url("/"))
    page.evaluate("window.kept = true")
    page.goto(web.url("/plain"))
    page.evaluate("history.back()")

    web.wait_for("page", "Page Left", "page")
    assert page.evaluate("kept"), "the page came from the network, not from the cache"


@pytest.mark.parametrize("button", ["left", "middle"])
def test_an_outbound_click_is_sent(web: Web, page: Page, button: Any) -> None:
    page.goto(web.url("/"))
    page.click("#outbound b", button=button)

    [click] = [
        event
        for event in web.wait_for(
            "page", "Outbound Link Clicked", *(["Page Left"] if button == "left" else [])
        )
        if label(event) == "Outbound Link Clicked"
    ]
    assert click["properties"] == {"url": web.url("/plain", "partner"), "content": "Our partner"}


def test_other_clicks_are_not_sent(web: Web, page: Page) -> None:
    page.goto(web.url("/"))
    page.click("#outbound", button="right")
    page.click("#mail")
    page.click("body")
    page.click("#internal")
    page.goto(web.url("/end"))

    web.wait_for("page", "Page Left", "page")


def test_downloads_are_sent_with_their_kind(web: Web, page: Page) -> None:
    page.goto(web.url("/"))
    page.click("#guide")
    web.wait_for("page", "Content Downloaded")
    page.click("#ebook")

    events = web.wait_for("page", "Content Downloaded", "Content Downloaded")
    assert [e["properties"] for e in events if label(e) == "Content Downloaded"] == [
        {"url": web.url("/files/Buyers-Guide.PDF?v=3"), "content": "Read it", "kind": "PDF"},
        {"url": web.url("/library/42"), "content": "The ebook", "kind": "ebook"},
    ]


@pytest.mark.parametrize("link", ["#guide", "#ebook"])
def test_a_double_click_on_a_link_counts_once(web: Web, page: Page, link: str) -> None:
    page.goto(web.url("/"))
    page.dblclick(link)
    # Behind the clicks, in the page's own order: their downloads would cut off a `goto`.
    page.evaluate("location.href = '/end'")

    web.wait_for("page", "Content Downloaded", "Page Left", "page")


def test_a_marked_form_is_captured_and_still_submitted(web: Web, page: Page) -> None:
    page.goto(web.url("/"))
    page.click("#demo button")
    page.wait_for_url("**/demo")

    events = web.wait_for("page", "identify", "demo_requested", "Page Left")
    by_label = {label(event): event for event in events}
    assert by_label["identify"]["traits"] == {
        "name": "Ada Lovelace",
        "email_opt_in": "on",
        "email": "ada@engines.example",
        "message": "Hello — Zoë",
        "employees": "50-499",
        "plan": "pro",
    }
    assert by_label["demo_requested"]["properties"] == {"form": "book-a-demo"}
    assert "secret" not in json.dumps(events)
    [submitted] = web.got("POST", "backend")
    fields = parse_qs(submitted.body)
    assert fields["login"] == ["secret-password"]
    assert fields["go"] == ["1"]
    assert fields["anonymous_id"] == [by_label["identify"]["anonymousId"]]


def test_a_form_that_a_script_submits_is_captured(web: Web, page: Page) -> None:
    page.goto(web.url("/"))
    page.click("#newsletter button")

    by_label = {label(e): e for e in web.wait_for("page", "identify", "Form Submitted")}
    assert by_label["identify"]["traits"] == {"elsewhere": "x", "email": "ada@engines.example"}
    assert by_label["Form Submitted"]["properties"] == {"form": "newsletter"}


def test_a_double_click_counts_once(web: Web, page: Page) -> None:
    page.goto(web.url("/"))
    page.dblclick("#newsletter button")
    page.click("#newsletter button")
    page.goto(web.url("/end"))

    web.wait_for("page", "identify", "Form Submitted", "Page Left", "page")


def test_a_correction_counts_as_its_own_and_so_does_another_form(web: Web, page: Page) -> None:
    page.goto(web.url("/"))
    page.dblclick("#newsletter button")
    page.fill("#newsletter [name=e-mail]", "ada.lovelace@engines.example")
    page.dblclick("#newsletter button")
    page.fill("#second [name=e-mail]", "ada.lovelace@engines.example")
    page.dblclick("#second button")
    page.goto(web.url("/end"))

    events = web.wait_for("page", *("identify", "Form Submitted") * 3, "Page Left", "page")
    assert [event["traits"]["email"] for event in events if event["type"] == "identify"] == [
        "ada@engines.example",
        *["ada.lovelace@engines.example"] * 2,
    ]


def test_the_same_content_counts_again_after_a_while(web: Web, page: Page) -> None:
    page.clock.install()
    page.goto(web.url("/"))
    page.click("#newsletter button")
    page.clock.fast_forward(4_000)
    page.click("#newsletter button")
    web.wait_for("page", "identify", "Form Submitted")
    page.clock.fast_forward(6_000)
    page.click("#newsletter button")

    page.goto(web.url("/end"))
    web.wait_for("page", *("identify", "Form Submitted") * 2, "Page Left", "page")


def test_a_form_that_asks_for_it_gets_the_anonymous_id(web: Web, page: Page) -> None:
    page.goto(web.url("/"))
    page.click("#warm button")
    page.wait_for_url("**/forms/generic")

    events = web.wait_for("page", "Page Left")
    [submitted] = web.got("POST", "backend")
    assert parse_qs(submitted.body)["anonymous_id"] == [events[0]["anonymousId"]]


def test_the_page_can_send_events_of_its_own(web: Web, page: Page) -> None:
    page.goto(web.url("/"))
    page.evaluate("warmlead('track', {event: 'Demo Watched', properties: {minutes: 3}})")
    page.evaluate("warmlead('identify', {userId: 'u-1', traits: {plan: 'pro'}})")
    page.evaluate("warmlead('track', {event: 'Circular', properties: {window}})")

    by_label = {label(e): e for e in web.wait_for("page", "Demo Watched", "identify")}
    assert by_label["Demo Watched"]["properties"] == {"minutes": 3}
    assert by_label["identify"]["userId"] == "u-1"


@pytest.mark.parametrize(
    "signal", ["doNotTrack', {value: '1'}", "globalPrivacyControl', {value: true}"]
)
def test_a_visitor_who_opted_out_is_not_tracked(
    web: Web, visitor: BrowserContext, signal: str
) -> None:
    visitor.add_init_script(f"Object.defineProperty(Navigator.prototype, '{signal})")
    page = visitor.new_page()
    page.goto(web.url("/?gclid=G1"))
    page.evaluate("warmlead('track', {event: 'Demo Watched'})")
    page.evaluate("history.pushState({}, '', '/pricing')")
    page.click("#ebook")
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    page.click("#demo button")
    page.wait_for_url("**/demo")
    page.goto(web.url("/plain"))

    assert not web.got("POST", "tracker")
    assert not visitor.cookies()
    [submitted] = web.got("POST", "backend")
    assert "anonymous_id=&" in submitted.body


@pytest.mark.parametrize(
    "beacon",
    [
        "delete Navigator.prototype.sendBeacon",
        "Navigator.prototype.sendBeacon = () => false",
    ],
    ids=["missing", "full"],
)
def test_without_a_beacon_it_fetches(web: Web, visitor: BrowserContext, beacon: str) -> None:
    visitor.add_init_script(beacon)
    # Without keepalive a page that is left may drop the request; here that would rarely show.
    visitor.add_init_script(
        "let post = fetch; fetch = (url, how) => how.keepalive && post(url, how)"
    )
    page = visitor.new_page()
    page.goto(web.url("/"))
    web.wait_for("page")
    page.close(run_before_unload=True)

    web.wait_for("page", "Page Left")
    assert not web.got("OPTIONS", "tracker")


def test_a_tracker_that_is_down_does_not_disturb_the_page(
    web: Web, visitor: BrowserContext
) -> None:
    web.tracker_is_up = False
    visitor.add_init_script("delete Navigator.prototype.sendBeacon")
    page = visitor.new_page()
    with page.expect_event("requestfailed"):
        page.goto(web.url("/"))
    page.click("#internal")
    page.wait_for_url("**/plain")


def test_without_local_storage_the_id_is_in_a_cookie(web: Web, visitor: BrowserContext) -> None:
    visitor.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException() }})"
    )
    page = visitor.new_page()
    page.goto(web.url("/deep/down?gclid=G1"))
    page.goto(web.url("/"))

    events = web.wait_for("page", "Page Left", "page")
    [cookie] = visitor.cookies()
    assert {event["anonymousId"] for event in events} == {cookie["value"]}
    campaigns = [e["context"]["campaign"] for e in events if e["properties"]["path"] != "/"]
    assert campaigns == [{"gclid": "G1"}] * 2


def test_without_any_storage_events_are_sent_all_the_same(web: Web, page: Page) -> None:
    page.goto(web.url("/sandbox"))

    [event] = web.wait_for("page")
    assert event["anonymousId"]
    assert event["properties"]["path"] == "/inside"


def test_embedded_twice_it_counts_once(web: Web, page: Page) -> None:
    page.goto(web.url("/"))
    page.add_script_tag(url=web.url("/track/warmlead.js", "tracker"))
    page.goto(web.url("/end"))

    web.wait_for("page", "Page Left", "page")
