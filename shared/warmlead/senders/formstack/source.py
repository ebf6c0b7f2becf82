"""Formstack's webhooks: the submission of a form, urlencoded or JSON."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.parsing.charsets import Tell
from warmlead.parsing.signatures import WebhookScheme
from warmlead.ports import RawRequest
from warmlead.senders.answer_parts import in_parts
from warmlead.senders.bodies import read_submissions
from warmlead.senders.forms import Submissions
from warmlead.senders.proofs import Proof, Signed
from warmlead.senders.submission import FORM_SUBMITTED, Fact, needed_fields
from warmlead.senders.webhooks import Said, WebhookSender, WebhookSettings, text

_FORM, _ID, _SHARED_SECRET = "FormID", "UniqueID", "HandshakeKey"


class FormstackSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the HMAC keys of the webhooks. Forms are named by their id."""


class FormstackSource(WebhookSender):
    """Submissions of forms (https://developers.formstack.com/docs/webhook-setup)."""

    name = "formstack"
    path = "formstack"
    is_known_by_body = False  # any object may be the answers of a form
    proof: ClassVar[Proof] = Signed(WebhookScheme(header="X-FS-Signature", prefix="sha256="))
    meanings: ClassVar = {"submission": FORM_SUBMITTED}
    once = "`UniqueID`"
    retries = "not published"

    def read(self, request: RawRequest, settings: WebhookSettings, tell: Tell) -> Submissions:
        """The submission, without the shared secret that it may hold as well."""
        posted = read_submissions(request, tell, needed_fields(settings))
        bare = [
            {name: value for name, value in item.items() if name != _SHARED_SECRET}
            if isinstance(item, dict)
            else item
            for item in posted.items
        ]
        return Submissions(bare, posted.suspect)

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The submission: answers under the labels of their fields."""
        answers = ((name, *_typed(one)) for name, one in item.items() if name not in (_FORM, _ID))
        yield Said(
            "submission",
            Fact(id=text(item.get(_ID)) or None, form=text(item.get(_FORM))),
            [
                each
                for name, value, kind in answers
                if kind != "section"
                for each in in_parts((name,), value, kind)
            ],
        )


def _typed(answer: Any) -> tuple[Any, str]:  # noqa: ANN401  # whatever was posted
    """The value and the type of an answer; a webhook sends types only if it is told to."""
    if isinstance(answer, dict) and answer.keys() == {"value", "type"}:
        return answer["value"], text(answer["type"])
    return answer, ""
