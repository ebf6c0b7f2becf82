"""Requests that declare that no person looked: robots, previews, prefetches.

Two declarations count: the agent's name, and the headers of a browser that fetches ahead. Nothing
is guessed from addresses, speed or behavior. The names come from
https://github.com/monperrus/crawler-user-agents, which tags each with what it does. Names of that
list that we do not use, and why, stand here and in the table of ``docs/model.md``.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from warmlead.domain.event import SALES_EVENTS, Automation, Trust
from warmlead.domain.event_names import our_name
from warmlead.ports import RawRequest

MAX_AGENT = 1_000
"""The characters of an agent's name that are read; the longest of real browsers has about 400."""

_BY_TAG = {
    "browser-automation": Automation.HEADLESS,
    "social-preview": Automation.PREVIEW,
    "monitoring": Automation.MONITOR,
}
_LIBRARY = "http-library"  # curl, requests, axios, okhttp … carry what servers and apps send

_TOOLS = (
    *("webhook", "zapier", "ifttt", "integromat", "n8n", "typeform", "shopify-captain-hook"),
    *("sendgrid event", "google-apps-script", "retool/", "sfdc-callout", "salesforce.com"),
    *("klaviyo/", "omnisend/", "mailchimp", "sparkpost", "stripe/", "paypal/", "stape/"),
    *("snipcart/", "indy library", "webflow", "landbot", "unbounce", "squarespace", "netlify"),
    *("manychat", "chatbot.com", "hubspot connect", "drupal", "jotform", "twilioproxy/"),
)
_TOOLS_BY_NAME = ("make/", "wordpress/")
"""Tools that pass on what people filled in: their posts count."""

_MAIL_PROXIES = ("GoogleImageProxy", "YahooMailProxy", "FastmailUA", "Shortwave Image Fetcher")
"""Proxies through which the readers of a mail see its pictures."""

_PEOPLE = frozenset(
    (
        # browsers and apps in which people read
        *("MetaIAB Facebook", r"AP3A\.240617\.008", "Butterfly", "Blackboard", "Sogou", "Synapse"),
        *(r"008\/", "Magellan", r"Code\/1\.", r"Trae\/", "Fluid", "Google-Read-Aloud"),
        *_MAIL_PROXIES,
    )
)
"""Patterns of the list that people's agents have as well."""

_BY_THEMSELVES = frozenset(
    (r"Viber", "WhatsApp", r"Bluesky\/", r"Notion\/", r"Tumblr\/", r"Instapaper\/")
)
"""Apps that fetch previews under their bare name; within a browser's, a person reads in them."""

_CALLED = (
    *("crawl", "spider", "robot", "scraper", "fetcher", "validator", "archiver"),
    *("+http:", "+https:", "+ http:", "+ https:"),
    *("microsoft office existence discovery", "microsoft office protocol discovery"),
)
_BOT = re.compile(
    # but for the phones of Cubot and of makers that call them M bot, B bot, ID bot, Power Bot
    r"(?<!cu)(?<!; m )(?<!; b )(?<!; id)(?<!; id )(?<!; power )bot(?![a-z])"
)
_BROWSERS = ("Mozilla/", "Opera/", *_MAIL_PROXIES)
"""How agents begin behind which a person is, though an address may follow."""

_ADDRESS = re.compile(r"https?://")
"""A browser does not state such an address; robots do, to say where one can read about them."""

_LITERAL = re.compile(r"(?:[^\\^$.|?*+()\[\]{}]|\\[^A-Za-z0-9])+")
_STEM = 3  # so many characters decide which names are compared at a place
_PREFETCH = frozenset({"prefetch", "prerender", "preview"})
_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_OF_MAILBOX = frozenset(("email_delivered", "email_dropped", "email_bounced"))
_STATED = SALES_EVENTS | {
    *("email_delivered", "email_dropped", "email_bounced", "email_marked_spam"),
    *("email_unsubscribed", "unsubscribed", "email_subscribed", "newsletter_subscribed"),
}


def of_request(request: RawRequest, trust: Trust, *, is_form: bool = False) -> Automation | None:
    """What the request declares; ``None`` for a person's request, and for a signed one.

    A signed request comes from a server, whose agent is not the visitor's. A form (``is_form``) may
    be forwarded by an unknown tool, whose agent names an address of its maker.
    """
    if trust is Trust.PUBLIC:
        headers = request.headers
        hints = headers.get("sec-ch-ua", "")
        agent = headers.get("user-agent", "")
        if found := of_agent(agent, hints, is_form=is_form):
            return found
        if any(_is_ahead(headers.get(name, "")) for name in _AHEAD):
            return Automation.PREFETCH
    return Automation.HEAD if request.method == "HEAD" else None


def of_visitor(context: Mapping[str, object]) -> Automation | None:
    """What the agent in a call's context declares: Segment's ``context.userAgent``."""
    agent, data = context.get("userAgent"), context.get("userAgentData")
    brands = data.get("brands") if isinstance(data, dict) else None
    names = [one.get("brand") for one in _listed(brands) if isinstance(one, dict)]
    return of_agent(agent if isinstance(agent, str) else "", " ".join(map(str, names)))


def is_statement(name: str, trust: Trust) -> bool:
    """Whether an event is a system's statement, which counts whichever agent it names.

    A robot may have clicked the link; the mail system has unsubscribed the address all the same.
    """
    return trust is Trust.SIGNED and (name in _STATED or our_name(name) in _STATED)


def is_of_mailbox(name: str, trust: Trust) -> bool:
    """Whether an event is a mail system's report about a mail to one address of a person."""
    return trust is Trust.SIGNED and our_name(name) in _OF_MAILBOX


def of_agent(agent: str, hints: str = "", *, is_form: bool = False) -> Automation | None:
    """What an agent's name declares; ``hints`` are the brands of its client hints."""
    if "headless" in hints[:MAX_AGENT].lower():
        return Automation.HEADLESS
    return _declared(agent[:MAX_AGENT], is_form) if agent else None


@lru_cache(maxsize=2_048)
def _declared(agent: str, is_form: bool) -> Automation | None:
    lower = agent.lower()
    if lower.startswith(_TOOLS_BY_NAME) or any(name in lower for name in _TOOLS):
        return None
    if found := _agents().find(agent):
        return found
    is_called = any(word in lower for word in _CALLED) or _BOT.search(lower)
    is_own = not is_form and not agent.startswith(_BROWSERS) and _ADDRESS.search(lower)
    return Automation.ROBOT if is_called or is_own else None


class _Agents:
    """The list of names, indexed: one look-up of all costs 0.03 ms and is linear in the text."""

    def __init__(self, named: Mapping[str, Automation]) -> None:
        self._names: dict[str, Automation] = {}
        self._alone: dict[str, Automation] = {}
        self._by_stem: dict[str, tuple[str, ...]] = {}
        searched: dict[Automation, list[str]] = {}
        for pattern, means in named.items():
            name = _plain(pattern)
            if name is None or len(name) < _STEM:
                searched.setdefault(means, []).append(pattern)
            elif pattern in _BY_THEMSELVES:
                self._alone[name] = means
            else:
                self._names[name] = means
                self._by_stem[name[:_STEM]] = (*self._by_stem.get(name[:_STEM], ()), name)
        self._searched = [(re.compile("|".join(some)), means) for means, some in searched.items()]

    def find(self, agent: str) -> Automation | None:
        """What the first name in the text means."""
        for name, means in self._alone.items():
            if agent.startswith(name):
                return means
        by_stem = self._by_stem
        for at in range(len(agent)):
            names = by_stem.get(agent[at : at + _STEM])
            if names and agent.startswith(names, at):
                return next(self._names[name] for name in names if agent.startswith(name, at))
        return next((means for found, means in self._searched if found.search(agent)), None)


@lru_cache(maxsize=1)
def _agents() -> _Agents:
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # noqa: PLC0415  # 15 ms, for track and forms

    named = {}
    for entry in CRAWLER_USER_AGENTS_DATA:
        pattern, tags = entry["pattern"], entry["tags"]
        if _LIBRARY not in tags and pattern not in _PEOPLE:
            means = (_BY_TAG[tag] for tag in tags if tag in _BY_TAG)
            named[pattern] = next(means, Automation.ROBOT)
    return _Agents(named)


def _plain(pattern: str) -> str | None:
    """The one text that a pattern matches; ``None`` if it matches several."""
    return re.sub(r"\\(.)", r"\1", pattern) if _LITERAL.fullmatch(pattern) else None


def _is_ahead(value: str) -> bool:
    """Whether a header's value means fetching ahead: ``prefetch;prerender``, ``preview``."""
    return value[:MAX_AGENT].partition(";")[0].strip().lower() in _PREFETCH


def _listed(value: object) -> Sequence[object]:
    return value[:20] if isinstance(value, list) else ()
