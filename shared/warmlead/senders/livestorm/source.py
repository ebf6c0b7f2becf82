"""Livestorm's webhooks: who registers for a webinar, who came, and who did not."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeGuard

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.charsets import Tell
from warmlead.ports import RawRequest
from warmlead.senders.forms import Submissions
from warmlead.senders.proofs import KeyInAddress, Proof
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

_REGISTERED = "people.registered"
_ATTENDED = "people.attended"
_TOOK_PART = "people.attended (asked, wrote or voted)"
_MISSED = "people.not_attended"
_REPLAYED = "people.watched_replay"
_OWN = "a team member or speaker"
_WORD = "webhook"
"""The key under which an item holds the event that its address names."""

_NO_ADDRESS = "@unknown.livestorm.co"
"""The end of the addresses that Livestorm makes up for people who gave none."""

_DEEDS = ("questions_count", "messages_count", "votes_count")
_ORIGIN = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "referrer")


class LivestormSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets stand in the addresses. Forms are named by the ids of events."""


class LivestormSource(WebhookSender):
    """People of sessions (https://developers.livestorm.co/docs/webhooks-1).

    The body is a person, as Livestorm's API tells it, and does not name the event: so the address
    does, one for each webhook.
    """

    name = "livestorm"
    path = "livestorm"
    is_known_by_body = False  # the address names the event
    proof: ClassVar[Proof] = KeyInAddress()
    meanings: ClassVar = {
        _REGISTERED: "webinar_registered",
        _ATTENDED: "webinar_attended",
        _TOOK_PART: "webinar_participated",
        _MISSED: "webinar_missed",
        _REPLAYED: "video_watched",
        _OWN: None,
    }
    once = "the event, the session and the person"
    retries = "5 times in 22 minutes, after 4xx and 5xx; then it disables the webhook"

    @property
    def paths(self) -> Sequence[str]:
        """One for each webhook."""
        return [f"/{self.path}/{word}" for word in (_REGISTERED, _ATTENDED, _MISSED, _REPLAYED)]

    def form_of(self, request: RawRequest) -> tuple[str, WebhookSettings]:
        """The event that the address names."""
        word, settings = super().form_of(request)
        if f"/{self.path}/{word}" not in self.paths:
            message = f"The address must end in one of {', '.join(self.paths)}."
            raise RejectedError(Reason.NOT_FOUND, message)
        return word, settings

    def read(self, request: RawRequest, settings: WebhookSettings, tell: Tell) -> Submissions:
        """The person, with the event that the address names."""
        word, _ = self.form_of(request)
        found = super().read(request, settings, tell)
        items = [{**one, _WORD: word} if isinstance(one, dict) else one for one in found.items]
        return Submissions(items, found.suspect)

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What one person did."""
        kind, person = text(item.get(_WORD)), group(item, "data", "attributes")
        detail = group(person, "registrant_detail")
        if text(person.get("role")) != "participant" or detail.get("is_guest_speaker") is True:
            yield Said(_OWN)
            return
        id_ = text(part(item, "data", "id"))
        is_new = kind == _REGISTERED
        email = text(person.get("email"))
        fact = Fact(
            fields={name: detail.get(name) for name in _ORIGIN} if is_new else {},
            id=f"{kind}:{text(detail.get('session_id'))}:{id_}" if id_ else None,
            time=_time(kind, person),
            form=text(detail.get("event_id")),
            email=email if email and not email.lower().endswith(_NO_ADDRESS) else None,
            anonymous_id=f"livestorm:{id_}" if id_ else None,
            traits=_traits(person) if is_new else {},
            properties=_properties(kind, detail),
        )
        yield Said(kind, fact, _asked(detail) if is_new else ())
        if kind == _ATTENDED and any(_is_positive(person.get(deed)) for deed in _DEEDS):
            yield Said(_TOOK_PART, _taking_part(fact, person))


def _traits(person: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "first_name": person.get("first_name"),
        "last_name": person.get("last_name"),
        "time_zone": person.get("timezone"),
    }


def _asked(detail: Mapping[str, Any]) -> list[Asked]:
    """The fields of the registration, but for the address that Livestorm made up."""
    return [
        Asked((text(one.get("id")),), one.get("value"))
        for one in records(detail.get("fields"))
        if not text(one.get("value")).lower().endswith(_NO_ADDRESS)
    ]


def _time(kind: str, person: Mapping[str, Any]) -> Any:  # noqa: ANN401  # whatever JSON holds
    """When it was: for who came and who did not it is now, as the session has just ended."""
    if kind == _REGISTERED:
        return part(person, "registrant_detail", "created_at")
    return part(person, "replay_view_detail", "watched_at") if kind == _REPLAYED else None


def _properties(kind: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    named = {"video" if kind == _REPLAYED else "webinar": text(detail.get("event_id"))}
    seconds = detail.get("attendance_duration")
    if kind == _ATTENDED and _is_positive(seconds):
        return {**named, "minutes": round(seconds / 60), "percent": detail.get("attendance_rate")}
    return named


def _taking_part(fact: Fact, person: Mapping[str, Any]) -> Fact:
    return Fact(
        id=f"{fact.id}:took part" if fact.id else None,
        form=fact.form,
        email=fact.email,
        anonymous_id=fact.anonymous_id,
        properties={
            "webinar": fact.form,
            "questions": person.get("questions_count"),
            "messages": person.get("messages_count"),
            "votes": person.get("votes_count"),
        },
    )


def _is_positive(value: Any) -> TypeGuard[float]:  # noqa: ANN401  # whatever JSON holds
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _MOST


_MOST = 10**9
