"""The settings of messages to a channel of Slack."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from warmlead.destinations.base import DestinationSettings, is_plain
from warmlead.destinations.links import link_problem
from warmlead.destinations.selection import kinds_of
from warmlead.messages.contract import KpiReportedMessage
from warmlead.settings import SettingFault
from warmlead.settings_file import STAND_IN
from warmlead.web.outbound import LOCAL_HOSTS, url_problem

ADDRESS = "https://slack.com/api"
_HOOKS = ("hooks.slack.com", "hooks.slack-gov.com")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{5,20}")
_PERSON = re.compile(r"[UW][A-Z0-9]{5,20}")
_KPI = str(KpiReportedMessage.model_fields["type"].default)


class SlackMessageSettings(DestinationSettings, frozen=True, kw_only=True):
    """A channel, by the URL of an incoming webhook (``secrets``), or by a bot's token.

    With ``tokens`` the ``channel`` is the id of one in which the bot is. ``link`` is a template of
    the page of a lead. ``button``: each message has a button by which sales says that it has
    contacted the lead; Slack's answer goes to the function ``sales``. ``owners`` are the ids of
    members by the name of an owner, who are then mentioned. ``repeats``: a message of which Slack's
    answer was lost is posted again, so that sales may see it twice. ``address`` stands in for
    Slack's API.
    """

    secrets: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    channel: str = ""
    link: str = ""
    button: bool = False
    owners: Mapping[str, str] = {}
    repeats: bool = False
    address: str = ADDRESS

    def __repr__(self) -> str:
        return f"SlackMessageSettings(channel={self.channel!r})"

    @classmethod
    def default_messages(cls) -> tuple[str, ...]:
        """What sales should see at once."""
        return kinds_of(("handoff.offered", "handoff.reminder", "handoff.breached", "lead.alerted"))

    @classmethod
    def faults(cls, given: object, where: tuple[str, ...]) -> list[SettingFault]:
        """See ``DestinationSettings``."""
        found = super().faults(given, where)
        return found or list(_faults(given, where))

    @classmethod
    def unsafe(cls, given: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[SettingFault]:
        """See ``DestinationSettings``; and another address."""
        yield from super().unsafe(given, where)
        if given.get("address", ADDRESS) != ADDRESS:
            yield SettingFault((*where, "address"), "is only for one's own machine")


def _faults(given: Any, where: tuple[str, ...]) -> Iterator[SettingFault]:  # noqa: ANN401  # a section
    is_local = bool(given.get("allow_local"))
    yield from _faults_of_place(given, where, is_local=is_local)
    for name, member in (given.get("owners") or {}).items():
        if not _PERSON.fullmatch(member):
            problem = "must be the id of a member, such as U024BE7LH: see the member's profile"
            yield SettingFault((*where, "owners", str(name)), problem)
    if problem := link_problem(given.get("link") or "", allow_local=is_local):
        yield SettingFault((*where, "link"), problem)
    if problem := url_problem(given.get("address", ADDRESS), allow_local=is_local):
        yield SettingFault((*where, "address"), problem)
    if any(kind in (_KPI, "kpi.reported") for kind in given.get("messages") or ()):
        yield SettingFault((*where, "messages"), "kpi.reported is a table: it has no form here")


def _faults_of_place(
    given: Any,  # noqa: ANN401  # a section
    where: tuple[str, ...],
    *,
    is_local: bool,
) -> Iterator[SettingFault]:
    """What is wrong with where messages are posted, and with what."""
    hooks, tokens = given.get("secrets") or (), given.get("tokens") or ()
    if bool(hooks) == bool(tokens):
        problem = "give secrets, the URL of an incoming webhook, or else tokens and a channel"
        yield SettingFault(where, problem)
    for hook in hooks:
        if hook != STAND_IN and (problem := _hook_problem(hook, is_local=is_local)):
            yield SettingFault((*where, "secrets"), f"the URL {problem}")
    if any(not is_plain(token) for token in tokens):
        yield SettingFault((*where, "tokens"), "a token is ASCII, such as xoxb-…")
    channel = given.get("channel") or ""
    if tokens and not _CHANNEL.fullmatch(channel):
        problem = "must be the id of a channel, such as C024BE91L: see the channel's details"
        yield SettingFault((*where, "channel"), problem)
    elif channel and not tokens:
        problem = "is that of the incoming webhook; leave it out, or give tokens instead"
        yield SettingFault((*where, "channel"), problem)


def _hook_problem(hook: str, *, is_local: bool) -> str:
    if problem := url_problem(hook, allow_local=is_local):
        return problem
    if urlsplit(hook).hostname in (*_HOOKS, *(LOCAL_HOSTS if is_local else ())):
        return ""
    return f"must be that of an incoming webhook: https://{_HOOKS[0]}/services/…"
