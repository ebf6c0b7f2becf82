"""Says where data is: for an empty list, and for commands in another shell."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from warmlead.settings import Settings


def place_of(settings: Settings) -> str:
    """Where the leads are: the folder as a whole path, or the project."""
    if settings.backend == "gcp":
        return f"the project {settings.project}, database {settings.database}"
    return str(settings.data.absolute())


def variables(settings: Settings) -> dict[str, str | None]:
    """The variables that another shell, in any folder, needs to find this process's data.

    Paths are absolute; a secret is ``None``, so that nobody prints it.
    """
    given: dict[str, str | None] = {
        name: os.environ[name] for name in _DECIDING if os.environ.get(name)
    }
    for name, path in (("WARMLEAD_MODEL", settings.model), ("WARMLEAD_FORMS", settings.forms)):
        if name in given and path and Path(path).is_file():
            given[name] = str(Path(path).absolute())
    if "WARMLEAD_ID_SECRET" in given:
        given["WARMLEAD_ID_SECRET"] = None
    folder = {} if settings.backend == "gcp" else {"WARMLEAD_DATA": place_of(settings)}
    return {**folder, **given}


_DECIDING = ("WARMLEAD_MODEL", "WARMLEAD_FORMS", "WARMLEAD_ENV", "WARMLEAD_ID_SECRET")
"""Settings besides the place that decide what a command finds and shows."""


def path_to_command() -> list[str]:
    """The command with which a shell finds ``warmlead``; empty if this one finds it."""
    folder = Path(sys.executable).parent
    if shutil.which("warmlead") or not (folder / "warmlead").is_file():
        return []
    return [f"export PATH={shlex.quote(str(folder))}:$PATH"]


def as_exports(values: Mapping[str, str | None]) -> list[str]:
    """The variables as a shell takes them, one a line; of a secret that it is needed."""
    return [
        f"# and {name}, as it is here" if value is None else f"export {name}={shlex.quote(value)}"
        for name, value in values.items()
    ]
