"""A signed webhook: the message as it is, with the three headers of Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from warmlead.destinations.base import Secrets, SelectingDestination, retry_after_s
from warmlead.destinations.forwarding import ForwardingSettings
from warmlead.domain.dispatch import AttemptResult, Gone, Postponed, Sent
from warmlead.parsing.signatures import key_of, sign_standard_webhooks
from warmlead.ports.dispatching import Outbound, OutgoingMessage
from warmlead.settings import SettingFault
from warmlead.web.outbound import url_problem

_GONE = 410
_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")
_OURS = frozenset(
    (
        *("webhook-id", "webhook-timestamp", "webhook-signature"),
        *("content-type", "content-length", "host", "connection"),
    )
)


class SignedWebhookSettings(ForwardingSettings, frozen=True, kw_only=True):
    """An address, and what the receiver verifies us by.

    Each of the ``secrets`` makes a signature, so that they can be rotated: the receiver accepts
    any. ``headers`` are added to each request: a token that the receiver asks for.
    """

    url: str
    secrets: Secrets
    headers: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"SignedWebhookSettings(to={self.to!r})"

    @classmethod
    def faults(cls, given: object, where: tuple[str, ...]) -> list[SettingFault]:
        """See ``ForwardingSettings``."""
        found = super().faults(given, where)
        return found or list(_faults(given, where))


def _faults(given: Any, where: tuple[str, ...]) -> Iterator[SettingFault]:  # noqa: ANN401  # a section
    problem = url_problem(given["url"], allow_local=bool(given.get("allow_local")))
    if problem:
        yield SettingFault((*where, "url"), problem)
    for secret in given["secrets"]:
        try:
            key_of(secret)
        except ValueError as error:
            yield SettingFault((*where, "secrets"), str(error))
    for name, value in (given.get("headers") or {}).items():
        if not _HEADER.fullmatch(name) or name.lower() in _OURS:
            yield SettingFault((*where, "headers", name), "is not a header that can be added")
        elif not (value.isascii() and value.isprintable()):
            yield SettingFault((*where, "headers", name), "must be printable ASCII")


class WebhookDestination(SelectingDestination):
    """Posts messages to an address. Its receiver dedupes by ``webhook-id``, the message's id."""

    def __init__(self, name: str, settings: SignedWebhookSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        self._settings = settings

    async def send(self, message: OutgoingMessage, now: datetime) -> AttemptResult:
        """One post. Success is any 2xx; 410 disables the destination; all else is repeated."""
        body = self._settings.forwarded(message)
        headers = {
            "Content-Type": "application/cloudevents+json",
            "User-Agent": "Warmlead",
            **self._settings.headers,
            **self._signed(message.id, body, now),
        }
        answer = await self._outbound.request("POST", self._settings.url, headers, body)
        if answer.is_success:
            return Sent()
        why = f"it answered {answer.status}"
        if answer.status == _GONE:
            return Gone(why)
        return Postponed(why, after_s=retry_after_s(answer, now))

    def _signed(self, message_id: str, body: bytes, now: datetime) -> Mapping[str, str]:
        """The headers, with a signature by each secret."""
        each = [
            sign_standard_webhooks(body, message_id=message_id, at=now, secret=secret)
            for secret in self._settings.secrets
        ]
        signatures = " ".join(one["webhook-signature"] for one in each)
        return {**each[0], "webhook-signature": signatures}
