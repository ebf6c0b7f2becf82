"""The JSON Schemas of the messages, as they are published in ``docs/messages``, one a type.

They say what a consumer may rely on: every field that is there today. They do not refuse
fields that they do not name, because a later release may add some to the same type.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from warmlead.messages.contract import (
    BreachedMessage,
    OfferedMessage,
    ReminderMessage,
    StageEnteredMessage,
    StepDueMessage,
)
from warmlead.messages.kpi_report import KpiReportedMessage

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PLACE = "https://raw.githubusercontent.com/warmlead/warmlead/main/docs/messages/"

_PUBLISHED: tuple[type[BaseModel], ...] = (
    StageEnteredMessage,
    StepDueMessage,
    OfferedMessage,
    ReminderMessage,
    BreachedMessage,
    KpiReportedMessage,
)

MESSAGES: Mapping[str, type[BaseModel]] = {
    str(message.model_fields["type"].default): message for message in _PUBLISHED
}
"""Every message that automation tools may receive, by the ``type`` of its CloudEvent."""


def file_name(kind: str) -> str:
    """The file in which the schema of this type of message is published."""
    return f"{kind}.schema.json"


def message_schema(kind: str) -> dict[str, Any]:
    """The schema of the messages of this type; raises ``KeyError`` if there are none."""
    schema = MESSAGES[kind].model_json_schema(mode="serialization")
    return {"$schema": DIALECT, "$id": f"{PLACE}{file_name(kind)}", **_open(schema)}


def _open(part: Any) -> Any:  # noqa: ANN401  # whatever JSON holds
    """The part of a schema without the refusal of fields that it does not name."""
    if isinstance(part, dict):
        kept = {k: v for k, v in part.items() if (k, v) != ("additionalProperties", False)}
        return {name: _open(value) for name, value in kept.items()}
    return [_open(value) for value in part] if isinstance(part, list) else part
