"""Webflow's webhooks of version 2: the submission of a form."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.parsing.signatures import WebhookScheme
from warmlead.senders.proofs import Proof, Signed
from warmlead.senders.submission import FORM_SUBMITTED, Fact
from warmlead.senders.webhooks import Said, WebhookSender, WebhookSettings, group, text


class WebflowSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the ``secretKey`` of each webhook. Forms are named by their name."""


class WebflowSource(WebhookSender):
    """Submissions of forms (https://developers.webflow.com/data/docs/working-with-webhooks)."""

    name = "webflow"
    path = "webflow"
    proof: ClassVar[Proof] = Signed(
        WebhookScheme(
            header="X-Webflow-Signature",
            text="{time}:{body}",
            time_header="X-Webflow-Timestamp",
            unit="ms",
        )
    )
    meanings: ClassVar = {"form_submission": FORM_SUBMITTED}
    once = "`payload.id`"
    retries = "3 times, 10 minutes apart, after any answer but 200"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The submission: its fields have the names that were given to them in the Designer."""
        submission = group(item, "payload")
        yield Said(
            text(item.get("triggerType")),
            Fact(
                fields=dict(group(submission, "data")),
                id=text(submission.get("id")) or None,
                time=submission.get("submittedAt"),
                form=text(submission.get("name")),
            ),
        )
