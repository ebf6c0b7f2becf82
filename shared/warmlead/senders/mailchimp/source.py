"""Mailchimp's audience webhooks: who subscribed, unsubscribed, or was cleaned from a list."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.charsets import Tell
from warmlead.parsing.form_bodies import parse_urlencoded
from warmlead.parsing.signatures import WebhookScheme
from warmlead.ports import RawRequest
from warmlead.senders.forms import Submissions
from warmlead.senders.mail import KeyOrSignature, MailSender, MailSettings, fact_id
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, WebhookSettings, group, text
from warmlead.web.answers import Answer

_NOT_FIELDS = ("EMAIL", "INTERESTS", "GROUPINGS")
"""Merge fields that are not a field of the person: the address, and groups of the list."""


class MailchimpSettings(MailSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the key in the address, and the signing secret if signatures are on."""


class MailchimpSource(MailSender):
    """Changes of an audience (https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks)."""

    name = "mailchimp"
    path = "mailchimp"
    proof: ClassVar[KeyOrSignature] = KeyOrSignature(
        scheme=WebhookScheme(
            header="X-Mailchimp-Signature", text="{time}.{body}", pairs=("t", "v1")
        )
    )
    meanings: ClassVar = {
        "subscribe": "email_subscribed",
        "unsubscribe": "email_unsubscribed",
        "unsubscribe.abuse": "email_marked_spam",
        "cleaned.hard": "email_bounced",
        "cleaned.abuse": "email_marked_spam",
        "profile": None,
        "upemail": None,
        "campaign": None,
    }
    once = "`type`, `data[id]`, `data[list_id]`, the address and `fired_at`"
    retries = "for 75 minutes after anything but 2xx within 10 seconds"
    tries_address = "GET, answered with 200"

    def handshake(self, request: RawRequest) -> Answer | None:
        """The answer to the GET with which Mailchimp tries an address; it does nothing else.

        Raises ``RejectedError`` for a key that is not ours, so that a mistyped one shows at once.
        """
        self.form_of(request)
        if request.method != "GET":
            return None
        if self.proof.is_claimed(request):
            secrets = self._settings.secrets
            self.proof.verify(request, secrets, lambda: self._document(request))
        return Answer(200, json.dumps({"success": True}).encode())

    def read(self, request: RawRequest, settings: WebhookSettings, tell: Tell) -> Submissions:  # noqa: ARG002  # others need them
        """The one item of a body in form encoding, whose names are nested in brackets."""
        fields = parse_urlencoded(request.body, request.headers.get("content-type", ""), tell)
        if not fields:
            raise RejectedError(Reason.BODY_EMPTY, "The body holds no field.")
        return Submissions([fields], suspect=False)

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The change, and the fields of the subscriber."""
        data = group(item, "data")
        kind, reason = text(item.get("type")), text(data.get("reason"))
        if kind == "cleaned" or (kind == "unsubscribe" and reason == "abuse"):
            kind = f"{kind}.{'abuse' if reason == 'abuse' else 'hard'}"
        fired_at, id_ = text(item.get("fired_at")), text(data.get("id"))
        email, mailing_list = text(data.get("email")), text(data.get("list_id"))
        merges = {
            name: value
            for name, value in group(data, "merges").items()
            if name not in _NOT_FIELDS and not name.startswith("GROUPINGS")
        }
        yield Said(
            kind,
            Fact(
                fields=merges,
                id=fact_id(kind, id_, mailing_list, email, fired_at),
                time=fired_at or None,
                email=email,
                anonymous_id=f"mailchimp:{id_}" if id_ else None,
                properties={
                    "mailing_list": mailing_list if "subscribe" in kind else None,
                    "campaign": data.get("campaign_id"),
                    "kind": "hard" if kind == "cleaned.hard" else None,
                },
            ),
        )
