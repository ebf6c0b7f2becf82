"""Files that settings name: mappings of names to sections, with secrets from the environment."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from warmlead.domain.errors import ConfigurationError
from warmlead.settings import (
    MIN_KEY_LENGTH,
    SettingFault,
    is_guessable,
    random_text,
    told,
    why_unreadable,
)

T = TypeVar("T")

SECRETS = ("secrets", "tokens", "passwords")
"""Names under which such a file has lists of secrets, at any place."""

STAND_IN = "stands-for-a-secret-that-is-not-there"  # it is none
"""What a secret is while a file is checked without its variables: it is good for everything."""

_KEY_PREFIX = "whsec_"
"""A Standard Webhooks secret goes on in base64 after it (parsing/signatures.py)."""


def made_of_file(
    path: Path, environment: Mapping[str, str], make: Callable[[object], T], *, subject: str
) -> T:
    """What ``make`` makes of the content of a file, JSON or YAML by its name.

    A text ``env:NAME`` stands for the variable of that name. Raises ``ConfigurationError`` with
    every fault: those that ``make`` finds, and variables that are not set. ``subject`` begins it.
    """
    missing: list[SettingFault] = []
    content = _with_secrets(_content(path, subject), environment, missing)
    problems = [told(fault) for fault in missing]
    try:
        made = make(content)
    except ConfigurationError as error:
        raise ConfigurationError(error.subject, [*problems, *error.problems]) from error
    if problems:
        raise ConfigurationError(subject, problems)
    return made


def guessable_secrets(content: object, where: tuple[str, ...] = ()) -> Iterator[SettingFault]:
    """A fault for each list of secrets in the content of which one is easily guessed."""
    for name, part in content.items() if isinstance(content, dict) else ():
        at = (*where, str(name))
        given = part if name in SECRETS and isinstance(part, list | tuple) else ()
        texts = [one.removeprefix(_KEY_PREFIX) for one in given if isinstance(one, str)]
        if any(is_guessable(text, MIN_KEY_LENGTH) for text in texts if text):
            yield SettingFault(
                at,
                f"each must be a random text of at least {MIN_KEY_LENGTH} characters in "
                f"production: {random_text(MIN_KEY_LENGTH)}",
            )
        yield from guessable_secrets(part, at)


def _content(path: Path, subject: str) -> object:
    """What a file holds; raises ``ConfigurationError`` if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
        return msgspec.json.decode(text) if path.suffix == ".json" else _from_yaml(text)
    except (OSError, ValueError) as error:
        raise ConfigurationError.one(subject, why_unreadable(error)) from error


def _from_yaml(text: str) -> object:
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
    missing: list[SettingFault],
    where: tuple[str, ...] = (),
) -> object:
    """The value with secrets from the environment; adds those that it lacks to ``missing``."""
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
        missing.append(SettingFault(where, f"the variable {name} is not set"))
    return environment.get(name) or STAND_IN
