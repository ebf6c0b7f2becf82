"""Typeform's webhooks: the response to a form."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.parsing.signatures import WebhookScheme
from warmlead.senders.proofs import Proof, Signed
from warmlead.senders.submission import FORM_SUBMITTED, Fact
from warmlead.senders.webhooks import (
    Asked,
    Said,
    WebhookSender,
    WebhookSettings,
    group,
    part,
    records,
    text,
)


class TypeformSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are those that were entered at each webhook. Forms are named by their id."""


class TypeformSource(WebhookSender):
    """Responses to forms (https://www.typeform.com/developers/webhooks/)."""

    name = "typeform"
    path = "typeform"
    proof: ClassVar[Proof] = Signed(
        WebhookScheme(header="Typeform-Signature", prefix="sha256=", encoding="base64")
    )
    meanings: ClassVar = {"form_response": FORM_SUBMITTED, "form_response_partial": None}
    once = "`form_response.token`"
    retries = (
        "every 2 to 3 minutes for 10 hours after 408, 423, 429 and 503; 404 and 410 disable it"
    )
    statuses: ClassVar = {404: 400}

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The response: answers under the titles of their questions, and hidden fields."""
        response = group(item, "form_response")
        titles = {
            text(one.get("id")): text(one.get("title"))
            for one in records(part(response, "definition", "fields"))
        }
        yield Said(
            text(item.get("event_type")),
            Fact(
                fields=dict(group(response, "hidden")),
                id=text(response.get("token")) or text(item.get("event_id")) or None,
                time=response.get("submitted_at"),
                form=text(response.get("form_id")),
                properties={"form_title": part(response, "definition", "title")},
            ),
            [_asked(one, titles) for one in records(response.get("answers"))],
        )


_RECALLED = re.compile(r"\{\{[^{}]{1,100}\}\}")
"""An earlier answer in a title: ``Thanks, {{field:first}}! Where …``"""


def _asked(answer: Mapping[str, Any], titles: Mapping[str, str]) -> Asked:
    id_, ref = text(part(answer, "field", "id")), text(part(answer, "field", "ref"))
    kind = text(answer.get("type"))
    value = answer.get(kind)
    if kind == "choice":
        value = part(value, "label") or part(value, "other")
    elif kind == "choices":
        chosen = part(value, "labels")
        other = part(value, "other")
        value = [*(chosen if isinstance(chosen, list) else []), *([other] if other else [])]
    title = titles.get(id_, "")
    # without what it recalls, whose id nobody would look for; settings may copy the whole title
    names = dict.fromkeys((_RECALLED.sub(" ", title), title, ref, id_))
    return Asked(tuple(names), value, text(part(answer, "field", "type")) or kind)
