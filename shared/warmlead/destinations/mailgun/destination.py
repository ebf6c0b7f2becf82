"""Mailgun's API: one stored template to one person.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlencode

from msgspec import Meta, json

from warmlead.destinations.mail import (
    MESSAGE_ID,
    MailDestination,
    MailToolSettings,
    OutgoingMail,
    Request,
    Told,
    judged_by_status,
    sent_as,
)
from warmlead.domain.dispatch import AttemptResult, Postponed
from warmlead.ports.dispatching import Outbound, OutboundAnswer

_HOSTS = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
_TEMPLATE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")
_NOT_FOUND = 404

MAX_OPTIONS_BYTES = 14_000
"""Mailgun takes 16 kB of options and variables in all."""


class MailgunMailSettings(MailToolSettings, frozen=True, kw_only=True):
    """``domain`` is the sending domain, in the ``region`` of the account."""

    domain: Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,8}\Z")]
    region: Literal["us", "eu"] = "us"

    @classmethod
    def template_problem(cls, template: str | int) -> str:
        """See ``MailToolSettings``."""
        return "" if _TEMPLATE.fullmatch(str(template)) else "must be the name of a template"


class MailgunDestination(MailDestination):
    """Sends by ``/v3/<domain>/messages``, which knows no repeats."""

    def __init__(self, name: str, settings: MailgunMailSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        self._settings = settings

    def request(self, mail: OutgoingMail) -> Request:
        """See ``MailDestination``."""
        own = self._settings
        tags = [tag.encode("ascii", "replace").decode() for tag in mail.tags]  # ASCII only
        fields = [
            ("from", own.from_.in_header),
            ("to", mail.to),
            ("template", str(mail.template)),
            ("t:variables", _bounded(mail.variables)),
            *(("o:tag", tag) for tag in tags),
            (f"v:{MESSAGE_ID}", mail.id),
        ]
        if own.reply_to:
            fields.append(("h:Reply-To", own.reply_to))
        key = b64encode(f"api:{own.tokens[0]}".encode()).decode()
        return Request(
            url=f"{own.address or _HOSTS[own.region]}/v3/{own.domain}/messages",
            headers={
                "Authorization": f"Basic {key}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            body=urlencode(fields).encode(),
        )

    def judged(self, answer: OutboundAnswer, told: Told, now: datetime) -> AttemptResult:
        """See ``MailDestination``."""
        if answer.is_success:
            return sent_as(told.id("id"))
        words = told.words(told.fields.get("message"))
        if answer.status == _NOT_FOUND:  # Mailgun: "this one can be temporal"
            return Postponed(f"it answered 404: {words}; look at domain, region and key")
        return judged_by_status(answer, now, words=words)


def _bounded(variables: Mapping[str, str | int]) -> str:
    """The variables as JSON; the longest texts are halved until Mailgun takes them."""
    kept = dict(variables)
    while len(text := json.encode(kept)) > MAX_OPTIONS_BYTES:
        longest = max(kept, key=lambda name: len(str(kept[name])))
        kept[longest] = str(kept[longest])[: len(str(kept[longest])) // 2]
    return text.decode()
