"""What all senders that speak for sales have in common: how a request becomes events, an answer.

None of them is known here: who may send, and what an item says, is for each to say.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct, ValidationError, convert

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event, Trust
from warmlead.ports import Accepted, RawRequest, Refused, Translation
from warmlead.web.answer import Answer
from warmlead.web.strict_json import fault_in, text_of

T = TypeVar("T")

MAX_ITEMS = 100
"""So many items may one request hold: no CRM sends more."""

_PLACE = re.compile(r" - at `(\$[A-Za-z0-9_.\[\]]*)`\Z")
_MISSING = re.compile(r"missing required field `([A-Za-z0-9_]+)`")


class Ignored(NamedTuple):
    """Why there is nothing to do for an item, as a code and in words."""

    code: str
    message: str


class Items(NamedTuple):
    """The items of a request; each is asked for faults if the body is ``suspect``."""

    values: Sequence[Any]
    suspect: bool = False


def too_many_items() -> RejectedError:
    """The error for a request of more than ``MAX_ITEMS``."""
    return RejectedError(Reason.TOO_MANY_EVENTS, f"There are more than {MAX_ITEMS} items.")


def as_wire(item: dict[str, Any], type_: type[T]) -> T:
    """The item as its sender documents it; raises ``RejectedError`` that names what is not."""
    try:
        return convert(item, type_)
    except ValidationError as error:
        place = _PLACE.search(str(error)) or _MISSING.search(str(error))
        where = f": the fault is at {place[1]}" if place else ""
        message = f"This is not as its sender documents it{where}."
        raise RejectedError(Reason.EVENT_INVALID, message) from None  # it may quote a value


class Judged(Struct, frozen=True):
    """What became of each item of a request."""

    events: Sequence[tuple[int, Event]]
    refused: Sequence[Refused]
    ignored: Sequence[tuple[int, Ignored]]
    items: int


class SalesSender(ABC):
    """A sender that speaks for sales. What it sends is signed, or refused."""

    name: str
    path: str
    keeps_refused = True
    """Whether refused items go to quarantine where the sender cannot mend them."""
    _latest: tuple[RawRequest, Judged] | None = None

    @abstractmethod
    def check(self, request: RawRequest) -> None:
        """Raises ``RejectedError`` unless the request is who it says it is."""

    @abstractmethod
    def read(self, request: RawRequest) -> Items:
        """The items in the body; raises ``RejectedError`` if they cannot be told apart."""

    @abstractmethod
    def said(self, item: dict[str, Any], index: int, request: RawRequest) -> list[Event | Ignored]:
        """What one item says; raises ``RejectedError`` if it cannot be understood."""

    def verify(self, request: RawRequest) -> Trust:
        """Always signed; ``RejectedError`` for anybody else's request."""
        if request.path.rstrip("/") != self.path:
            raise RejectedError(Reason.NOT_FOUND, "No sender of sales has this path.")
        if request.method != "POST":
            raise RejectedError(Reason.METHOD_NOT_ALLOWED, "Statements are posted.")
        self.check(request)
        return Trust.SIGNED

    def translate(self, request: RawRequest, trust: Trust) -> Translation:  # noqa: ARG002  # whatever got here was signed
        """The events in the request, each item judged by itself."""
        judged = self._judge(request)
        return Translation(judged.events, judged.refused, judged.items, self.keeps_refused)

    def resend(self, path: str, raw: bytes) -> tuple[str, bytes]:
        """A refused item is JSON already, and a request may hold a single one."""
        return path, raw

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:  # noqa: ARG002  # judged anew, with what was ignored
        """What became of the items; success, unless all of them were refused."""
        judged = self._judge(request)
        self._latest = None
        told: dict[str, Any] = {"success": len(judged.refused) < judged.items}
        if judged.refused:
            told["refused"] = [
                {"index": one.index, "code": one.error.reason, "message": one.error.message}
                for one in judged.refused
            ]
        if judged.ignored:
            told["ignored"] = [
                {"index": index, "code": why.code, "message": why.message}
                for index, why in judged.ignored
            ]
        facts = {"ignored": len(judged.ignored)} if judged.ignored else {}
        return Answer(200, json.dumps(told).encode(), facts=facts)

    def answer_failure(self, request: RawRequest, failure: Answer) -> Answer:  # noqa: ARG002  # other senders need the request
        """The failure as it is."""
        return failure

    def _judge(self, request: RawRequest) -> Judged:
        """What becomes of the items: found once, though translating and answering both ask."""
        if self._latest and self._latest[0] is request:
            return self._latest[1]
        judged = self._judged(request)
        self._latest = request, judged
        return judged

    def _judged(self, request: RawRequest) -> Judged:
        items = self.read(request)
        if not items.values:
            raise RejectedError(Reason.BODY_EMPTY, "There is nothing in it.")
        if len(items.values) > MAX_ITEMS:
            raise too_many_items()
        events: list[tuple[int, Event]] = []
        refused: list[Refused] = []
        ignored: list[tuple[int, Ignored]] = []
        for index, item in enumerate(items.values):
            try:
                found = self._said(item, index, request, suspect=items.suspect)
            except RejectedError as error:
                refused.append(Refused(error, text_of(item).encode(), index))
                continue
            ignored += [(index, one) for one in found if isinstance(one, Ignored)]
            events += [(index, one) for one in found if isinstance(one, Event)]
        return Judged(events, refused, ignored, len(items.values))

    def _said(
        self,
        item: Any,  # noqa: ANN401  # whatever JSON holds
        index: int,
        request: RawRequest,
        *,
        suspect: bool,
    ) -> list[Event | Ignored]:
        if suspect and (fault := fault_in(item)):
            raise fault
        if not isinstance(item, dict):
            raise RejectedError(Reason.EVENT_INVALID, "An item has fields by name.")
        return self.said(item, index, request)
