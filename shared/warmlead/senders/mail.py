"""What senders of mail tools share: machines' opens and clicks, kinds of bounces, and proofs."""

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from msgspec import Struct, structs

from warmlead.domain.consent_fields import bounce_in
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Automation, Property, Trust
from warmlead.parsing.key_pairs import KeyPairScheme
from warmlead.parsing.signatures import WebhookScheme
from warmlead.parsing.strict_json import parse, text_of
from warmlead.ports import Ignored, RawRequest
from warmlead.senders.automation import is_statement
from warmlead.senders.claims import Claims
from warmlead.senders.forms import Mend
from warmlead.senders.person import long_hash
from warmlead.senders.proofs import Document, KeyInAddress, KeyInBody
from warmlead.senders.replies import REPLIES
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import WebhookSender, WebhookSettings, group, part, text

TEST = "test"
"""What a vendor sends to try the address, in our word: it makes no lead."""


class MailSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section of a mail tool.

    ``hidden_links`` are addresses of links that people cannot see in the mails: who opens one is a
    program.
    """

    hidden_links: tuple[str, ...] = ()


class MailSender(WebhookSender):
    """A sender of a mail tool. A fact's ``automated`` counts for opens and clicks alone.

    What the mail system states, such as an unsubscription, is so whichever program caused it.
    """

    def claims_of(self, kind: str, name: str) -> Claims:  # noqa: ARG002  # whatever it reports
        """The traits: a mail tool reports what it sees, and people fill in its sign-up forms.

        All of a mail that came in: its sender may be anybody.
        """
        return Claims.ALL if kind in REPLIES else Claims.TRAITS

    def sent_anew(self, request: RawRequest) -> RawRequest:
        """The request with a new token in its body, if the tool signs one."""
        if isinstance(self.proof, SignedToken):
            return self.proof.renewed(request, self._settings.secrets[0])
        return request

    def facts(self, item: Any, settings: WebhookSettings, mend: Mend) -> Iterator[Fact | Ignored]:  # noqa: ANN401  # whatever JSON holds
        """What an item says, under our names."""
        for fact in super().facts(item, settings, mend):
            if isinstance(fact, Fact) and fact.name and is_statement(fact.name, Trust.SIGNED):
                yield structs.replace(fact, automated=None)
            elif isinstance(fact, Fact) and self._is_hidden(fact.properties.get("url")):
                yield structs.replace(fact, automated=Automation.ROBOT)
            else:
                yield fact

    def _is_hidden(self, link: Any) -> bool:  # noqa: ANN401  # whatever JSON holds
        settings = self._settings
        hidden = settings.hidden_links if isinstance(settings, MailSettings) else ()
        return bool(hidden and link) and _bare(text(link)) in map(_bare, hidden)


def _bare(link: str) -> str:
    """The link without its parameters, which tools add to."""
    return _PARAMETERS.split(link.strip(), maxsplit=1)[0].rstrip("/")


_PARAMETERS = re.compile(r"[?#]")


def kind_of_bounce(**said: Property) -> str:
    """``hard``, ``soft``, ``unsubscribed`` or ``complained``, by what the tool says of a bounce.

    ``kind`` is the tool's own word; ``code``, ``status`` and ``reason`` may hold an SMTP code.
    """
    return bounce_in(said).value


def fact_id(*parts: Any) -> str:  # noqa: ANN401  # whatever JSON holds
    """The id of a fact that its vendor has not numbered, made of what tells it from others.

    It is a hash, since an address may be among them.
    """
    return f"fact-{long_hash(text_of([text(one) for one in parts]))}"


def first_text(value: Any) -> str:  # noqa: ANN401  # whatever JSON holds
    """The text, or the first one of a list: a tag, or the first of several."""
    return text(part(value, 0) if isinstance(value, list) else value)


# --- how a request proves its origin -------------------------------------------------------


class SignedWithKeyPair(Struct, frozen=True):
    """ECDSA over a time and the body. The secrets are public keys of the vendor."""

    scheme: KeyPairScheme
    covers_body: bool = True
    covers_time: bool = False
    """The window is as wide as the vendor's retries are long."""

    @property
    def in_words(self) -> str:
        """The header, and the method."""
        return f"`{self.scheme.header}`, ECDSA with a time"

    def is_claimed(self, request: RawRequest) -> bool:
        """Whether the header is there."""
        return self.scheme.header.lower() in request.headers

    def verify(self, request: RawRequest, secrets: Sequence[str], document: Document) -> None:  # noqa: ARG002  # the bytes count
        """Raises ``RejectedError`` unless one of the keys signed the body."""
        now = request.received_at
        self.scheme.verify(request.headers, request.body, secrets=secrets, now=now)

    def sign(self, request: RawRequest, secret: str) -> Mapping[str, str]:
        """The headers with the signature; none if the secret is only a public key."""
        return self.scheme.sign(request.body, at=request.received_at, secret=secret)


class SignedToken(KeyInBody, frozen=True):
    """A signed time and token in a group of the body: ``timestamp``, ``token``, ``signature``.

    The rest of the body is not signed. The window is as wide as the vendor's retries are long.
    """

    tolerance: timedelta = timedelta(hours=9)

    @property
    def in_words(self) -> str:
        """The group, and what is signed."""
        return f"`{self.field}` in the body, HMAC-SHA256 of a time and a token"

    def verify(self, request: RawRequest, secrets: Sequence[str], document: Document) -> None:
        """Raises ``RejectedError`` unless one of the secrets signed the token, lately."""
        signed = group(document().value, self.field)
        time, token, given = (text(signed.get(n)) for n in ("timestamp", "token", "signature"))
        if not (time and token and given):
            message = f"The group {self.field} with timestamp, token and signature is needed."
            raise RejectedError(Reason.SIGNATURE_MISSING, message)
        valid = False
        for secret in secrets:
            valid |= hmac.compare_digest(
                given.lower().encode(errors="replace"), token_signature(time, token, secret)
            )
        if not (valid and _SECONDS.fullmatch(time)):
            message = "The signature does not match the token."
            raise RejectedError(Reason.SIGNATURE_INVALID, message)
        if abs(request.received_at.timestamp() - int(time)) > self.tolerance.total_seconds():
            raise RejectedError(Reason.SIGNATURE_EXPIRED, "The signed time is too far from ours.")

    def renewed(self, request: RawRequest, secret: str) -> RawRequest:
        """The request with another time and token; as it is, if its body is not an object."""
        try:
            value = parse(request.body).value
        except RejectedError:
            return request
        if not isinstance(value, dict):
            return request
        time, token = str(int(request.received_at.timestamp())), request.request_id
        signature = token_signature(time, token, secret).decode()
        signed = {"timestamp": time, "token": token, "signature": signature}
        return replace(request, body=text_of({**value, self.field: signed}).encode())


_SECONDS = re.compile(r"[0-9]{1,12}")

MAX_TOKENS = 20_000
"""The tokens that one process remembers: those of nine hours, at one in two seconds."""


class TokensSeen:
    """The signed tokens that came to this process, each with the event that came first with it.

    Another process does not know them, nor does this one after a start. So a token that somebody
    has read may be used for another event there, until its time is over.
    """

    def __init__(self, most: int = MAX_TOKENS) -> None:
        self._most = most
        self._events: OrderedDict[str, bytes] = OrderedDict()

    def admit(self, token: str, event: Any) -> None:  # noqa: ANN401  # whatever JSON holds
        """Remembers the token; raises ``RejectedError`` if it came with another event.

        A repeat of the same event is good: the vendor sends again what was not answered.
        """
        digest = hashlib.blake2b(text_of(event).encode(errors="replace")).digest()
        if self._events.setdefault(token, digest) != digest:
            message = "The token has come with another event already."
            raise RejectedError(Reason.SIGNATURE_INVALID, message)
        if len(self._events) > self._most:
            self._events.popitem(last=False)


def token_signature(time: str, token: str, secret: str) -> bytes:
    """The signature of a time and a token, in hexadecimal digits."""
    signed = f"{time}{token}".encode(errors="replace")
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()


class KeyOrSignature(KeyInAddress, frozen=True, kw_only=True):
    """A secret in the address, or a signature, or both. One that is valid is enough.

    So a vendor that lets its users turn signatures on needs one list of secrets. If the secret of
    the signature is the only one, whatever is not signed is refused.
    """

    scheme: WebhookScheme

    @property
    def in_words(self) -> str:
        """Both ways."""
        return f"a secret in the address, or `{self.scheme.header}`"

    def verify(self, request: RawRequest, secrets: Sequence[str], document: Document) -> None:
        """Raises ``RejectedError`` unless the address or the signature proves a secret."""
        if self.scheme.header.lower() not in request.headers:
            super().verify(request, secrets, document)
            return
        now = request.received_at
        try:
            self.scheme.verify(request.headers, request.body, secrets=secrets, now=now)
        except RejectedError:
            if not self.is_claimed(request):
                raise
            super().verify(request, secrets, document)
