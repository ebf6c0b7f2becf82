"""The documented HTML form, posted by Chromium from a website of another origin."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from e2e.chromium import Website, chromium, visited
from e2e.ledger import drain
from served import Served, serving

pytestmark = pytest.mark.xdist_group("browser")

README = Path(__file__).parents[2] / "shared/warmlead/senders/generic/README.md"
(DOCUMENTED,) = re.findall(r"```html\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
SCRIPT = re.compile(r"<script>.*?</script>", re.DOTALL)
HEAD = "<!doctype html><meta charset=utf-8><title>Contact</title><link rel=icon href='data:,'>"
ANONYMOUS_ID = '<input type="hidden" name="anonymous_id">'
GOOGLE = "https://www.google.com/"
UNKNOWN = {"channel": "(unknown)", "source": "(unknown)"}


class ContactSite(Website):
    """A site on which the form stands, on every page; on ``/bare`` without the script.

    Below ``/tracked`` the snippet stands in its place, and a field for the anonymous id.
    """

    def __init__(self, warmlead: str) -> None:
        super().__init__()
        self.form: str = DOCUMENTED.replace("https://HOST/", f"{warmlead}/")
        self.snippet = f'<script src="{warmlead}/track/warmlead.js" data-key="local"></script>'

    def content(self, path: str) -> tuple[bytes, str]:
        return self._page(path).encode(), "text/html; charset=utf-8"

    def _page(self, path: str) -> str:
        if path.startswith("/bare"):
            return HEAD + SCRIPT.sub("", self.form)
        if path.startswith("/tracked"):
            form = SCRIPT.sub("", self.form)
            return HEAD + self.snippet + form.replace("</form>", f"{ANONYMOUS_ID}</form>")
        return HEAD + self.form

    def url(self, path: str) -> str:
        return f"http://localhost:{self.server_port}{path}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("warmlead")
    with serving(folder / "data", WARMLEAD_OWN_HOSTS="our-other-site.example") as served:
        yield served


@pytest.fixture
def site(server: Served) -> Iterator[ContactSite]:
    with visited(ContactSite(server.base)) as site:
        yield site


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def posted_from(
    url: str, page: Page, server: Served, *, referer: str | None = None
) -> dict[str, Any]:
    """The lead of a visitor who comes to a page, from a referrer or none, and sends the form."""
    email = f"{uuid.uuid4().hex}@example.com"
    page.goto(url, referer=referer)
    page.fill("[name=email]", email)
    with page.expect_navigation():
        page.click("button")
    drain(server)
    lead = server.lead(email)
    assert lead
    assert lead["events"]["form_submitted"] == 1
    return lead


CONTACT = {"landing_page": "/contact"}
TAGGED = {"utm_source": "google", "utm_medium": "cpc", "gclid": "G1", "referrer": GOOGLE, **CONTACT}
CASES = {
    ("/contact?utm_source=google&utm_medium=cpc&gclid=G1", GOOGLE): {
        **TAGGED,
        "channel": "Paid Search",
        "source": "google",
    },
    ("/contact?UTM_SOURCE=news&amp;utm_medium=email", None): {
        "utm_source": "news",
        "utm_medium": "email",
        **CONTACT,
        "channel": "Email",
        "source": "news",
    },
    ("/contact", GOOGLE): {
        "referrer": GOOGLE,
        **CONTACT,
        "channel": "Organic Search",
        "source": "google",
    },
    ("/contact", None): {"channel": "Direct", "source": "(direct)"},
    ("/contact?gclid=G1", "https://checkout.stripe.com/"): {
        "gclid": "G1",
        **CONTACT,
        "channel": "Paid Search",
        "source": "google",
    },
    ("/contact", "https://our-other-site.example/"): UNKNOWN,
}


@pytest.mark.parametrize("case", CASES)
def test_the_documented_form_carries_where_its_visitor_came_from(
    site: ContactSite, page: Page, server: Served, case: tuple[str, str | None]
) -> None:
    path, referer = case
    lead = posted_from(site.url(path), page, server, referer=referer)

    assert lead["first_touch"] == lead["last_touch"] == CASES[case]


def test_without_the_script_the_page_is_unknown_and_noted(
    site: ContactSite, page: Page, server: Served
) -> None:
    url = site.url("/bare?utm_source=google&utm_medium=cpc&gclid=G1")
    lead = posted_from(url, page, server, referer=GOOGLE)

    assert lead["first_touch"] == UNKNOWN


def test_with_the_snippet_the_page_on_which_the_visitor_landed_is_known(
    site: ContactSite, page: Page, server: Served
) -> None:
    page.goto(site.url("/tracked?gclid=G1"), referer=GOOGLE)
    lead = posted_from(site.url("/tracked/contact"), page, server)

    assert lead["first_touch"] == {
        "gclid": "G1",
        "referrer": GOOGLE,
        "landing_page": "/tracked",
        "channel": "Paid Search",
        "source": "google",
    }
    assert lead["last_touch"]["channel"] == "Paid Search"
