"""Which opens and clicks no person made, by the agent that names itself."""

import pytest

from senders.agents import DECLARED, PEOPLE
from warmlead.domain.event import Automation
from warmlead.senders.machines import of_reader

APPLES = "Mozilla/5.0"
"""The whole name of Apple's prefetch; on a website somebody who hides their browser."""


@pytest.mark.parametrize("agent", [agent for agent in PEOPLE if agent != APPLES])
def test_people_are_no_machines(agent: str) -> None:
    assert of_reader(agent) is None


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)",
        "Outlook-Android/2.0",
    ],
)
def test_readers_and_their_proxies_are_no_machines(agent: str) -> None:
    assert of_reader(agent) is None


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (APPLES, Automation.PREFETCH),
        (" mozilla/5.0 ", Automation.PREFETCH),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
            ),
            Automation.PREFETCH,
        ),
        ("Barracuda Sentinel (EE)", Automation.ROBOT),
        ("Mozilla/5.0 (compatible; Proofpoint URL Defense)", Automation.ROBOT),
        ("python-requests/2.32.3", Automation.ROBOT),
        ("Go-http-client/2.0", Automation.ROBOT),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", Automation.PREVIEW),
        *DECLARED[:5],
    ],
)
def test_prefetching_readers_scanners_and_programs_are_machines(
    agent: str, kind: Automation
) -> None:
    assert of_reader(agent) is kind
