"""Who did not look: what a request declares is heard, and no person is taken for a robot."""

import re

import pytest
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from builders import NOW
from senders.agents import DECLARED, PEOPLE, SERVERS
from warmlead.domain.event import Automation, Trust
from warmlead.ports import RawRequest
from warmlead.senders import automation
from warmlead.senders.automation import MAX_AGENT, is_statement, of_agent, of_request, of_visitor

CHROME = PEOPLE[0]
GOOGLEBOT = DECLARED[0][0]


def a_request(method: str = "POST", **headers: str) -> RawRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return RawRequest(method, "/v1/page", "", named, b"", NOW, "r-1")


@pytest.mark.parametrize("agent", PEOPLE)
def test_people_are_no_robots(agent: str) -> None:
    assert of_agent(agent) is None


@pytest.mark.parametrize("agent", SERVERS)
def test_a_relay_of_peoples_events_is_no_robot(agent: str) -> None:
    assert of_agent(agent) is None


@pytest.mark.parametrize(("agent", "declared"), DECLARED)
def test_self_declared_robots_are_recognised(agent: str, declared: Automation) -> None:
    assert of_agent(agent) is declared


@pytest.mark.parametrize(
    "agent",
    [
        "LiveJournal.com (webmaster@livejournal.com; for http://www.livejournal.com/users/a/)",
        "distilator/0.1 (http://people.example.org/~someone/distilator/)",
        "Acme Forms 2.1 (https://acme-forms.example)",
        # names that within a browser's are people's
        "008/0.83 (http://www.advancedwebranking.com)",
        "Magellan/1.0 (http://magellan.example/about)",
        "Blackboard Safeassign (https://blackboard.example)",
    ],
)
def test_an_agent_that_says_where_to_read_about_it_is_no_browser(agent: str) -> None:
    request = a_request(user_agent=agent)
    assert of_request(request, Trust.PUBLIC) is Automation.ROBOT
    assert of_visitor({"userAgent": agent}) is Automation.ROBOT
    # a tool that nobody knows may hand on what a person has typed
    assert of_request(request, Trust.PUBLIC, is_form=True) is None


def test_the_proxy_of_a_mailbox_is_a_reader_though_it_says_where_to_read_about_it() -> None:
    agent = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
    assert of_agent(agent) is None
    assert of_agent(f"Another{agent}") is Automation.ROBOT


def test_the_samples_have_sixty_agents_of_each_kind() -> None:
    assert len(PEOPLE) >= 60
    assert len(DECLARED) >= 60


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_purpose": "prefetch"},
        {"sec_purpose": "prefetch;prerender"},
        {"sec_purpose": "prefetch;anonymous-client-ip"},
        {"sec_purpose": " Prefetch ; prerender"},
        {"purpose": "prefetch"},
        {"purpose": "preview"},
        {"x_moz": "prefetch"},
        {"x_purpose": "preview"},
    ],
)
def test_prefetched_pages_are_no_views(headers: dict[str, str]) -> None:
    request = a_request(user_agent=CHROME, **headers)
    assert of_request(request, Trust.PUBLIC) is Automation.PREFETCH
    assert of_request(request, Trust.SIGNED) is None


def test_other_purpose_headers_are_ignored() -> None:
    for purpose in ("", "navigate", "analytics", "pre", "no-prefetch", "x" * 100_000):
        assert of_request(a_request(purpose=purpose, sec_purpose=purpose), Trust.PUBLIC) is None


def test_the_head_of_a_pixel_is_no_view() -> None:
    for trust in Trust:
        assert of_request(a_request("HEAD", user_agent=CHROME), trust) is Automation.HEAD
        assert of_request(a_request("GET", user_agent=CHROME), trust) is None


def test_the_agent_of_a_signed_request_is_a_servers() -> None:
    request = a_request(user_agent=GOOGLEBOT)
    assert of_request(request, Trust.SIGNED) is None
    assert of_request(request, Trust.PUBLIC) is Automation.ROBOT


def test_a_headless_browser_is_known_by_its_brand_as_well() -> None:
    brands = '"HeadlessChrome";v="147", "Not.A/Brand";v="8", "Chromium";v="147"'
    request = a_request(user_agent=CHROME, sec_ch_ua=brands)
    assert of_request(request, Trust.PUBLIC) is Automation.HEADLESS
    data = {"brands": [{"brand": "HeadlessChrome", "version": "147"}], "mobile": False}
    assert of_visitor({"userAgent": CHROME, "userAgentData": data}) is Automation.HEADLESS
    data = {"brands": [{"brand": "Chromium", "version": "147"}]}
    assert of_visitor({"userAgent": CHROME, "userAgentData": data}) is None


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"userAgent": None, "userAgentData": None},
        {"userAgent": 5, "userAgentData": []},
        {"userAgent": [GOOGLEBOT], "userAgentData": {"brands": "HeadlessChrome"}},
        {"userAgentData": {"brands": [None, 1, "HeadlessChrome", {"brand": {"a": 1}}]}},
    ],
)
def test_a_context_of_any_shape_is_taken(context: dict[str, object]) -> None:
    assert of_visitor(context) is None


def test_the_agent_in_the_context_is_the_visitors() -> None:
    assert of_visitor({"userAgent": GOOGLEBOT}) is Automation.ROBOT
    assert of_visitor({"userAgent": "WhatsApp/2.23.20.0 A"}) is Automation.PREVIEW


def test_a_systems_statement_counts_for_any_clicking_agent() -> None:
    assert is_statement("email_unsubscribed", Trust.SIGNED)
    assert is_statement("sales_won", Trust.SIGNED)
    assert not is_statement("email_unsubscribed", Trust.PUBLIC)
    assert not is_statement("email_clicked", Trust.SIGNED)


def test_agents_are_read_up_to_the_limit() -> None:
    assert of_agent("x" * (MAX_AGENT - 9) + "Googlebot") is Automation.ROBOT
    assert of_agent("x" * MAX_AGENT + "Googlebot") is None


def test_every_exception_is_still_in_the_list() -> None:
    patterns = {entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA}
    assert patterns >= automation._PEOPLE  # noqa: SLF001  # what is not in it is to be struck off
    assert patterns >= automation._BY_THEMSELVES  # noqa: SLF001  # the same


def test_no_pattern_of_the_list_repeats_within_repeats() -> None:
    """At most one run without end a pattern, so a thousand characters cannot cost much."""
    for entry in CRAWLER_USER_AGENTS_DATA:
        plain = re.sub(r"\\.|\[[^]]*\]", "x", entry["pattern"])
        assert len(re.findall(r"[*+]|\{\d+,\}", plain)) <= 1, entry["pattern"]
