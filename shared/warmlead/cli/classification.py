"""Which model classified the histories kept here, so that one that differs asks for a replay."""

import os
from pathlib import Path

from warmlead import backends
from warmlead.domain.errors import ConfigurationError
from warmlead.model.loading import Model, load, reclassified
from warmlead.settings import Settings


def needs_replay(new: Model, using: Settings) -> list[str]:
    """The signals that ``new`` takes for other events than the histories kept here do."""
    if not (record := _record(using)).exists():
        return []
    try:
        old = load(record.read_text(encoding="utf-8"), name=str(record))
    except ConfigurationError:  # it was valid for another release
        return sorted(new.rules.scoring.signals)
    return reclassified(old, new)


def remember_model(using: Settings) -> None:
    """Notes that the histories kept here are classified by the model in the settings."""
    backends.make_data_folder(using)
    record = _record(using)
    fresh = record.with_suffix(f".{os.getpid()}")
    fresh.write_text(backends.model_text(using.model), encoding="utf-8")
    fresh.replace(record)  # whole at any moment: another process may be starting


def _record(using: Settings) -> Path:
    return using.data / "classified-by.yaml"
