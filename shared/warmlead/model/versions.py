"""The versions of a model: hashes of what the file says, however it is written."""

import hashlib
import json
from collections.abc import Iterable

from warmlead.domain.stages import SQL
from warmlead.model.calendar import weekdays_of
from warmlead.model.condition_syntax import CONDITIONS, canonical
from warmlead.model.promises import content_of
from warmlead.model.schema import ModelFile

_OF_SCORES = {
    *("signals", "groups", "fit", "bonuses", "base", "floor", "inactivity"),
    *("traits", "properties", "robots"),
}
"""The sections on which a lead's score depends."""


def write_conditions_alike(content: object) -> None:
    """Puts every condition of a part of a model into its canonical form."""
    if isinstance(content, list):
        for item in content:
            write_conditions_alike(item)
    elif isinstance(content, dict):
        for key, value in content.items():
            if key in CONDITIONS and isinstance(value, str):
                content[key] = canonical(value)
            else:
                write_conditions_alike(value)


def version_of(file: ModelFile) -> str:
    """The version of a model: 12 hexadecimal characters, from its content alone.

    Comments, spacing, quotes, the order of keys, stated defaults, targets and the probability
    make no difference; the order of stages, sequences, routes and owners does.
    """
    content = file.model_dump(
        mode="json", exclude_defaults=True, exclude={"targets", "probability"}
    )
    write_conditions_alike(content)
    for alert in content.get("alerts", {}).values():
        alert.update({key: sorted(alert[key]) for key in ("on", "stages") if key in alert})
    if "fields" in content.get("updates", {}):
        content["updates"]["fields"].sort()
    for name, sequence in file.sequences.items():
        if sequence.hours:
            weekdays = sorted(weekdays_of(sequence.hours.days))
            content["sequences"][name]["hours"]["days"] = weekdays
    if file.handoff:
        content["handoff"] = content_of(file.handoff, canonical)
    return digest([content, in_order(file.stages), list(file.sequences)])


def scoring_of(file: ModelFile) -> str:
    """The hash of what makes the scores: the same if two models score every lead alike."""
    content = file.model_dump(mode="json", exclude_defaults=True, include=_OF_SCORES)
    write_conditions_alike(content)
    return digest(content)


def in_order(stages: Iterable[str]) -> list[str]:
    """Names of stages, the furthest last: ``sql`` is behind the model's own."""
    return sorted(stages, key=lambda name: name == SQL)


def digest(content: object) -> str:
    """A hash of plain data: 12 hexadecimal characters."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
