"""What browsers send, analytics-next and plain forms, from a site of another origin."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from e2e.chromium import Website, chromium, visited
from e2e.ledger import drain
from e2e.node_clients import install_node_clients
from e2e.recording import Recorder, recording
from patience import until
from served import Served, serving

pytestmark = pytest.mark.xdist_group("browser")

PAGES = Path(__file__).parent / "clients"
PLAIN = "<!doctype html><title>Plain</title><link rel=icon href='data:,'>"
CAMPAIGN = "?utm_source=google&utm_medium=cpc&gclid=G1"
FORMS = "contact: {allow_unsigned: true, redirect_hosts: [site.example]}"


class Site(Website):
    """The visited website; its pages send to ``tracker``, another origin."""

    def __init__(self, tracker: str) -> None:
        super().__init__()
        self.tracker = tracker.removeprefix("http://")
        self.umd: Path | None = None
        self.fields = {"tracker": self.tracker, "port": str(self.server_port), "strategy": "null"}

    def url(self, path: str) -> str:
        return f"http://site.example:{self.server_port}{path}"

    def content(self, path: str) -> tuple[bytes, str]:
        if path.startswith("/umd/") and self.umd:
            return (self.umd / path.removeprefix("/umd/")).read_bytes(), "text/javascript"
        page = PAGES / f"{path.removeprefix('/')}.html"
        text = page.read_text("utf-8") if page.exists() else PLAIN
        for name, value in self.fields.items():
            text = text.replace(f"{{{name}}}", value)
        return text.encode(), "text/html; charset=utf-8"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("warmlead")
    (folder / "forms.yaml").write_text(FORMS)
    with serving(folder / "data", WARMLEAD_FORMS=str(folder / "forms.yaml")) as served:
        yield served


@pytest.fixture
def recorder(server: Served) -> Iterator[Recorder]:
    with recording(server.base) as recorder:
        yield recorder


@pytest.fixture
def site(recorder: Recorder) -> Iterator[Site]:
    with visited(Site(recorder.base)) as site:
        yield site


@pytest.fixture
def analytics_site(site: Site) -> Site:
    site.umd = install_node_clients() / "node_modules/@segment/analytics-next/dist/umd"
    return site


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new visitor; whatever a page does, no error may surface in it."""
    errors: list[str] = []
    context = browser.new_context(timezone_id="Europe/Zurich")
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context.new_page()
    context.close()
    assert errors == []


def opened(page: Page, site: Site, **strategy: Any) -> str:
    """A page with analytics-next, which delivers as told; returns the visitor's anonymous id."""
    site.fields["strategy"] = json.dumps(strategy or None)
    page.goto(site.url("/analytics-next" + CAMPAIGN), referer="https://www.google.com/")
    user = "analytics.ready().then(() => analytics.instance.user().anonymousId())"
    return str(page.evaluate(user))


def arrived(recorder: Recorder, calls: int) -> None:
    """Waits until so many calls were answered; then none was sent twice, and all were taken."""
    until(lambda: len(recorder.times_sent) >= calls and None not in recorder.statuses)
    assert recorder.statuses == {200}
    assert set(recorder.times_sent.values()) == {1}
    assert len(recorder.times_sent) == calls


def test_analytics_next_sends_every_call_once(
    server: Served, recorder: Recorder, analytics_site: Site, page: Page
) -> None:
    visitor = opened(page, analytics_site)
    page.evaluate(
        """async () => {
            await analytics.page("Product", "Pricing");
            await analytics.track("Content Downloaded", {kind: "whitepaper", name: "東京 🚀"});
            await analytics.identify("next-user", {
                email: "Next@Example.com",
                name: "Zoë Müller — 東京",
                company: {name: "Ünïcode Works", employees: 120},
            });
            await analytics.group("acct-7", {industry: "Software"});
            await analytics.screen("App", "Home");
            await analytics.alias("next-user", "next-before");
            await analytics.track("demoVideoOpened");
        }"""
    )
    arrived(recorder, 7)
    drain(server)

    lead = server.lead("next@example.com")

    assert lead
    assert lead["events"] == {
        "page_viewed": 1,
        "content_downloaded": 1,
        "identified": 1,
        "grouped": 1,
        "screen_viewed": 1,
        "aliased": 1,
        "demo_video_opened": 1,
    }
    assert lead["traits"] == {
        "name": "Zoë Müller — 東京",
        "company": "Ünïcode Works",
        "employees": 120,
        "industry": "Software",
        "company_id": "acct-7",
        "time_zone": "Europe/Zurich",
    }
    assert {kind: set(values) for kind, values in lead["identifiers"].items()} == {
        "email": {"next@example.com"},
        "user": {"next-user"},
        "anonymous": {visitor, "next-before"},
    }
    assert lead["first_touch"] == {
        "utm_source": "google",
        "utm_medium": "cpc",
        "gclid": "G1",
        "referrer": "https://www.google.com/",
        "landing_page": "/analytics-next",
        "channel": "Paid Search",
        "source": "google",
    }


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param({"strategy": "batching", "config": {"size": 100}}, id="batching"),
        pytest.param({"config": {"keepalive": True}}, id="keepalive"),
    ],
)
def test_events_sent_while_leaving_the_page_arrive(
    server: Served, recorder: Recorder, analytics_site: Site, page: Page, strategy: dict[str, Any]
) -> None:
    visitor = opened(page, analytics_site, **strategy)
    # What the client has taken it sends, at the latest when the page is left. What it is told in
    # the very moment of leaving it may keep for the next visit: that is the test below.
    page.evaluate(
        """async () => {
            const leaving = [0, 1, 2, 3, 4].map((i) => analytics.track(`Leaving ${i}`));
            await Promise.all([analytics.page(), ...leaving]);
        }"""
    )
    page.click("#away")
    page.wait_for_url("**/plain")
    until(lambda: len(recorder.times_sent) == 6)
    # Nobody is left on the page to be answered, so it is the lead that tells when all is there.
    until(lambda: sum((server.lead(visitor) or {"events": {}})["events"].values()) >= 6)

    lead = server.lead(visitor)

    assert set(recorder.times_sent.values()) == {1}
    assert lead
    leaving = {f"leaving_{i}": 1 for i in range(5)}
    assert lead["events"] == {"page_viewed": 1, **leaving}


def test_events_resent_after_a_return_count_once(
    server: Served, recorder: Recorder, analytics_site: Site, page: Page
) -> None:
    """What is unanswered when a page is left is kept by the client, and sent on its next page."""
    visitor = opened(page, analytics_site)
    page.evaluate("analytics.page().then(() => analytics.track('Calm'))")
    # A browser has six connections to a host. These three and the two before never wait for one.
    with recorder.holding_answers():
        page.evaluate("() => { for (let i = 0; i < 3; i++) analytics.track(`Hurried ${i}`) }")
        until(lambda: len(recorder.times_sent) == 5)
        page.goto(analytics_site.url("/plain"))
    opened(page, analytics_site)
    until(lambda: sum(times > 1 for times in recorder.times_sent.values()) == 3)
    until(lambda: len(recorder.accepted) == 5)
    drain(server)

    lead = server.lead(visitor)

    assert lead
    hurried = {f"hurried_{i}": 1 for i in range(3)}
    assert lead["events"] == {"page_viewed": 1, "calm": 1, **hurried}


@pytest.mark.parametrize(
    "enctype", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]
)
def test_a_form_leads_to_the_thank_you_page_and_makes_a_lead(
    server: Served, recorder: Recorder, site: Site, page: Page, enctype: str
) -> None:
    site.fields["enctype"] = enctype
    email = f"{enctype.rpartition('/')[2]}@example.com"
    page.goto(site.url("/forms"))
    page.fill("[name='contact[full_name]']", "Zoë Müller — 東京")
    page.fill("[name=E-Mail]", email)
    page.fill("[name=company]", "Ünïcode & Söhne = 1+1")
    page.select_option("[name=company_size]", "51-200")
    page.fill("[name=message]", "First line\nSecond: 100%")
    page.click("button")
    page.wait_for_url("**/thanks")

    assert [exchange.status for exchange in recorder.exchanges] == [303]
    drain(server)
    lead = server.lead(email)
    assert lead
    assert lead["events"] == {"form_submitted": 1}
    assert lead["traits"] == {
        "name": "Zoë Müller — 東京",
        "company": "Ünïcode & Söhne = 1+1",
        "employees": "51-200",
        "interests": ["scoring", "nurture & more"],
    }
    assert lead["first_touch"] == {
        "utm_source": "google",
        "landing_page": "/contact",
        "channel": "Organic Search",
        "source": "google",
    }


def test_a_form_makes_a_lead_but_does_not_follow_a_foreign_redirect(
    server: Served, recorder: Recorder, site: Site, page: Page
) -> None:
    site.fields["enctype"] = "multipart/form-data"
    page.goto(site.url("/forms"))
    page.evaluate("document.querySelector('[name=_redirect]').value = 'https://evil.example/'")
    page.fill("[name=E-Mail]", "elsewhere@example.com")
    page.click("button")
    page.wait_for_url("**/forms/generic/contact")

    assert page.inner_text("h1") == "Thank you"
    assert recorder.statuses == {200}
    drain(server)
    lead = server.lead("elsewhere@example.com")
    assert lead
    assert "redirect: was not followed" in lead["notes"][0]


FORM = """([action, charset, fields]) => {
    const form = document.createElement("form");
    Object.assign(form, {action, method: "post", acceptCharset: charset});
    for (const [name, value] of Object.entries(fields)) {
        const field = document.createElement("input");
        Object.assign(field, {name, value, type: name === "_charset_" ? "hidden" : "text"});
        form.append(field);
    }
    document.body.append(form);
    form.submit();
}"""


@pytest.mark.parametrize(
    "typed",
    [
        ("iso-8859-1", "Zoë “Ada” 東", {"_charset_": ""}),
        ("iso-8859-1", "Zoë", {}),
        ("shift_jis", "髙島 ①", {"_charset_": ""}),
        ("euc-kr", "김뷁수", {"_charset_": ""}),
        ("gb2312", "王镕", {"_charset_": ""}),
        ("big5", "王小明", {"_charset_": ""}),
        ("windows-1251", "Анна", {"_charset_": ""}),
        ("iso-8859-15", "Œuvre €", {"_charset_": ""}),
        ("utf-16", "Zoë 東京", {"_charset_": ""}),
    ],
)
def test_a_form_in_an_old_charset_is_read_as_it_was_typed(
    server: Served,
    recorder: Recorder,
    site: Site,
    page: Page,
    typed: tuple[str, str, dict[str, str]],
) -> None:
    charset, name, extra = typed
    email = f"{charset}{len(extra)}@example.com"
    page.goto(site.url("/plain"))
    action = f"{recorder.base}/forms/generic/contact"
    page.evaluate(FORM, [action, charset, {"email": email, "name": name, **extra}])
    page.wait_for_url("**/forms/generic/contact")

    assert page.inner_text("h1") == "Thank you"
    drain(server)
    lead = server.lead(email)
    assert lead
    assert lead["traits"] == {"name": name}
    assert bool(lead["notes"]) is not bool(extra)


def test_a_visitor_reads_what_to_do_in_their_language_and_has_lost_nothing(
    server: Served, recorder: Recorder, site: Site, browser: Browser
) -> None:
    context = browser.new_context(locale="de-DE", viewport={"width": 390, "height": 700})
    page = context.new_page()
    page.goto(site.url("/plain"))
    action = f"{recorder.base}/forms/generic/contact"
    page.evaluate(FORM, [action, "utf-8", {"email": "nobody@", "message": "x" * 9_000}])
    page.wait_for_url("**/forms/generic/contact")

    assert page.get_attribute("html", "lang") == "de"
    assert page.inner_text("h1") == "Bitte versuchen Sie es noch einmal"
    assert "E-Mail-Adresse" in page.inner_text("main")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("getComputedStyle(document.body).maxWidth") == "512px"  # the style applies
    assert recorder.statuses == {400}
    (entry,) = [e for e in server.json("quarantine", "list") if "nobody@" in e["content"]]
    assert (entry["reason"], len(json.loads(entry["content"])["message"])) == (
        "email_invalid",
        8192,
    )
    page.go_back()
    page.wait_for_url("**/plain")
    page.evaluate(FORM, [action, "utf-8", {"email": "jemand@example.com"}])
    page.wait_for_url("**/forms/generic/contact")
    assert page.inner_text("h1") == "Vielen Dank"
    page.click("text=Zurück zur Seite")
    page.wait_for_url(f"http://site.example:{site.server_port}/")
    context.close()


def test_a_script_posts_json_and_reads_the_answer(
    server: Served, recorder: Recorder, site: Site, page: Page
) -> None:
    page.goto(site.url("/plain"))
    answers = page.evaluate(
        """async (url) => {
            const post = async (body) => {
                const headers = {"Content-Type": "application/json"};
                const answer = await fetch(url, {method: "POST", headers, body});
                return [answer.status, await answer.json()];
            };
            const lead = {email: "fetched@example.com", full_name: "Zoë", company_size: 120};
            return [await post(JSON.stringify(lead)), await post("{")];
        }""",
        f"{recorder.base}/forms/generic/contact",
    )

    assert answers[0] == [200, {"success": True}]
    assert answers[1][0] == 400
    assert answers[1][1]["code"] == "json_invalid"
    drain(server)
    lead = server.lead("fetched@example.com")
    assert lead
    assert lead["traits"] == {"name": "Zoë", "employees": 120}
