"""A posted statement as an event. Pure; the rules are in the README beside this file."""

from typing import Any, NamedTuple

from msgspec import structs

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event
from warmlead.domain.money import Numbers
from warmlead.domain.sales import Refusal, Said
from warmlead.ports import RawRequest
from warmlead.sources.fields import event_id, long_hash, person_id
from warmlead.sources.sales.payload import Posted
from warmlead.sources.saying import Telling, Who, email_in, statement, worth
from warmlead.sources.times import parse_time
from warmlead.web.strict_json import text_of

NAME = "sales"


class _Saying(NamedTuple):
    word: str
    reason: str = ""


def translate_posted(
    item: dict[str, Any], index: int, request: RawRequest, numbers: Numbers = "either"
) -> Event:
    """One statement as an event; raises ``RejectedError`` if it cannot be one."""
    posted = _posted(item)
    saying = _saying(posted)
    who = Who(
        email_in(posted.email),
        person_id(posted.user_id, "user_id", is_user=True),
        person_id(posted.anonymous_id, "anonymous_id"),
    )
    if not who:
        message = "Give an email, a user_id or an anonymous_id."
        raise RejectedError(Reason.IDENTITY_MISSING, message)
    deal = worth(posted.value, posted.currency, reason=saying.reason, numbers=numbers)
    at = parse_time(posted.occurred_at, "occurred_at")
    id_ = event_id(posted.id, "id") or _id(item, index, request)
    return statement(Telling(NAME, request.received_at, id_, at), who, saying.word, deal)


def _posted(item: dict[str, Any]) -> Posted:
    known = Posted.__struct_fields__
    if not item.keys() <= set(known):
        message = f"There are fields other than {', '.join(known)}."
        raise RejectedError(Reason.FIELD_INVALID, message)
    return structs.replace(Posted(), **item)


def _saying(posted: Posted) -> _Saying:
    if posted.said not in list(Said):
        raise RejectedError(Reason.SAID_UNKNOWN, f"said is none of {', '.join(Said)}.")
    if posted.said == Said.REJECTED:
        if posted.reason not in list(Refusal):
            message = f"A rejection's reason is one of {', '.join(Refusal)}."
            raise RejectedError(Reason.REASON_INVALID, message)
        return _Saying(posted.reason)
    if posted.reason not in (None, "") and posted.said != Said.LOST:
        raise RejectedError(Reason.REASON_INVALID, "Only what is rejected or lost has a reason.")
    if not isinstance(posted.reason, str | None):
        raise RejectedError(Reason.REASON_INVALID, "The reason is not a text.")
    return _Saying(posted.said, (posted.reason or "").strip())


def _id(item: dict[str, Any], index: int, request: RawRequest) -> str:
    for header in ("webhook-id", "svix-id", "idempotency-key"):
        if found := event_id(request.headers.get(header), header):
            return str(event_id(f"{found}-{index}" if index else found, header))
    # Without an id and a time, the same statement on the same UTC day counts once.
    day = "" if item.get("occurred_at") else request.received_at.date().isoformat()
    return f"hash-{long_hash(text_of([day, dict(sorted(item.items()))]))}"
