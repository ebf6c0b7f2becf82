"""Every error that Warmlead raises on purpose.

::

    WarmleadError
    ├── RejectedError        can never succeed: the input is wrong; a retry does not help
    ├── UnavailableError     may succeed later: something we need is away; retry
    │   ├── UnreadableError  some leads' documents cannot be read; all others can
    │   └── UnsentError      a lead waits until its messages are sent; all others do not
    └── ConfigurationError   settings or model are wrong: a person must change a file

Messages are for the sender's engineer. They never repeat what the sender sent,
because errors end in logs and answers, and personal data may not.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Self

from warmlead.domain.text import one_line

MOST_SHOWN = 10
"""Limit of leads that a message names."""


class Reason(StrEnum):
    """Why something was rejected; the stable ``code`` of error answers and of quarantine."""

    # who is speaking
    UNAUTHORIZED = "unauthorized"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_INVALID = "signature_invalid"
    SIGNATURE_EXPIRED = "signature_expired"
    FORBIDDEN = "forbidden"
    CAPTCHA_MISSING = "captcha_missing"
    CAPTCHA_FAILED = "captcha_failed"
    CAPTCHA_UNCHECKED = "captcha_unchecked"
    # the request as a whole
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TOO_LARGE = "body_too_large"
    BODY_TIMEOUT = "body_timeout"
    BODY_EMPTY = "body_empty"
    BODY_INCOMPLETE = "body_incomplete"
    ENCODING_UNSUPPORTED = "encoding_unsupported"
    ENCODING_INVALID = "encoding_invalid"
    MEDIA_TYPE_UNSUPPORTED = "media_type_unsupported"
    CHARSET_INVALID = "charset_invalid"
    QUERY_INVALID = "query_invalid"
    # JSON
    JSON_INVALID = "json_invalid"
    JSON_TOO_DEEP = "json_too_deep"
    JSON_DUPLICATE_KEY = "json_duplicate_key"
    JSON_NOT_A_NUMBER = "json_not_a_number"
    JSON_INTEGER_TOO_LARGE = "json_integer_too_large"
    JSON_SURROGATE = "json_surrogate"
    # forms
    FORM_INVALID = "form_invalid"
    FORM_TOO_MANY_FIELDS = "form_too_many_fields"
    REDIRECT_NOT_ALLOWED = "redirect_not_allowed"
    # one event
    EVENT_INVALID = "event_invalid"
    EVENT_TOO_LARGE = "event_too_large"
    EVENT_NAME_MISSING = "event_name_missing"
    EVENT_NAME_INVALID = "event_name_invalid"
    EVENT_TYPE_UNKNOWN = "event_type_unknown"
    EVENT_ID_INVALID = "event_id_invalid"
    TOO_MANY_EVENTS = "too_many_events"
    TOO_MANY_FIELDS = "too_many_fields"
    FIELD_INVALID = "field_invalid"
    IDENTITY_MISSING = "identity_missing"
    IDENTITY_INVALID = "identity_invalid"
    EMAIL_INVALID = "email_invalid"
    TIME_INVALID = "time_invalid"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    # what sales says
    ACCOUNT_UNKNOWN = "account_unknown"
    XML_INVALID = "xml_invalid"
    SAID_UNKNOWN = "said_unknown"
    REASON_INVALID = "reason_invalid"
    VALUE_INVALID = "value_invalid"
    CURRENCY_UNKNOWN = "currency_unknown"
    # one lead
    ERASURE_ASKED = "erasure_asked"
    LEAD_FLOODED = "lead_flooded"
    RECEIVED_TOO_LONG_AGO = "received_too_long_ago"
    MESSAGE_INVALID = "message_invalid"

    @property
    def is_for_a_person(self) -> bool:
        """Whether only a person can say that the input is good: no later attempt can tell."""
        return self in _FOR_A_PERSON


_FOR_A_PERSON = frozenset((Reason.CAPTCHA_MISSING, Reason.CAPTCHA_FAILED, Reason.CAPTCHA_UNCHECKED))


class WarmleadError(Exception):
    """Base of every error below; catch it only at an edge."""


class RejectedError(WarmleadError):
    """The input can never succeed, however often it is sent.

    ``reason`` is stable and machine-readable; ``message`` says what the sender has to change.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        message = one_line(message)
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class UnavailableError(WarmleadError):
    """Something that is needed does not answer; the same call may succeed in ``retry_after_s``."""

    def __init__(self, message: str, *, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s


class UnreadableError(UnavailableError):
    """Documents of leads cannot be read: a newer release wrote them, or they are damaged.

    ``problems`` has the error for each lead's id. Other leads are not affected.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        shown = [f"{id_} ({problem})" for id_, problem in list(problems.items())[:MOST_SHOWN]]
        more = len(problems) - len(shown)
        count = "1 lead" if len(problems) == 1 else f"{len(problems)} leads"
        others = f" and {more} more" if more else ""
        super().__init__(f"{count} cannot be read: {', '.join(shown)}{others}")
        self.problems = dict(problems)


class UnsentError(UnavailableError):
    """No more messages about a lead may wait: those that do must be sent first."""

    def __init__(self) -> None:
        super().__init__("messages about the lead wait to be sent, and no more fit beside them")


class ConfigurationError(WarmleadError):
    """Settings or a model file are wrong; ``problems`` names every fault found, not the first."""

    def __init__(self, subject: str, problems: Sequence[str]) -> None:
        super().__init__("\n".join([subject, *(f"  - {problem}" for problem in problems)]))
        self.subject = subject
        self.problems = tuple(problems)

    @classmethod
    def one(cls, subject: str, problem: str) -> Self:
        """An error with a single problem."""
        return cls(subject, [problem])


class NamedOtherwiseError(WarmleadError):
    """No lead has this address; as an id of another kind, which anybody can send, some leads do.

    ``lead_ids`` are theirs.
    """

    def __init__(self, lead_ids: Sequence[str]) -> None:
        super().__init__(f"as an id of another kind it belongs to {' and '.join(lead_ids)}")
        self.lead_ids = tuple(lead_ids)
