"""What senders share whose notifications hold ids alone: their vendor is asked for each lead."""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.parsing.strict_json import JsonFault, parse, text_of
from warmlead.ports import CompletedSource, Fetched, Fetcher, RawRequest
from warmlead.senders.webhooks import MAX_ITEMS, WebhookSender, WebhookSettings, group
from warmlead.settings import Settings
from warmlead.web.fetching import HttpFetcher
from warmlead.web.logging import log_event

_log = logging.getLogger(__name__)

AT_ONCE = 8
"""The most leads of one request that are fetched at the same time."""

LEAD = "lead"
"""The field of a notification's value under which its lead is put."""


class NotifiedSender(WebhookSender, CompletedSource):
    """A sender of notifications, each of which names a lead that the vendor keeps.

    A lead is fetched from the vendor alone, at an address of which the request gives only an id.
    If it may still come, the request fails, so that the vendor sends it again.
    """

    vendor: ClassVar[str]

    def __init__(
        self, settings: WebhookSettings, *, own_hosts: frozenset[str], fetcher: Fetcher
    ) -> None:
        super().__init__(settings, own_hosts=own_hosts)
        self._fetcher = fetcher

    @classmethod
    def from_settings(cls, own: WebhookSettings, using: Settings) -> Self:
        """The sender as its section of the settings file configures it."""
        return cls(own, own_hosts=using.own_hosts, fetcher=HttpFetcher())

    @abstractmethod
    def to_fetch(self, item: Any) -> tuple[dict[str, Any], str] | None:  # noqa: ANN401  # whatever JSON holds
        """The part of an item that names a lead, and the lead's id; ``None`` for other items."""

    @abstractmethod
    def address_of(self, id_: str) -> str:
        """Where the vendor has the lead of this id."""

    @abstractmethod
    def headers(self) -> Mapping[str, str]:
        """The headers of a request for a lead, with the token."""

    @abstractmethod
    def is_gone(self, answer: Fetched, value: object) -> bool:
        """Whether there is no such lead for our token, and never will be."""

    @abstractmethod
    def why_not(self, answer: Fetched, value: object) -> str:
        """Why an answer is not a lead, in a word for the log; empty if it is one."""

    async def completed(self, request: RawRequest) -> RawRequest:
        """The request with each of its leads in place, under ``lead``."""
        document = self._document(request)
        items = self.items(document.value)
        wanted = [one for one in map(self.to_fetch, items) if one]
        if not wanted or len(items) > MAX_ITEMS:
            return request
        room = asyncio.Semaphore(AT_ONCE)

        async def fetched(part_: dict[str, Any], id_: str) -> None:
            async with room:
                part_[LEAD] = await self._lead(id_)

        await asyncio.gather(*(fetched(*one) for one in wanted))
        return replace(request, body=text_of(document.value).encode())

    def lead_in(self, named: Mapping[str, Any]) -> Mapping[str, Any]:
        """The lead that was put into a notification; ``RejectedError`` if there was none."""
        lead = group(named, LEAD)
        if not lead:
            message = (
                f"The lead is not here: {self.vendor} has not handed it out for this access token."
            )
            raise RejectedError(Reason.EVENT_INVALID, message)
        return lead

    async def _lead(self, id_: str) -> object:
        """The lead; ``None`` if there is none, and ``UnavailableError`` while it may come."""
        answer = await self._fetcher.get(self.address_of(id_), self.headers())
        try:
            value: object = parse(answer.body).value
        except RejectedError:
            value = None
        if self.is_gone(answer, value):
            return None
        reason = self.why_not(answer, value)
        if not reason:
            return value
        status, level = answer.status, logging.WARNING
        log_event(
            _log, "lead_not_fetched", level=level, status=status, reason=reason, source=self.name
        )
        message = f"{self.vendor} does not hand out a lead: {status}, {reason}"
        raise UnavailableError(message)


def is_object(value: object) -> bool:
    """Whether it is a JSON object; one that has a key twice is an object too."""
    if isinstance(value, JsonFault):
        return value.pairs is not None
    return isinstance(value, dict)
