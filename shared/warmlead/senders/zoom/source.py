"""Zoom's webhooks: who registers for webinars and meetings, comes, and leaves."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.signatures import WebhookScheme
from warmlead.ports import RawRequest
from warmlead.senders.meetings import minutes_between
from warmlead.senders.person import short_hash
from warmlead.senders.proofs import Proof, Signed
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import (
    Asked,
    Said,
    WebhookSender,
    WebhookSettings,
    group,
    part,
    records,
    text,
)
from warmlead.web.answers import Answer

_VALIDATION = "endpoint.url_validation"
_MAX_VALIDATION = 4_000
"""The longest body, in bytes, of a request that tries the address."""
_MAX_TOKEN = 200

_HOST = "the host"
_UNKNOWN = "a guest without an address"
_REGISTERED = ("webinar.registration_created", "meeting.registration_created")
_JOINED = ("webinar.participant_joined", "meeting.participant_joined")
_LEFT = ("webinar.participant_left", "meeting.participant_left")
_GUEST = " (guest)"
_CLAIMS = ("purchasing_time_frame", "role_in_purchase_process")
"""What registrants say of a purchase: not traits, which hold what sales has learnt of it."""


class ZoomSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are secret tokens of apps. Forms are named by the numbers of webinars."""


class ZoomSource(WebhookSender):
    """Registrants and participants (https://developers.zoom.us/docs/api/webhooks/)."""

    name = "zoom"
    path = "zoom"
    proof: ClassVar[Proof] = Signed(
        WebhookScheme(
            header="x-zm-signature",
            text="v0:{time}:{body}",
            prefix="v0=",
            time_header="x-zm-request-timestamp",
        )
    )
    meanings: ClassVar = {
        **dict.fromkeys(_REGISTERED, "webinar_registered"),
        **dict.fromkeys(_JOINED, "webinar_attended"),
        **dict.fromkeys(_LEFT, "webinar_left"),
        **dict.fromkeys((kind + _GUEST for kind in (*_JOINED, *_LEFT)), None),
        **dict.fromkeys(
            (
                *("webinar.registration_approved", "meeting.registration_approved"),
                *("webinar.registration_cancelled", "meeting.registration_cancelled"),
                *("webinar.registration_denied", "meeting.registration_denied"),
                *("webinar.started", "meeting.started", "webinar.ended", "meeting.ended"),
                *(_HOST, _UNKNOWN, _VALIDATION),
            )
        ),
    }
    once = "webinar and registrant; for who leaves, the time too"
    retries = "3 times in 85 minutes, after any answer but 2xx within 3 seconds"
    tries_address = f"`{_VALIDATION}`, answered with a signed token"

    def handshake(self, request: RawRequest) -> Answer | None:
        """The token that Zoom sends to try the address, and its HMAC.

        Raises ``RejectedError`` unless the request is signed: else anybody could have any text
        signed with the secret.
        """
        is_short = len(request.body) <= _MAX_VALIDATION
        if request.method != "POST" or not is_short or _VALIDATION.encode() not in request.body:
            return None
        self.verify(request)
        value = self._document(request).value
        if text(part(value, "event")) != _VALIDATION:
            return None
        token = text(part(value, "payload", "plainToken"))
        if not token or len(token) > _MAX_TOKEN or not token.isascii():
            raise RejectedError(
                Reason.FIELD_INVALID, "The field plainToken is missing, too long, or not ASCII."
            )
        digest = hmac.new(self._signer(request).encode(), token.encode(), hashlib.sha256)
        answer = {"plainToken": token, "encryptedToken": digest.hexdigest()}
        return Answer(200, json.dumps(answer).encode())

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What one registrant or participant did."""
        kind, about = text(item.get("event")), group(item, "payload", "object")
        if kind in _REGISTERED:
            yield _registered(kind, about, item)
        elif kind in _JOINED or kind in _LEFT:
            yield _took_part(kind, about)
        else:
            yield Said(kind)

    def _signer(self, request: RawRequest) -> str:
        """The secret that signed the request; raises ``RejectedError`` if none did."""
        *others, last = self._settings.secrets
        for secret in others:
            try:
                self.proof.verify(request, [secret], lambda: self._document(request))
            except RejectedError:
                continue
            return secret
        return last


def _registered(kind: str, about: Mapping[str, Any], item: Mapping[str, Any]) -> Said:
    person = group(about, "registrant")
    registrant, webinar = text(person.get("id")), text(about.get("id"))
    fact = Fact(
        fields={name: person.get(name) for name in _CLAIMS},
        id=f"{kind}:{webinar}:{registrant}" if registrant else None,
        time=item.get("event_ts"),
        form=webinar,
        email=person.get("email"),
        anonymous_id=f"zoom:{registrant}" if registrant else None,
        traits={
            "first_name": person.get("first_name"),
            "last_name": person.get("last_name"),
            "phone": person.get("phone"),
            "company": person.get("org"),
            "title": person.get("job_title"),
            "industry": person.get("industry"),
            "employees": person.get("no_of_employees"),
            "city": person.get("city"),
            "region": person.get("state"),
            "postal_code": person.get("zip"),
            "country": person.get("country"),
        },
        properties={
            "webinar": about.get("topic"),
            "message": person.get("comments"),
            "tracking_source": part(person, "tracking_source", "source_name"),
        },
    )
    asked = [
        Asked((text(one.get("title")),), one.get("value"))
        for one in records(person.get("custom_questions"))
    ]
    return Said(kind, fact, asked)


def _took_part(kind: str, about: Mapping[str, Any]) -> Said:
    person = group(about, "participant")
    host = text(about.get("host_id"))
    if host and host in (text(person.get("id")), text(person.get("participant_user_id"))):
        return Said(_HOST)
    registrant, email = text(person.get("registrant_id")), text(person.get("email"))
    if not (registrant or email):
        return Said(_UNKNOWN)
    occurrence = text(about.get("uuid")) or text(about.get("id"))
    stated = person.get("leave_time" if kind in _LEFT else "join_time")
    properties: dict[str, Any] = {"webinar": about.get("topic")}
    who = registrant or short_hash(occurrence + email.lower())
    id_ = f"{kind}:{occurrence}:{who}"
    if kind in _LEFT:
        properties["minutes"] = minutes_between(about.get("start_time"), stated)
        id_ = f"{id_}:{text(stated)}"
    fact = Fact(
        id=id_,
        time=stated,
        form=text(about.get("id")),
        email=email or None,
        anonymous_id=f"zoom:{registrant}" if registrant else None,
        # Who registered gave a name; what somebody calls themselves in a room is "iPhone" too.
        traits={} if registrant else {"name": person.get("user_name")},
        properties=properties,
    )
    return Said(kind if registrant else kind + _GUEST, fact)
