"""A file that people configure: YAML or JSON, with ``env:NAME`` in the place of a secret."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from warmlead.configuration import (
    MIN_KEY_LENGTH,
    Fault,
    is_guessable,
    random_text,
    told,
    why_unreadable,
)
from warmlead.domain.errors import ConfigurationError

T = TypeVar("T")

SECRETS = ("secrets", "tokens", "passwords")
"""Under these names stand lists of secrets, wherever they are in such a file."""

_STAND_IN = "stands-for-a-secret-that-is-not-there"
_KEY_PREFIX = "whsec_"
"""A Standard Webhooks secret goes on in base64 after it (web/signatures.py)."""


def read_configured_file(
    path: Path, environment: Mapping[str, str], *, what: str, read: Callable[[object], T]
) -> T:
    """What ``read`` makes of the content; secrets are looked up in the environment.

    Raises ``ConfigurationError``, which calls it ``what``, if it cannot be read; or with every
    variable that is not set, and every fault that ``read`` finds.
    """
    subject = f"The {what} {path} cannot be used:"
    try:
        content = _content(path)
    except (OSError, ValueError) as error:
        raise ConfigurationError.one(subject, why_unreadable(error)) from error
    missing: list[Fault] = []
    whole = _with_secrets(content, environment, missing)
    problems = [told(fault) for fault in missing]
    try:
        found = read(whole)
    except ConfigurationError as error:
        raise ConfigurationError(error.subject, [*problems, *error.problems]) from error
    if problems:
        raise ConfigurationError(subject, problems)
    return found


def guessable_secrets(content: object, where: tuple[str, ...] = ()) -> Iterator[Fault]:
    """A fault for each list of secrets in the content of which one is easily guessed."""
    for name, part in content.items() if isinstance(content, dict) else ():
        at = (*where, str(name))
        given = part if name in SECRETS and isinstance(part, list | tuple) else ()
        texts = [one.removeprefix(_KEY_PREFIX) for one in given if isinstance(one, str)]
        if any(is_guessable(text, MIN_KEY_LENGTH) for text in texts if text):
            yield Fault(
                at,
                f"each must be a random text of at least {MIN_KEY_LENGTH} characters in "
                f"production: {random_text(MIN_KEY_LENGTH)}",
            )
        yield from guessable_secrets(part, at)


def _content(path: Path) -> object:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return msgspec.json.decode(text)
    import yaml  # noqa: PLC0415  # heavy, and JSON does without it

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ValueError(f"{place}this is not YAML") from error


def _with_secrets(
    value: object,
    environment: Mapping[str, str],
    missing: list[Fault],
    where: tuple[str, ...] = (),
) -> object:
    """The value with what the environment holds; what it does not hold is added to ``missing``."""
    if isinstance(value, dict):
        return {
            name: _with_secrets(part, environment, missing, (*where, str(name)))
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_with_secrets(part, environment, missing, where) for part in value]
    if not (isinstance(value, str) and value.startswith("env:")):
        return value
    name = value.removeprefix("env:")
    if not environment.get(name):
        missing.append(Fault(where, f"the variable {name} is not set"))
    return environment.get(name) or _STAND_IN
