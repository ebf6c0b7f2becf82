"""Slack's interactions: the button under a message to sales is a statement that it was touched.

https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event
from warmlead.domain.sales import NOTE, SalesStatus
from warmlead.domain.text import one_line
from warmlead.parsing.buttons import TOUCHED, read_button
from warmlead.parsing.signatures import WebhookScheme
from warmlead.parsing.strict_json import parse
from warmlead.ports import Ignored, RawRequest
from warmlead.senders.base import Profile, Secrets, SenderSettings
from warmlead.senders.crm import (
    CrmIdentity,
    CrmOrigin,
    Items,
    SalesSender,
    statement,
)
from warmlead.senders.person import event_id, person_id
from warmlead.senders.statement_parts import email_in

NAME = "slack"

SCHEME = WebhookScheme(
    header="X-Slack-Signature",
    text="v0:{time}:{body}",
    prefix="v0=",
    time_header="X-Slack-Request-Timestamp",
)
"""https://docs.slack.dev/authentication/verifying-requests-from-slack"""

MAX_PERSON = 80
"""Characters of a member's name and id that are kept."""

_TIME = re.compile(r"([0-9]{1,10})\.([0-9]{6})")
_NOT_A_BUTTON = Ignored("not_a_button", "Slack tells of something else than buttons.")
_NOT_OURS = Ignored("not_our_button", "The button is none of Warmlead's.")


class SlackSettings(SenderSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the signing secret of your Slack app, or of several."""

    secrets: Secrets

    def __repr__(self) -> str:
        return "SlackSettings()"


def translate_interaction(item: Mapping[str, Any], request: RawRequest) -> list[Event | Ignored]:
    """The statements of the buttons that were pressed; raises ``RejectedError`` for a broken one.

    A message's button counts once, however often and by whomever it is pressed: its id is that of
    our message.
    """
    if item.get("type") != "block_actions":
        return [_NOT_A_BUTTON]
    actions = item.get("actions")
    if not isinstance(actions, list):
        raise RejectedError(Reason.EVENT_INVALID, "The payload has no actions.")
    pressed = [each for each in actions if _is_ours(each)][:1]  # a press is one action
    return [_touched(action, item, request) for action in pressed] or [_NOT_OURS]


def _is_ours(action: object) -> bool:
    return isinstance(action, dict) and action.get("action_id") == TOUCHED


def _touched(action: Mapping[str, Any], item: Mapping[str, Any], request: RawRequest) -> Event:
    value = action.get("value")
    button = read_button(value if isinstance(value, str) else "")
    who = CrmIdentity(
        email=email_in(button.email), user_id=person_id(button.user_id, "user_id", is_user=True)
    )
    id_ = event_id(button.message, "The message's id")
    if not who or not id_:
        raise RejectedError(Reason.IDENTITY_MISSING, "The button names no lead.")
    origin = CrmOrigin(NAME, request.received_at, id_, _time(action.get("action_ts")))
    details = {NOTE: f"in Slack, by {by}"} if (by := _person(item.get("user"))) else {}
    return statement(origin, who, SalesStatus.TOUCHED, details=details)


def _time(value: object) -> datetime | None:
    """When a button was pressed: seconds since 1970 and six digits; ``None`` for anything else."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    return datetime.fromtimestamp(int(found[1]), UTC).replace(microsecond=int(found[2]))


def _person(user: object) -> str:
    """Who pressed: the member's name and id."""
    if not isinstance(user, dict):
        return ""
    parts = (user.get("username") or user.get("name"), user.get("id"))
    known = [one_line(part)[:MAX_PERSON].strip() for part in parts if isinstance(part, str)]
    return " ".join(filter(None, known))


class SlackSource(SalesSender[SlackSettings]):
    """The interactions of a Slack app, at ``/slack``."""

    name = NAME
    path = "/slack"
    profile = Profile(
        proof="`X-Slack-Signature`, HMAC-SHA256 with a time",
        once="the message under which the button is",
        retries="never; who pressed the button sees a warning",
        events=("sales_touched",),
    )

    def check(self, request: RawRequest) -> None:
        """Raises ``RejectedError`` unless Slack signed it within five minutes."""
        secrets, now = self._settings.secrets, request.received_at
        SCHEME.verify(request.headers, request.body, secrets=secrets, now=now)

    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """Slack's signature, as of the time of the request."""
        secret = self._settings.secrets[0]
        return SCHEME.sign(request.body, at=request.received_at, secret=secret)

    def read(self, request: RawRequest) -> Items:
        """The payload, in a form's field; or in JSON, as it is released from quarantine."""
        body = request.body
        if body.lstrip()[:1] != b"{":
            body = _payload(body)
        document = parse(body)
        value = document.value
        if isinstance(value, dict):
            value = {name: value[name] for name in _KEPT if name in value}
        return Items([value], document.suspect)

    def events_of(
        self,
        item: dict[str, Any],
        index: int,  # noqa: ARG002  # there is one
        request: RawRequest,
    ) -> list[Event | Ignored]:
        """The statement of the button that was pressed."""
        return translate_interaction(item, request)


_KEPT = ("type", "user", "actions")
"""What is needed of a payload: the rest is the whole message, and tokens that are good for more."""


def _payload(body: bytes) -> bytes:
    """The field ``payload`` of a form; raises ``RejectedError`` if there is none."""
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=20, errors="surrogateescape")
    except ValueError:
        fields = {}
    given = fields.get("payload")
    if not given:
        raise RejectedError(Reason.BODY_EMPTY, "The form has no field payload.")
    return given[0].encode("utf-8", "surrogateescape")
