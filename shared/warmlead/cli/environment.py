"""A command's environment: the file ``.env`` that sets it, and what to set in another shell."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

from dotenv import load_dotenv
from dotenv.parser import Binding, parse_stream

from warmlead.domain.errors import ConfigurationError
from warmlead.runtime.table import DESTINATIONS, MODEL, SHADOW_MODEL, files_of_senders
from warmlead.settings import PREFIX, Settings, why_unreadable


def read_env_file(path: Path) -> None:
    """Sets the variables in the file that are not set already; does nothing without a file.

    Raises ``ConfigurationError`` if it cannot be read, or with every broken line. Lines without a
    value that are not Warmlead's are ignored.
    """
    subject = f"The settings in {path.absolute()} cannot be used:"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise ConfigurationError.one(subject, why_unreadable(error)) from error
    if faults := list(_faults(text)):
        raise ConfigurationError(subject, faults)
    load_dotenv(stream=StringIO(text))


def _faults(text: str) -> Iterator[str]:
    """What is wrong with each broken line; no fault repeats what is written there."""
    for each in parse_stream(StringIO(text)):
        if each.error:
            yield f"line {_line(each)}: must be NAME=value; quotes that open must close"
        elif each.value is None and each.key and each.key.upper().startswith(PREFIX):
            yield f"line {_line(each)}: {each.key} has no value; write {each.key}=value"


def _line(each: Binding) -> int:
    """The line on which it stands; blank lines before it are of what is read with it."""
    written = each.original.string
    blank = len(written) - len(written.lstrip())
    return each.original.line + written.count("\n", 0, blank)


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
    for name in FILES:
        path = getattr(settings, name.removeprefix(PREFIX).lower())
        if name in given and path and Path(path).is_file():
            given[name] = str(Path(path).absolute())
    if "WARMLEAD_ID_SECRET" in given:
        given["WARMLEAD_ID_SECRET"] = None
    folder = {} if settings.backend == "gcp" else {"WARMLEAD_DATA": place_of(settings)}
    return {**folder, **given}


FILES = (MODEL, SHADOW_MODEL, *files_of_senders(), DESTINATIONS)
"""The settings that name a file."""

_DECIDING = (*FILES, "WARMLEAD_ENV", "WARMLEAD_ID_SECRET")
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
