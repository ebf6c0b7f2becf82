"""Which model classified the histories that are kept, so that one that differs asks for a replay.

On one machine it is noted beside them. On Firestore it is not: there the model in the settings,
which is the one that is deployed, stands for it.
"""

import os
from pathlib import Path

from warmlead import backends
from warmlead.domain.errors import ConfigurationError
from warmlead.model.loading import Model, load, reclassified
from warmlead.settings import Settings


def needs_replay(new: Model, using: Settings) -> list[str]:
    """The signals that ``new`` takes for other events than the histories that are kept do."""
    if using.backend == "gcp":
        return _differing_from_settings(new, using)
    if not (record := _record(using)).exists():
        return []
    try:
        old = load(record.read_text(encoding="utf-8"), name=str(record))
    except ConfigurationError:  # it was valid for another release
        return sorted(new.rules.scoring.signals)
    return reclassified(old, new)


def _differing_from_settings(new: Model, using: Settings) -> list[str]:
    try:
        return reclassified(backends.load_model(using.model), new)
    except ConfigurationError:  # there is none yet, or only a compiled one: nothing to compare with
        return []


def remember_model(using: Settings) -> None:
    """Notes that the histories kept here are classified by the model in the settings.

    Raises ``ConfigurationError`` if the data folder cannot be written.
    """
    backends.make_data_folder(using)
    record = _record(using)
    fresh = record.with_suffix(f".{os.getpid()}")
    text = backends.model_text(using.model)
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(record)  # whole at any moment: another process may be starting
    except OSError as error:
        problem = f"nothing can be written there: {error.strerror}"
        raise ConfigurationError.one(f"WARMLEAD_DATA {using.data}", problem) from error


def _record(using: Settings) -> Path:
    return using.data / "classified-by.yaml"
