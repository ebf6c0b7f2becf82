"""The mail tools' APIs, as their references describe how they take a mail."""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from destinations.vendors import Answered, Asked, Vendor

KEY = "key-of-the-tests-4711"


@dataclass(frozen=True)
class Taken:
    """A mail that the vendor will send."""

    to: str
    sender: str
    template: str
    variables: Mapping[str, Any]
    tag: str
    id: str
    reply_to: str
    unsubscribe: str = ""


class MailVendor(Vendor):
    """A vendor of mail: the mails that it has taken, and its settings file's section.

    ``suppressed`` are addresses to which the vendor does not write.
    """

    tool: str
    template: str | int
    own: ClassVar[Mapping[str, Any]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.key = KEY
        self.mails: list[Taken] = []
        self.suppressed: set[str] = set()

    def section(self, address: str, **fields: Any) -> dict[str, Any]:
        """A section that reaches the vendor."""
        return {
            "to": self.tool,
            "tokens": [KEY],
            "from": {"email": "hello@example.org", "name": 'The "Example" team, Inc.'},
            "reply_to": "answers@example.org",
            "templates": {"welcome-guide": self.template},
            "address": address,
            "allow_local": True,
            **self.own,
            **fields,
        }

    def too_many(self, seconds: int) -> Answered:
        """That the vendor gets too many requests, and takes more after some seconds."""
        raise NotImplementedError

    def refused(self, address: str) -> Answered:
        """That something is wrong with a mail, in the vendor's words with the address in them."""
        raise NotImplementedError


def said(status: int, value: object, **headers: str) -> Answered:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answered(status, json.dumps(value).encode(), named)


class SendGrid(MailVendor):
    """https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send."""

    tool = "sendgrid"
    template = "d-13b8f94fbcae4ec6b75270d6cb59f932"
    own: ClassVar = {"unsubscribe_group": 77}

    def api(self, asked: Asked) -> Answered:
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            return self._error(401, "The provided authorization grant is invalid", None)
        if asked.path != "/v3/mail/send":
            return self._error(404, "Not Found", None)
        mail = json.loads(asked.body)
        if len(set(mail["categories"])) < len(mail["categories"]):
            return self._error(400, "All categories should be unique.", "categories")
        (one,) = mail["personalizations"]
        if len(json.dumps(one["custom_args"])) > 10_000 or not mail["from"]["email"]:
            return self._error(400, "Invalid.", "personalizations")
        (to,) = one["to"]
        self.mails.append(
            Taken(
                to["email"],
                mail["from"]["email"],
                mail["template_id"],
                one["dynamic_template_data"],
                mail["categories"][0],
                one["custom_args"]["warmlead_id"],
                mail["reply_to"]["email"],
                str(mail["asm"]["group_id"]),
            )
        )
        return Answered(202, b"", {"X-Message-Id": f"sg-{len(self.mails)}"})

    def too_many(self, seconds: int) -> Answered:
        answer = self._error(429, "too many requests", None)
        # its clock is that of the vendor: the test's clock stands elsewhere
        reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(self.now + seconds)}
        return Answered(429, answer.body, reset)

    now = 0
    """The time of the test in seconds since 1970."""

    def refused(self, address: str) -> Answered:
        words = f"The email {address} does not contain a valid address."
        return self._error(400, words, "personalizations.0.to.0.email")

    def _error(self, status: int, message: str, place: str | None) -> Answered:
        return said(status, {"errors": [{"message": message, "field": place, "help": None}]})


class Postmark(MailVendor):
    """https://postmarkapp.com/developer/api/templates-api#email-with-template."""

    tool = "postmark"
    template = "welcome-guide-2026"
    own: ClassVar = {"stream": "nurture"}

    def api(self, asked: Asked) -> Answered:
        if asked.headers.get("x-postmark-server-token") != self.key:
            return self._error(401, 10, "The server token is missing or incorrect.")
        mail = json.loads(asked.body)
        if asked.path != "/email/withTemplate" or ("TemplateId" in mail) == (
            "TemplateAlias" in mail
        ):
            return self._error(422, 403, "Give TemplateId or TemplateAlias.")
        metadata = mail["Metadata"]
        if any(len(k) > 20 or len(v) > 80 for k, v in metadata.items()):
            return self._error(422, 300, "Metadata is too long.")
        if mail["To"] in self.suppressed:
            words = f"You tried to send to recipients that are inactive: {mail['To']}."
            return self._error(422, 406, words)
        self.mails.append(
            Taken(
                mail["To"],
                mail["From"],
                str(mail.get("TemplateAlias") or mail["TemplateId"]),
                mail["TemplateModel"],
                mail["Tag"],
                metadata["warmlead_id"],
                mail["ReplyTo"],
                mail["MessageStream"],
            )
        )
        id_ = f"pm-{len(self.mails)}"
        return said(200, {"To": mail["To"], "MessageID": id_, "ErrorCode": 0, "Message": "OK"})

    def too_many(self, seconds: int) -> Answered:
        answer = self._error(429, 429, "Rate limit exceeded")
        return Answered(429, answer.body, {"Retry-After": str(seconds)})

    def refused(self, address: str) -> Answered:
        return self._error(422, 300, f"Error parsing 'To': Illegal email address '{address}'.")

    def _error(self, status: int, code: int, message: str) -> Answered:
        return said(status, {"ErrorCode": code, "Message": message})


class Mailgun(MailVendor):
    """https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages."""

    tool = "mailgun"
    template = "welcome guide"
    own: ClassVar = {"domain": "mg.example.org"}

    def api(self, asked: Asked) -> Answered:
        key = base64.b64encode(f"api:{self.key}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {key}":
            return Answered(401, b"Forbidden", {"Content-Type": "text/plain"})
        if asked.path != "/v3/mg.example.org/messages":
            return said(404, {"message": "Domain not found"})
        pairs = parse_qsl(asked.body.decode(), keep_blank_values=True)
        fields = dict(reversed(pairs))  # of a repeated name the first
        options = [
            f"{name}{value}" for name, value in pairs if name[:2] in ("o:", "v:", "h:", "t:")
        ]
        if len("".join(options).encode()) > 16_384:
            return said(400, {"message": "too many options"})
        if len([name for name, _ in pairs if name == "to"]) != 1 or "," in fields["to"]:
            return said(400, {"message": "to parameter is not a valid address"})
        tags = [value for name, value in pairs if name == "o:tag"]
        if any(len(tag) > 128 or not tag.isascii() for tag in tags):
            return said(400, {"message": "invalid tag"})
        self.mails.append(
            Taken(
                fields["to"],
                fields["from"],
                fields["template"],
                json.loads(fields["t:variables"]),
                tags[0],
                fields["v:warmlead_id"],
                fields["h:Reply-To"],
            )
        )
        id_ = f"<2026.{len(self.mails)}@mg.example.org>"
        return said(200, {"id": id_, "message": "Queued. Thank you."})

    def too_many(self, seconds: int) -> Answered:
        return said(429, {"message": "too many requests"}, Retry_After=str(seconds))

    def refused(self, address: str) -> Answered:
        return said(400, {"message": f"to parameter is not a valid address: {address}"})


class Brevo(MailVendor):
    """https://developers.brevo.com/reference/sendtransacemail, with its idempotency.

    https://developers.brevo.com/docs/heterogenous-versions-batch-emails
    """

    tool = "brevo"
    template = 12

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[str, float] = {}

    def api(self, asked: Asked) -> Answered:
        if asked.headers.get("api-key") != self.key:
            return said(401, {"code": "unauthorized", "message": "Key not found"})
        if asked.path != "/v3/smtp/email":
            return said(404, {"code": "document_not_found", "message": "Not found"})
        mail = json.loads(asked.body)
        if not isinstance(mail["templateId"], int):
            return said(400, {"code": "invalid_parameter", "message": "templateId is invalid"})
        key = mail["headers"]["idempotencyKey"]
        if time.monotonic() - self._keys.get(key, -9_999) < 1_800:
            return said(400, {"code": "duplicate_parameter", "message": "Key was used already"})
        self._keys[key] = time.monotonic()
        (to,) = mail["to"]
        self.mails.append(
            Taken(
                to["email"],
                mail["sender"]["email"],
                str(mail["templateId"]),
                mail["params"],
                mail["tags"][0],
                mail["headers"]["X-Mailin-custom"].removeprefix("warmlead_id:"),
                mail["replyTo"]["email"],
            )
        )
        return said(201, {"messageId": f"<2026{len(self.mails)}@smtp-relay.mailin.fr>"})

    def too_many(self, seconds: int) -> Answered:
        answer = said(429, {"code": "too_many_requests", "message": "Slow down"})
        return Answered(429, answer.body, {"x-sib-ratelimit-reset": str(seconds)})

    def refused(self, address: str) -> Answered:
        return said(400, {"code": "invalid_parameter", "message": f"email is not valid: {address}"})


class Mailchimp(MailVendor):
    """https://mailchimp.com/developer/transactional/api/messages/send-using-message-template/."""

    tool = "mailchimp"
    template = "welcome-guide"

    def __init__(self) -> None:
        super().__init__()
        self.rejects_for = "unsub"

    def api(self, asked: Asked) -> Answered:
        mail = json.loads(asked.body)
        if mail["key"] != self.key:
            return self._error("Invalid_Key", -1, "Invalid API key")
        if asked.path != "/messages/send-template" or mail["template_content"] != []:
            return self._error("ValidationError", -2, "You must specify a template_content value")
        message = mail["message"]
        (to,) = message["to"]
        if any(len(tag) > 50 or tag.startswith("_") for tag in message["tags"]):
            return self._error("ValidationError", -2, "a tag is too long")
        if to["email"] in self.suppressed:
            told = {"status": "rejected", "reject_reason": self.rejects_for}
            return said(200, [{"email": to["email"], "_id": "x", **told}])
        self.mails.append(
            Taken(
                to["email"],
                message["from_email"],
                mail["template_name"],
                {each["name"]: each["content"] for each in message["global_merge_vars"]},
                message["tags"][0],
                message["metadata"]["warmlead_id"],
                message["headers"]["Reply-To"],
            )
        )
        id_ = f"abc{len(self.mails)}"
        return said(200, [{"email": to["email"], "status": "queued", "_id": id_}])

    def too_many(self, seconds: int) -> Answered:
        return said(429, {"status": "error", "name": "GeneralError"}, Retry_After=str(seconds))

    def refused(self, address: str) -> Answered:
        return self._error("ValidationError", -2, f"Please enter a valid address: {address}")

    def _error(self, name: str, code: int, message: str) -> Answered:
        told = {"status": "error", "code": code, "name": name, "message": message}
        return said(500, told)


VENDORS: tuple[type[MailVendor], ...] = (SendGrid, Postmark, Mailgun, Mailchimp, Brevo)
