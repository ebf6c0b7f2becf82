"""Segment's sender: write keys, the events of a request, and the answers to it."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from msgspec import structs

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event, Trust
from warmlead.parsing.strict_json import text_of
from warmlead.ports import Accepted, Ignored, RawRequest, Refused, Translation
from warmlead.senders.automation import of_request
from warmlead.senders.base import PlainAnswers, Profile, success
from warmlead.senders.person import Notes, long_hash
from warmlead.senders.segment.calls import (
    BATCH,
    NAME,
    WEBHOOK,
    Body,
    CallRoute,
    Calls,
    Envelope,
    calls_of,
    kind_at,
    query_fields,
    read,
    route_of,
    sent_at,
    sound,
    translate_call,
    write_key_in_body,
)
from warmlead.settings import Settings
from warmlead.web.answers import Answer, answer_error

_KINDS = ("track", "identify", "page", "screen", "group", "alias")
_ESCAPE = 6
"""The length of a character's escape, by which a text may be longer in ASCII than in UTF-8."""
_MAX_KEPT_BYTES = 60_000
"""The bytes that are kept of each call if no call of the request can be used; all is ASCII."""

_COMPACT = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))
_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class SegmentSource(PlainAnswers):
    """Segment's tracking API for a set of write keys, each with the trust its events have."""

    name = NAME
    profile = Profile(
        proof="a write key",
        once="`messageId`",
        retries="SDKs: after 429 and 5xx, some after any answer but 200",
    )
    _read: tuple[RawRequest, Body] | None = None

    def __init__(
        self,
        write_keys: Mapping[str, Trust],
        *,
        max_event_bytes: int = 32 * 1024,
        own_hosts: frozenset[str] = frozenset(),
    ) -> None:
        self._own_hosts = own_hosts
        self._keys = [(_digest(key), trust) for key, trust in write_keys.items()]
        self._max_event_bytes = max_event_bytes

    @classmethod
    def from_settings(cls, _own: Mapping[str, object], using: Settings) -> Self:
        """The sender as the process is configured; it has no file."""
        return cls(
            using.write_keys, max_event_bytes=using.track_event_bytes, own_hosts=using.own_hosts
        )

    @property
    def paths(self) -> Sequence[str]:
        """Where batches come; single calls have a path for each kind."""
        return ["/v1/batch"]

    def sign(self, request: RawRequest) -> Mapping[str, str]:  # noqa: ARG002  # only hashes of the keys are here
        """Nothing: whoever sends names a write key."""
        return {}

    def verify(self, request: RawRequest) -> Trust:
        """The trust of the write key; ``RejectedError`` unless the request has one of ours."""
        trust = self._trust(request, route_of(request))
        if trust is None:
            self._read = None
            raise RejectedError(Reason.UNAUTHORIZED, "The write key is missing or unknown.")
        return trust

    def translate(self, request: RawRequest, trust: Trust) -> Translation:
        """The events of the request's calls, each call judged by itself.

        Raises ``RejectedError`` if there is nothing that could be kept.
        """
        route = route_of(request)
        calls = calls_of(self._body_of(request) or read(request, route), route)
        envelope = Envelope(
            trust=trust,
            received_at=request.received_at,
            request_id=request.request_id,
            context=calls.context,
            sent_at=sent_at(calls.sent_at),
            automated=of_request(request, trust),
            own_hosts=self._own_hosts,
        )
        may_be_large = len(request.body) > self._max_event_bytes
        events: list[tuple[int, Event]] = []
        refused: list[Refused] = []
        ignored: list[tuple[int, Ignored]] = []
        for index, item in enumerate(calls.items):
            try:
                notes = Notes(calls.notes)
                call = self._call(item, calls, notes, may_be_large=may_be_large)
                kind = _kind(route, call)
                if kind == DELETION:
                    ignored.append((index, _OF_DELETION))
                    continue
                own = _with_id(call) if route.kind == WEBHOOK else call
                events.append((index, translate_call(kind, own, envelope, index, notes)))
            except RejectedError as error:
                raw = text_of(_without_key(item)).encode()
                refused.append(Refused(error, raw, index, envelope.automated))
        if events or not refused:
            return Translation(events, refused, len(calls.items), ignored=tuple(ignored))
        kept = [one for one in refused if one.raw.startswith(b"{") and one.raw != b"{}"]
        if not kept:
            raise _none_usable(refused[0].error, len(calls.items))
        cut = [structs.replace(one, raw=one.raw[:_MAX_KEPT_BYTES]) for one in kept]
        return Translation([], cut, len(calls.items), keeps_refused=True, ignored=tuple(ignored))

    def resend(self, path: str, raw: bytes) -> tuple[str, bytes]:
        """A refused call of a batch comes as a batch of one, any other as the call it was."""
        kind = kind_at(path)
        if kind == BATCH:
            return "/v1/batch", b'{"batch":[' + raw + b"]}"
        return f"/v1/{kind}", raw

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:
        """200 exactly: clients send again what was answered with 201, 202 or 204."""
        if route_of(request).pixel:
            return Answer(200, _GIF, "image/gif")
        if accepted.refused and not accepted.events:
            return answer_error(_none_usable(accepted.refused[0].error, accepted.items))
        return success(accepted)

    def answer_failure(self, request: RawRequest, failure: Answer) -> Answer:
        """The failure as it is; but a pixel is always answered with an image."""
        try:
            is_pixel = route_of(request).pixel
        except RejectedError:
            is_pixel = False
        if not is_pixel:
            return failure
        return replace(failure, status=200, body=_GIF, content_type="image/gif", headers={})

    def _call(
        self,
        item: Any,  # noqa: ANN401  # whatever JSON holds
        calls: Calls,
        notes: Notes,
        *,
        may_be_large: bool,
    ) -> Mapping[str, Any]:
        size = len(text_of(item)) if may_be_large else 0  # in ASCII: never less than in UTF-8
        if size > _ESCAPE * self._max_event_bytes:
            raise self._too_large()  # before all of it is corrected
        item = sound(item, notes) if calls.suspect else item
        if not isinstance(item, dict):
            raise RejectedError(Reason.EVENT_INVALID, "A call is not a JSON object.")
        if size > self._max_event_bytes and _size_bytes(item) > self._max_event_bytes:
            raise self._too_large()
        return item

    def _too_large(self) -> RejectedError:
        return RejectedError(
            Reason.EVENT_TOO_LARGE, f"An event has {self._max_event_bytes} bytes at most."
        )

    def _trust(self, request: RawRequest, route: CallRoute) -> Trust | None:
        self._read = None
        given = next(self._keys_given(request, route), None)
        if given is None:
            return None
        digest = _digest(given)
        found: Trust | None = None
        for known, trust in self._keys:  # to the end: constant time
            if hmac.compare_digest(digest, known):
                found = trust
        return found

    def _keys_given(self, request: RawRequest, route: CallRoute) -> Iterator[str]:
        """The write keys in the request; the places that cost least come first."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user = base64.b64decode(credentials.strip(), validate=True).partition(b":")[0]
            except (binascii.Error, ValueError):
                user = b""
            if user:
                yield user.decode("utf-8", "replace")
        if key := request.headers.get("x-write-key"):
            yield key
        if key := query_fields(request.query).get("writeKey"):
            yield key
        body = read(request, route)
        self._read = request, body
        if key := write_key_in_body(body):
            yield key

    def _body_of(self, request: RawRequest) -> Body | None:
        """The request's body, if it has been read for its write key: once is enough."""
        held, self._read = self._read, None
        return held[1] if held and held[0] is request else None


DELETION = "delete"
"""A person is deleted at Segment: not here, where ``warmlead lead erase`` does that."""

_OF_DELETION = Ignored("not_wanted", "Nothing is wanted of a deletion at the sender.")


def _with_id(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """The call of a webhook; without an id, its content is its id if that holds a time."""
    if call.get("messageId") or not call.get("timestamp"):
        return call
    return {**call, "messageId": f"hash-{long_hash(text_of(call))}"}


def _kind(route: CallRoute, call: Mapping[str, Any]) -> str:
    if route.kind not in (BATCH, WEBHOOK):
        return route.kind
    stated = call.get("type")
    kind = stated.strip().lower() if isinstance(stated, str) else ""
    if kind == DELETION and route.kind == WEBHOOK:
        return kind
    if kind not in _KINDS:
        raise RejectedError(Reason.EVENT_TYPE_UNKNOWN, f"type must be one of {', '.join(_KINDS)}.")
    return kind


def _none_usable(first: RejectedError, items: int) -> RejectedError:
    if items == 1:
        return first
    message = f"None of the {items} items can be used; the first: {first.message}"
    return RejectedError(Reason(first.reason), message)


def _without_key(item: Any) -> Any:  # noqa: ANN401  # whatever JSON holds
    if isinstance(item, dict):
        return {name: value for name, value in item.items() if name != "writeKey"}
    return item


def _size_bytes(item: Mapping[str, Any]) -> int:
    """The size of a call as compact JSON, which is never more than what its sender counted."""
    return len(_COMPACT.encode(item).encode())


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
