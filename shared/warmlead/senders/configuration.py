"""The files in which people configure senders: forms, CRMs, signatures, secrets."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from warmlead.domain.errors import ConfigurationError
from warmlead.parsing.signatures import (
    HmacScheme,
    has_standard_webhooks,
    key_of,
    verify_hmac,
    verify_standard_webhooks,
)
from warmlead.ports import RawRequest
from warmlead.settings import (
    MIN_KEY_LENGTH,
    SettingFault,
    is_guessable,
    random_text,
    told,
    why_unreadable,
)


class SignatureSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the sender signs. With several secrets any of them is valid, so they can be rotated."""

    scheme: Literal["standard-webhooks", "hmac"] = "standard-webhooks"
    secrets: Annotated[tuple[str, ...], Meta(min_length=1)]
    hmac: HmacScheme = HmacScheme()

    def __post_init__(self) -> None:
        for secret in self.secrets:
            key_of(secret)  # raises ValueError, which becomes a fault of the file

    def __repr__(self) -> str:
        return f"SignatureSettings(scheme={self.scheme!r}, hmac={self.hmac!r})"


def claims_signature(request: RawRequest, signature: SignatureSettings) -> bool:
    """Whether the request says that it is signed."""
    if signature.scheme == "hmac":
        return signature.hmac.header.lower() in request.headers
    return has_standard_webhooks(request.headers)


def verify_signature(request: RawRequest, signature: SignatureSettings) -> None:
    """Raises ``RejectedError`` unless the request is signed as the settings say."""
    secrets = signature.secrets
    if signature.scheme == "hmac":
        verify_hmac(request.headers, request.body, scheme=signature.hmac, secrets=secrets)
    else:
        now = request.received_at
        verify_standard_webhooks(request.headers, request.body, secrets=secrets, now=now)


T = TypeVar("T")

SECRETS = ("secrets", "tokens", "passwords")
"""Names under which such a file has lists of secrets, at any place."""

_STAND_IN = "stands-for-a-secret-that-is-not-there"
_KEY_PREFIX = "whsec_"
"""A Standard Webhooks secret goes on in base64 after it (parsing/signatures.py)."""


def read_configured_file(
    path: Path, environment: Mapping[str, str], *, what: str, read: Callable[[object], T]
) -> T:
    """The result of ``read`` for the content of a file; secrets are looked up in the environment.

    Raises ``ConfigurationError``, which calls the file ``what``, if it cannot be read; or with
    every variable that is not set, and every fault that ``read`` finds.
    """
    subject = f"The {what} {path} cannot be used:"
    try:
        content = _content(path)
    except (OSError, ValueError) as error:
        raise ConfigurationError.one(subject, why_unreadable(error)) from error
    missing: list[SettingFault] = []
    whole = _with_secrets(content, environment, missing)
    problems = [told(fault) for fault in missing]
    try:
        found = read(whole)
    except ConfigurationError as error:
        raise ConfigurationError(error.subject, [*problems, *error.problems]) from error
    if problems:
        raise ConfigurationError(subject, problems)
    return found


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
    missing: list[SettingFault],
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
        missing.append(SettingFault(where, f"the variable {name} is not set"))
    return environment.get(name) or _STAND_IN
