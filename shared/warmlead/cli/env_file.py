"""The file ``.env``: settings of the folder in which the command runs."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from dotenv import load_dotenv
from dotenv.parser import Binding, parse_stream

from warmlead.domain.errors import ConfigurationError
from warmlead.settings import PREFIX, why_unreadable


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
