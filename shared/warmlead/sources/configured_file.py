"""A file that people configure: YAML or JSON, with ``env:NAME`` in the place of a secret."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from warmlead.domain.errors import ConfigurationError


def read_configured_file(path: Path, environment: Mapping[str, str], *, what: str) -> object:
    """What is in the file; secrets are looked up in the environment.

    Raises ``ConfigurationError``, which calls it ``what``, if it cannot be read.
    """
    try:
        content = _content(path)
    except (OSError, ValueError) as error:
        problem = f"it cannot be read: {type(error).__name__}"
        raise ConfigurationError.one(f"The {what} {path} cannot be used:", problem) from error
    return _with_secrets(content, environment)


def _content(path: Path) -> object:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return msgspec.json.decode(text)
    import yaml  # noqa: PLC0415  # heavy, and JSON does without it

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError("this is not YAML") from error


def _with_secrets(value: object, environment: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return {name: _with_secrets(part, environment) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_secrets(part, environment) for part in value]
    if isinstance(value, str) and value.startswith("env:"):
        return environment.get(value.removeprefix("env:"), "")
    return value
