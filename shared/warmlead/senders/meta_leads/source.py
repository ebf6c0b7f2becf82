"""Meta's lead ads: notifications of leads, which are then fetched from the Graph API."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, cast
from urllib.parse import parse_qs, urlencode

from msgspec import Meta

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.signatures import WebhookScheme
from warmlead.ports import Fetched, Fetcher, RawRequest
from warmlead.senders.base import Secrets
from warmlead.senders.fetched import LEAD, NotifiedSender, is_object
from warmlead.senders.proofs import Proof, Signed, demand_secret
from warmlead.senders.submission import FORM_SUBMITTED, Fact
from warmlead.senders.webhooks import (
    Asked,
    Said,
    WebhookSettings,
    group,
    part,
    records,
    text,
)
from warmlead.web.answers import Answer

GRAPH = "https://graph.facebook.com"
_LEADGEN, _TEST = "leadgen", "test_lead"
_ID = re.compile(r"[0-9]{1,32}")
_EXAMPLE = re.compile(r"4+")
"""The ids of the notification that the button *Test* of the app's page sends."""

_DUMMY = "<test lead: dummy data"
"""How the answers begin that the Lead Ads Testing Tool fills in."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,200}")
_FIELDS = (
    *("id", "created_time", "form_id", "ad_id", "ad_name", "adset_name", "campaign_name"),
    *("platform", "is_organic", "field_data", "custom_disclaimer_responses"),
)
_OF_THE_AD = ("ad_id", "ad_name", "adset_name", "campaign_name", "platform")
_SITES = {"fb": "facebook", "ig": "instagram"}
_GONE = 100
"""The Graph API's code for what does not exist, or is not for this token at all."""

_FOUND = 200


class MetaLeadsSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the app's; any of the ``tokens`` is the verify token of the subscription.

    ``access_token`` reads the leads, by ``version`` of the Graph API. Forms are named by their id.
    """

    tokens: Secrets
    access_token: Annotated[str, Meta(min_length=1)]
    version: Annotated[str, Meta(pattern=r"\Av[0-9]{1,3}\.[0-9]\Z")] = "v23.0"


class MetaLeadsSource(NotifiedSender):
    """Leads of ads (https://developers.facebook.com/docs/marketing-api/guides/lead-ads)."""

    name = "meta_leads"
    vendor = "Meta"
    path = "meta-leads"
    proof: ClassVar[Proof] = Signed(WebhookScheme(header="X-Hub-Signature-256", prefix="sha256="))
    meanings: ClassVar = {_LEADGEN: FORM_SUBMITTED, _TEST: None}
    once = "`leadgen_id`"
    retries = "for 36 hours, after any answer but 200"
    tries_address = "`hub.challenge`, with the verify token"

    def __init__(
        self, settings: WebhookSettings, *, own_hosts: frozenset[str], fetcher: Fetcher
    ) -> None:
        super().__init__(settings, own_hosts=own_hosts, fetcher=fetcher)
        self._meta = cast("MetaLeadsSettings", settings)  # as the registry says

    def handshake(self, request: RawRequest) -> Answer | None:
        """The challenge by which Meta tries the address; only with the verify token."""
        given = parse_qs(request.query, max_num_fields=None)
        if request.method != "GET" or given.get("hub.mode") != ["subscribe"]:
            return None
        demand_secret(given.get("hub.verify_token", []), self._meta.tokens, "The verify token")
        challenge = given.get("hub.challenge", [""])[0]
        if not _CHALLENGE.fullmatch(challenge):
            raise RejectedError(Reason.QUERY_INVALID, "hub.challenge is not letters and digits.")
        return Answer(200, challenge.encode(), "text/plain; charset=utf-8")

    def to_fetch(self, item: Any) -> tuple[dict[str, Any], str] | None:  # noqa: ANN401  # whatever JSON holds
        """The value of a change that names a lead, but for Meta's example."""
        id_ = text(part(item, "value", "leadgen_id"))
        is_lead = part(item, "field") == _LEADGEN and _ID.fullmatch(id_)
        return (item["value"], id_) if is_lead and not _EXAMPLE.fullmatch(id_) else None

    def address_of(self, id_: str) -> str:
        """Where a lead is; with the proof that the token is used by its app."""
        secret, token = self._meta.secrets[0].encode(), self._meta.access_token.encode()
        proof = hmac.new(secret, token, hashlib.sha256).hexdigest()
        query = urlencode({"fields": ",".join(_FIELDS), "appsecret_proof": proof}, safe=",")
        return f"{GRAPH}/{self._meta.version}/{id_}?{query}"

    def headers(self) -> Mapping[str, str]:
        """The access token."""
        return {"Authorization": f"Bearer {self._meta.access_token}"}

    def is_gone(self, answer: Fetched, value: object) -> bool:  # noqa: ARG002  # Meta's code tells it
        """Whether Meta's code says so."""
        return bool(part(value, "error", "code") == _GONE)

    def why_not(self, answer: Fetched, value: object) -> str:
        """Meta's code, unless it is a lead."""
        if answer.status == _FOUND and is_object(value) and part(value, "error") is None:
            return ""
        return f"code_{text(part(value, 'error', 'code'))[:10] or 'unknown'}"

    def items(self, value: Any) -> Sequence[Any]:  # noqa: ANN401  # whatever JSON holds
        """The changes of all entries; or one that comes again by itself."""
        entries = records(part(value, "entry"))
        return list(_changes(entries)) if entries else super().items(value)

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The lead: answers under Meta's names for them, and the ad that brought it."""
        field, value = text(item.get("field")), group(item, "value")
        lead = group(value, LEAD)
        answers = [(text(one.get("name")), one.get("values")) for one in _answers(lead)]
        if field != _LEADGEN or _is_test(value, answers):
            yield Said(_TEST if field == _LEADGEN else field)
            return
        lead = self.lead_in(value)
        yield Said(
            field,
            Fact(
                fields=_origin(lead),
                id=text(value.get("leadgen_id")) or None,
                time=lead.get("created_time") or value.get("created_time"),
                form=text(lead.get("form_id")) or text(value.get("form_id")),
                properties={name: text(lead.get(name)) for name in _OF_THE_AD},
            ),
            [
                *(Asked((name,), given) for name, given in answers),
                *(
                    Asked((text(box.get("checkbox_key")),), text(box.get("is_checked")) == "1")
                    for box in records(lead.get("custom_disclaimer_responses"))
                ),
            ],
        )


def _changes(entries: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    for entry in entries:
        changes = entry.get("changes")
        yield from changes if isinstance(changes, list) else [entry]


def _answers(lead: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {**one, "values": given[0] if isinstance(given, list) and len(given) == 1 else given}
        for one in records(lead.get("field_data"))
        for given in [one.get("values")]
    ]


def _is_test(value: Mapping[str, Any], answers: Iterable[tuple[str, Any]]) -> bool:
    return bool(_EXAMPLE.fullmatch(text(value.get("leadgen_id")))) or any(
        isinstance(given, str) and given.lower().startswith(_DUMMY) for _, given in answers
    )


def _origin(lead: Mapping[str, Any]) -> dict[str, str]:
    """Where the person came from: an ad, unless the form was found without one."""
    if lead.get("is_organic") is True:
        return {}
    site = _SITES.get(text(lead.get("platform")), "facebook")
    campaign = text(lead.get("campaign_name"))
    return {
        "utm_source": site,
        "utm_medium": "paid_social",
        **({"utm_campaign": campaign} if campaign else {}),
    }
