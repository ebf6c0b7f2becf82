"""Posts messages to a channel of Slack, by an incoming webhook or as a bot.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
https://docs.slack.dev/reference/methods/chat.postMessage
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import DecodeError, ValidationError, json
from msgspec.structs import replace

from warmlead.destinations.base import SelectingDestination, result_of, retry_after_s
from warmlead.destinations.slack.blocks import posted
from warmlead.destinations.slack.settings import SlackMessageSettings
from warmlead.domain.dispatch import AttemptResult, Declined, Gone, Postponed, Sent
from warmlead.ports.dispatching import Outbound, OutboundAnswer, OutgoingMessage

_POST = "chat.postMessage"

_OF_A_PERSON = frozenset(
    (
        *("not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired"),
        *("no_permission", "missing_scope", "not_in_channel", "channel_not_found"),
        *("ekm_access_denied", "restricted_action", "org_login_required", "access_denied"),
        *("team_access_not_granted", "not_allowed_token_type", "is_inactive"),
    )
)
"""Errors that a person mends in Slack; until then the messages wait."""

_LATER = frozenset(("ratelimited", "rate_limited", "message_limit_exceeded", "service_unavailable"))
_UNSURE = frozenset(("internal_error", "fatal_error", "request_timeout", "team_added_to_org"))
"""Errors after which a part of it may have been done."""

_NO_MORE = frozenset(("no_service", "no_team", "channel_is_archived", "is_archived"))


class SlackDestination(SelectingDestination):
    """Posts what sales should see.

    Slack knows no repeats. So a person decides about a message of which the answer was lost,
    unless the settings say that sales may see one twice.
    """

    at_once = 1  # Slack takes about one message a second for a channel

    def __init__(self, name: str, settings: SlackMessageSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        self._settings = settings
        self.may_repeat = settings.repeats

    async def send(self, message: OutgoingMessage, now: datetime) -> AttemptResult:
        """One message in the channel."""
        own = self._settings
        content = posted(message, link=own.link, button=own.button, owners=own.owners)
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Warmlead"}
        if not own.tokens:
            body = json.encode(content)
            answer = await self._outbound.request("POST", own.secrets[0], headers, body)
            return _of_webhook(answer, now)
        headers["Authorization"] = f"Bearer {own.tokens[0]}"
        url = f"{own.address}/{_POST}"
        body = json.encode({**content, "channel": own.channel})
        return _of_api(await self._outbound.request("POST", url, headers, body), now)


def _of_webhook(answer: OutboundAnswer, now: datetime) -> AttemptResult:
    """What an incoming webhook answers: a word beside the status."""
    said = _word(answer.body)
    why = f"Slack answered {answer.status}" + (f": {said}" if said else "")
    if said in _NO_MORE:
        return Gone(f"{why}; the webhook or its channel is no more: make a new webhook")
    if answer.status in (401, 403, 404, 410):
        return Postponed(f"{why}; look at the webhook and its channel in Slack")
    return _by_status(answer, said, now)


def _of_api(answer: OutboundAnswer, now: datetime) -> AttemptResult:
    """What the method answers: mostly 200, with the error in the body."""
    if not answer.is_success:
        return _by_status(answer, _word(answer.body), now)
    try:
        told = json.decode(answer.body, type=dict[str, Any])
    except (DecodeError, ValidationError, UnicodeDecodeError):
        return Postponed(f"what {_POST} answered is not JSON", is_certain=False)
    if told.get("ok") is True:
        return Sent(f"{told.get('channel', '')}/{told.get('ts', '')}"[:100])
    return _of_error(_word(str(told.get("error", "")).encode(errors="replace")), told, answer, now)


def _of_error(
    error: str, told: Mapping[str, Any], answer: OutboundAnswer, now: datetime
) -> AttemptResult:
    """https://docs.slack.dev/reference/methods/chat.postMessage#errors."""
    why = f"{_POST} answered {error or 'neither ok nor an error'}"
    if error in _OF_A_PERSON:
        return Postponed(f"{why}; {_advice(error, told)}")
    if error in _LATER:
        return Postponed(why, after_s=retry_after_s(answer, now))
    if error in _UNSURE or not error:
        return Postponed(why, is_certain=False)
    if error in _NO_MORE:
        return Gone(f"{why}; the channel is no more: name another one")
    return Declined(why)


def _by_status(answer: OutboundAnswer, said: str, now: datetime) -> AttemptResult:
    """What a status means; after an error of Slack's own the message may be there."""
    result = result_of(answer, now, shown=said)
    if isinstance(result, Postponed) and answer.status >= 500:  # noqa: PLR2004  # HTTP's class
        return replace(result, is_certain=False)
    return result


def _advice(error: str, told: Mapping[str, Any]) -> str:
    """What a person does about an error."""
    if error in ("not_in_channel", "channel_not_found"):
        return "invite the bot to the channel, whose id the settings name"
    if error == "missing_scope":
        needed = _word(str(told.get("needed", "")).encode(errors="replace"))
        return f"give the bot the scope {needed or 'that it lacks'} and install it anew"
    return "give a token that is valid"


def _word(body: bytes) -> str:
    """The error that a body is; empty if it is anything else than one word of Slack's."""
    text = body[:200].decode("ascii", "replace").strip()
    return text if text.replace("_", "").replace(":", "").replace(",", "").isalnum() else ""
