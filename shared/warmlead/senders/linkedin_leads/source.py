"""LinkedIn's lead gen forms: notifications of leads, which are then fetched from LinkedIn's API."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, cast
from urllib.parse import parse_qs, urlencode

from msgspec import Meta

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.signatures import WebhookScheme
from warmlead.ports import Fetched, Fetcher, RawRequest
from warmlead.senders.fetched import NotifiedSender, is_object
from warmlead.senders.proofs import Proof, Signed
from warmlead.senders.submission import FORM_SUBMITTED, Fact
from warmlead.senders.webhooks import Asked, Said, WebhookSettings, group, part, records, text
from warmlead.web.answers import Answer

API = "https://api.linkedin.com/rest/leadFormResponses"

_CREATED, _DELETED, _TEST = "LEAD_ACTION CREATED", "LEAD_ACTION DELETED", "test lead"
_LEAD_URN = re.compile(r"urn:li:leadGenFormResponse:([A-Za-z0-9_-]{1,128})")
_FORM = re.compile(r"urn:li:leadGenForm:([0-9]{1,24})\b")
_CODE = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
"""A UUID. Any other text might be one that a signature covers, which begin with ``hmacsha256=``."""

_FIELDS = (
    "leadMetadataInfo,leadType,versionedLeadGenFormUrn,id,submittedAt,testLead,"
    "formResponse,form:(hiddenFields,creationLocale,name,id,content)"
)
_SPONSORED = "SPONSORED"
_FOUND, _GONE = 200, 404


class LinkedInLeadsSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are client secrets of the app; the first one answers LinkedIn's challenge.

    ``access_token`` reads the leads, by the ``version`` of the API, a year and a month. Forms are
    named by their id.
    """

    access_token: Annotated[str, Meta(min_length=1)]
    version: Annotated[str, Meta(pattern=r"\A20[0-9]{2}(?:0[1-9]|1[0-2])\Z")]


class LinkedInLeadsSource(NotifiedSender):
    """Leads of ads, events and pages (https://learn.microsoft.com/en-us/linkedin/marketing/lead-sync/leadsync)."""

    name = "linkedin_leads"
    vendor = "LinkedIn"
    path = "linkedin-leads"
    proof: ClassVar[Proof] = Signed(
        WebhookScheme(header="X-LI-Signature", text="hmacsha256={body}", prefix="hmacsha256=")
    )
    meanings: ClassVar = {_CREATED: FORM_SUBMITTED, _DELETED: None, _TEST: None}
    once = "`leadGenFormResponse`"
    retries = "not published; other notifications of LinkedIn for 8 hours, until it is told 2xx"
    tries_address = "`challengeCode`, answered with its HMAC"

    def __init__(
        self, settings: WebhookSettings, *, own_hosts: frozenset[str], fetcher: Fetcher
    ) -> None:
        super().__init__(settings, own_hosts=own_hosts, fetcher=fetcher)
        self._linkedin = cast("LinkedInLeadsSettings", settings)  # as the registry says

    def handshake(self, request: RawRequest) -> Answer | None:
        """The challenge by which LinkedIn tries the address, at first and every two hours.

        Raises ``RejectedError`` unless the code is a UUID: else anybody could have a notification
        of their own signed with the secret.
        """
        self.form_of(request)
        codes = parse_qs(request.query, max_num_fields=None).get("challengeCode", [])
        if request.method != "GET" or not codes:
            return None
        code = codes[0]
        if not _CODE.fullmatch(code):
            raise RejectedError(Reason.QUERY_INVALID, "challengeCode is not a UUID.")
        secret = self._linkedin.secrets[0].encode()
        signed = hmac.new(secret, code.encode(), hashlib.sha256).hexdigest()
        answer = {"challengeCode": code, "challengeResponse": signed}
        return Answer(200, json.dumps(answer).encode())

    def to_fetch(self, item: Any) -> tuple[dict[str, Any], str] | None:  # noqa: ANN401  # whatever JSON holds
        """The notification of a lead that was created."""
        named = _LEAD_URN.fullmatch(text(part(item, "leadGenFormResponse")))
        return (item, named[1]) if named and _kind(item) == _CREATED else None

    def address_of(self, id_: str) -> str:
        """Where a lead is, together with the questions of its form."""
        return f"{API}/{id_}?{urlencode({'fields': _FIELDS}, safe=',:()')}"

    def headers(self) -> Mapping[str, str]:
        """The access token, and the versions of the API and of its protocol."""
        return {
            "Authorization": f"Bearer {self._linkedin.access_token}",
            "LinkedIn-Version": self._linkedin.version,
            "X-Restli-Protocol-Version": "2.0.0",
        }

    def is_gone(self, answer: Fetched, value: object) -> bool:  # noqa: ARG002  # the status tells it
        """Whether LinkedIn does not know the lead, or not for this token."""
        return answer.status == _GONE

    def why_not(self, answer: Fetched, value: object) -> str:
        """LinkedIn's word for it, unless it is a lead."""
        if answer.status == _FOUND and is_object(value):
            return ""
        code = text(part(value, "serviceErrorCode"))
        return f"code_{code[:10] if code.isdecimal() else 'unknown'}"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The lead: the answers to its form's questions, and the campaign that brought it."""
        kind = _kind(item)
        if kind != _CREATED:
            yield Said(kind)
            return
        lead = self.lead_in(item)
        if lead.get("testLead") is True:
            yield Said(_TEST)
            return
        named = _LEAD_URN.fullmatch(text(item.get("leadGenFormResponse")))
        form = group(lead, "form")
        found = _FORM.search(text(lead.get("versionedLeadGenFormUrn") or item.get("leadGenForm")))
        campaign = group(lead, "leadMetadataInfo", "sponsoredLeadMetadataInfo", "campaign")
        lead_type = text(lead.get("leadType") or item.get("leadType"))
        yield Said(
            kind,
            Fact(
                fields={**_origin(lead_type, text(campaign.get("name"))), **_hidden(form)},
                id=named[1] if named else text(lead.get("id")) or None,
                time=lead.get("submittedAt") or item.get("occurredAt"),
                form=found[1] if found else "",
                properties={
                    "form_title": text(form.get("name")),
                    "lead_type": lead_type,
                    "campaign_name": text(campaign.get("name")),
                },
            ),
            [*_answers(lead, form), *_boxes(lead, form)],
        )


def _kind(item: object) -> str:
    """What happened: the type of the notification, and of a lead's the action."""
    action = text(part(item, "leadAction"))
    return f"{text(part(item, 'type'))} {action}".strip()


def _origin(lead_type: str, campaign: str) -> dict[str, str]:
    """Where the person came from: an ad, unless the form stands on a page or an event."""
    if lead_type != _SPONSORED:
        return {}
    named = {"utm_campaign": campaign} if campaign else {}
    return {"utm_source": "linkedin", "utm_medium": "paid_social", **named}


def _hidden(form: Mapping[str, Any]) -> dict[str, Any]:
    """The form's hidden fields, such as ``utm_content``; their owner has named them."""
    return {text(one.get("name")): one.get("value") for one in records(form.get("hiddenFields"))}


def _answers(lead: Mapping[str, Any], form: Mapping[str, Any]) -> Iterator[Asked]:
    """Each answer, under LinkedIn's name of a field of the profile, else its question's text."""
    questions = {
        text(one.get("questionId")): one for one in records(part(form, "content", "questions"))
    }
    for answer in records(part(lead, "formResponse", "answers")):
        id_ = text(answer.get("questionId"))
        question = questions.get(id_, {})
        names = (
            text(question.get("predefinedField")).lower(),
            _localized(question.get("question")),
            text(question.get("name")),
            f"question_{id_}",
        )
        yield Asked(names, _answered(group(answer, "answerDetails"), question))


def _answered(details: Mapping[str, Any], question: Mapping[str, Any]) -> Any:  # noqa: ANN401  # whatever JSON holds
    """The text of an answer, or that of the option which was chosen, or of several."""
    chosen = part(details, "multipleChoiceAnswer", "options")
    if not isinstance(chosen, list):
        return part(details, "textQuestionAnswer", "answer")
    options = part(question, "questionDetails", "multipleChoiceQuestionDetails", "options")
    texts = {text(one.get("id")): _localized(one.get("text")) for one in records(options)}
    values = [texts.get(text(one)) or text(one) for one in chosen]
    return values[0] if len(values) == 1 else values


def _boxes(lead: Mapping[str, Any], form: Mapping[str, Any]) -> Iterator[Asked]:
    """Each box of the form's legal text, ticked or not, under its own words."""
    consents = records(part(form, "content", "legalInfo", "consents"))
    words = {text(one.get("id")): _localized(one.get("consent")) for one in consents}
    for box in records(part(lead, "formResponse", "consentResponses")):
        id_ = text(box.get("consentId"))
        yield Asked((words.get(id_, ""), f"consent_{id_}"), box.get("accepted") is True)


def _localized(value: object) -> str:
    """A text in its first language: a form has one."""
    spoken = group(value, "localized")
    return next((text(one) for one in spoken.values()), text(value))
