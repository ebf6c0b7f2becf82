"""Opens and clicks of mails that no person made, by the agent that names itself.

What the mail tool itself says comes before it. What only several events show together, such as a
click at the moment of the delivery, is found when the lead is evaluated (``domain/mail_scans``).
"""

from warmlead.domain.event import Automation
from warmlead.senders.automation import MAX_AGENT, of_agent

_READERS = ("googleimageproxy", "yahoomailproxy")
"""Proxies that fetch when a person opens the mail (support.google.com/mail/answer/145919)."""

_PREFETCHING = frozenset(
    (
        # Apple's Mail Privacy Protection (mailgun.com/blog/product/bot-detection)
        "mozilla/5.0",
        # Gmail, before it shows the mail (bird.com/blog/gmail-prefetching-images)
        (
            "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) "
            "chrome/42.0.2311.135 safari/537.36 edge/12.246 mozilla/5.0"
        ),
    )
)
_SCANNERS = (
    *("barracuda", "proofpoint", "mimecast", "ironport", "ciscosecureemail", "symantec"),
    *("mcafee", "forcepoint", "sophos", "fortimail", "trend micro", "trendmicro"),
)
_LIBRARIES = (
    *("python-requests", "python-urllib", "python/", "aiohttp", "lua-resty-http", "curl/"),
    *("go-http-client", "wget/", "java/", "apache-httpclient", "libwww-perl", "ahc/", "axios/"),
    *("node-fetch", "guzzlehttp", "jetty/"),
)
"""Libraries of programs: a server may post with them what people did, but no reader has them."""


def of_reader(agent: str) -> Automation | None:
    """The kind of program that an agent names that opened a mail or a link in it."""
    name = agent[:MAX_AGENT].strip().lower()
    if any(reader in name for reader in _READERS):
        return None
    if name in _PREFETCHING:
        return Automation.PREFETCH
    if any(each in name for each in _SCANNERS) or name.startswith(_LIBRARIES):
        return Automation.ROBOT
    return of_agent(agent)
