"""Tally's webhooks: the response to a form."""

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
    records,
    text,
)

_BOXES = "CHECKBOXES"
_SEVERAL = (_BOXES, "MULTI_SELECT", "RANKING")
"""Types of questions with several answers; of any other type a list of one is that one."""

_HIDDEN = ("HIDDEN_FIELDS", "CALCULATED_FIELDS")
"""What the form knows by itself, by its own names."""


class TallySettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the signing secrets of the webhooks. Forms are named by their id."""


class TallySource(WebhookSender):
    """Responses to forms (https://tally.so/help/webhooks)."""

    name = "tally"
    path = "tally"
    proof: ClassVar[Proof] = Signed(WebhookScheme(header="Tally-Signature", encoding="base64"))
    meanings: ClassVar = {"FORM_RESPONSE": FORM_SUBMITTED}
    once = "`data.submissionId`"
    retries = "after 5 and 30 minutes, 1, 6 and 24 hours, after any answer but 2xx"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The response: answers under the labels of their questions, and hidden fields."""
        response = group(item, "data")
        fields = records(response.get("fields"))
        questions = {text(one.get("key")) for one in fields if one.get("options")}
        hidden = [one for one in fields if one.get("type") in _HIDDEN]
        ids = (response.get("submissionId"), response.get("responseId"), item.get("eventId"))
        yield Said(
            text(item.get("eventType")),
            Fact(
                fields={label: one.get("value") for one in hidden if (label := _label(one))},
                id=next(filter(None, map(text, ids)), None),
                time=response.get("createdAt"),
                form=text(response.get("formId")),
                properties={"form_title": text(response.get("formName"))},
            ),
            [
                _asked(one)
                for one in fields
                if one.get("type") not in _HIDDEN and not _is_repeated(one, questions)
            ],
        )


def _label(field: Mapping[str, Any]) -> str:
    return text(field.get("label"))


def _is_repeated(field: Mapping[str, Any], questions: set[str]) -> bool:
    """Whether it is one box of a question that is there as a whole, with all that are ticked."""
    question, _, box = text(field.get("key")).rpartition("_")
    return field.get("type") == _BOXES and bool(box) and question in questions


def _asked(field: Mapping[str, Any]) -> Asked:
    kind, value = text(field.get("type")), field.get("value")
    names = [_label(field), text(field.get("key"))]
    options = {text(one.get("id")): text(one.get("text")) for one in records(field.get("options"))}
    if kind == _BOXES and len(options) == 1:  # a box by itself is ticked or not
        return Asked((names[0], *options.values(), names[1]), bool(value), kind)
    if records(value):  # files, of which the names are kept
        return Asked(names, [text(one.get("name")) for one in records(value)], kind)
    if options:
        given = value if isinstance(value, list) else [value]
        chosen = [options.get(text(one), one) for one in given]
        value = chosen if kind in _SEVERAL or len(chosen) != 1 else chosen[0]
    return Asked(names, value, kind)
