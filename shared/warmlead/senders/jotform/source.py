"""Jotform's webhooks: a multipart form, of which one part holds the answers as JSON."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.charsets import Tell
from warmlead.parsing.strict_json import parse
from warmlead.ports import RawRequest
from warmlead.senders.answer_parts import in_parts
from warmlead.senders.bodies import read_submissions
from warmlead.senders.forms import Submissions
from warmlead.senders.proofs import KeyInAddress, Proof
from warmlead.senders.submission import FORM_SUBMITTED, Fact, needed_fields
from warmlead.senders.webhooks import Said, WebhookSender, WebhookSettings, part, text

_ANSWERS = "rawRequest"
_ABOUT = ("formID", "submissionID", "formTitle")
"""The parts that are read; another part, ``pretty``, has the answers once more, as one text."""

_QUESTION = re.compile(r"q[0-9]{1,6}_(.+)", re.DOTALL)


class JotformSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets stand in the address: ``?key=…``. Forms are named by their id."""


class JotformSource(WebhookSender):
    """Submissions of forms (https://www.jotform.com/help/245-how-to-setup-a-webhook-with-jotform/).

    The shape of the request is that of a delivery that others have captured.
    """

    name = "jotform"
    path = "jotform"
    proof: ClassVar[Proof] = KeyInAddress()
    meanings: ClassVar = {"submission": FORM_SUBMITTED}
    once = "`submissionID`"
    retries = "not published"

    def read(self, request: RawRequest, settings: WebhookSettings, tell: Tell) -> Submissions:
        """The submission, with its answers read out of the part that holds them."""
        posted = read_submissions(request, tell, needed_fields(settings))
        unpacked = [_unpacked(item) for item in posted.items]
        suspect = posted.suspect or any(is_suspect for _, is_suspect in unpacked)
        return Submissions([item for item, _ in unpacked], suspect)

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The submission: answers under the names of their questions."""
        answers = item.get(_ANSWERS)
        if not isinstance(answers, dict):
            text_ = f"The post holds no {_ANSWERS}, which is where Jotform writes the answers."
            raise RejectedError(Reason.EVENT_INVALID, text_)
        asked = [
            each
            for key, value in answers.items()
            if (question := _QUESTION.fullmatch(key))
            for each in in_parts((question[1], key), value)
        ]
        yield Said(
            "submission",
            Fact(
                id=text(item.get("submissionID")) or None,
                form=text(item.get("formID")),
                properties={"form_title": text(item.get("formTitle"))},
            ),
            asked,
        )


def _unpacked(item: Any) -> tuple[dict[str, Any], bool]:  # noqa: ANN401  # whatever was posted
    """What is wanted of a post, and whether its answers have faults that must be mended."""
    kept = {name: part(item, name) for name in (*_ABOUT, _ANSWERS)}
    if not isinstance(answers := kept[_ANSWERS], str):
        return kept, False
    document = parse(answers.encode(errors="replace"))
    return {**kept, _ANSWERS: document.value}, document.suspect
