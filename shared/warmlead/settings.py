"""Settings: ``WARMLEAD_*`` variables, checked once at start. Refuses to guess in production.

Not pydantic-settings: it costs an accepting function a third of a second at every cold start
(docs/decisions/0008-msgspec-where-cold-start-counts.md).
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from warmlead.configuration import configured, faults_of
from warmlead.domain.errors import ConfigurationError
from warmlead.domain.event import Trust

PREFIX = "WARMLEAD_"
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")

LOCAL_WRITE_KEY = "local"
LOCAL_ID_SECRET = "warmlead-on-one-machine"  # noqa: S105  # refused in production
MIN_SECRET_LENGTH = 32

Secret: TypeAlias = Literal["write_keys", "id_secret"]
"""What must be set in production by whoever uses it."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings; each is the variable ``WARMLEAD_`` and its name in capitals."""

    env: Literal["development", "production"] = "development"
    backend: Annotated[
        Literal["sqlite", "gcp"],
        Meta(description="sqlite: one file on one machine; gcp: Firestore and Pub/Sub."),
    ] = "sqlite"
    data: Annotated[Path, Meta(description="Folder of the SQLite file.")] = Path(".warmlead")
    project: Annotated[str, Meta(description="The Google Cloud project, for gcp.")] = ""
    database: Annotated[str, Meta(description="The Firestore database, for gcp.")] = "(default)"
    push_audience: Annotated[
        str, Meta(description="The audience of Pub/Sub's push tokens; checked if it is set.")
    ] = ""
    push_account: Annotated[
        str, Meta(description="The e-mail of the service account that pushes.")
    ] = ""
    push_certs: Annotated[
        str, Meta(description="Where Google publishes the certificates of its tokens, in PEM.")
    ] = "https://www.googleapis.com/oauth2/v1/certs"
    model: Annotated[str, Meta(description="A ready-made model's name, or a file.")] = "b2b-saas"
    id_secret: Annotated[str, Meta(description="Keys the hash that makes lead ids.")] = (
        LOCAL_ID_SECRET
    )
    write_keys: Annotated[
        Mapping[str, Trust],
        Meta(description="Keys of tracking clients: key, or key:signed for a server's."),
    ] = field(default_factory=lambda: {LOCAL_WRITE_KEY: Trust.PUBLIC})
    forms: Annotated[Path | None, Meta(description="File of form mappings.")] = None
    sales: Annotated[Path | None, Meta(description="File of who speaks for sales.")] = None
    own_hosts: Annotated[
        frozenset[str],
        Meta(description="Your websites' hosts, by commas: nobody is said to come from them."),
    ] = frozenset()
    form_bytes: Annotated[int, Meta(ge=1_024, le=10_000_000)] = 1_000_000
    track_event_bytes: Annotated[int, Meta(ge=1_024, le=1_000_000)] = 32 * 1024
    track_batch_bytes: Annotated[int, Meta(ge=1_024, le=10_000_000)] = 500 * 1024
    body_timeout_s: Annotated[float, Meta(gt=0, le=60)] = 10.0

    def __post_init__(self) -> None:
        problems = [*self._lacking()]
        if self.production:
            problems += self._unsafe()
        if problems:
            raise ValueError("\n".join(problems))

    def _lacking(self) -> Iterator[str]:
        if self.backend == "gcp" and not self.project:
            yield "WARMLEAD_PROJECT must be set with WARMLEAD_BACKEND=gcp"
        if bool(self.push_audience) != bool(self.push_account):
            yield "WARMLEAD_PUSH_AUDIENCE and WARMLEAD_PUSH_ACCOUNT go together"
        if not all(map(_HOST.fullmatch, self.own_hosts)):
            yield (
                "WARMLEAD_OWN_HOSTS: must be hosts, by commas, such as example.com,example.org; "
                "one that is not in ASCII as browsers write it: xn--…"
            )

    def _unsafe(self) -> Iterator[str]:
        if not self.push_certs.startswith("https://"):
            yield "WARMLEAD_PUSH_CERTS must begin with https:// in production"

    def demand(self, *secrets: Secret) -> None:
        """Raises ``ConfigurationError`` unless these are safe to use in production.

        A function demands what it uses, so that none must be given the secrets of another.
        """
        known = {"write_keys": self._write_keys_fault(), "id_secret": self._id_secret_fault()}
        problems = [known[name] for name in secrets if known[name]]
        if self.production and problems:
            raise ConfigurationError("These settings cannot be used:", problems)

    def _write_keys_fault(self) -> str:
        if LOCAL_WRITE_KEY not in self.write_keys:
            return ""
        return "WARMLEAD_WRITE_KEYS must be set, and not to 'local', in production"

    def _id_secret_fault(self) -> str:
        if self.id_secret != LOCAL_ID_SECRET and len(self.id_secret) >= MIN_SECRET_LENGTH:
            return ""
        return (
            f"WARMLEAD_ID_SECRET must be set, to at least {MIN_SECRET_LENGTH} characters, in "
            'production: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )

    @property
    def production(self) -> bool:
        """Whether nothing may work that is only for one's own machine."""
        return self.env == "production"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in the variables; raises ``ConfigurationError`` that names every fault."""
    given: dict[str, object] = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value
    }
    if isinstance(keys := given.get("write_keys"), str):
        given["write_keys"] = _split_keys(keys)
    if isinstance(hosts := given.get("own_hosts"), str):
        given["own_hosts"] = _split_hosts(hosts)
    try:
        settings = configured(given, Settings)
    except ValueError:
        problems = [
            problem
            for where, message in faults_of(given, Settings)
            for problem in _problem(where, message).splitlines()
        ]
        raise ConfigurationError("These settings cannot be used:", problems) from None
    if settings.backend == "sqlite" and environment.get("K_SERVICE"):  # Cloud Run sets it
        problem = "an instance loses its disk; set WARMLEAD_BACKEND=gcp and WARMLEAD_PROJECT"
        raise ConfigurationError.one("A deployed function cannot keep data on SQLite:", problem)
    return settings


def _split_keys(text: str) -> dict[str, str]:
    pairs = [part.strip().rpartition(":") for part in text.split(",") if part.strip()]
    return {key or trust: trust if key else Trust.PUBLIC for key, _, trust in pairs}


def _split_hosts(text: str) -> list[str]:
    """Hosts by commas; ``*.example.com`` is ``example.com``, which has all below it anyway."""
    hosts = (part.strip().lower().removeprefix("*.").rstrip(".") for part in text.split(","))
    return [host for host in hosts if host]


def _problem(where: tuple[str, ...], message: str) -> str:
    if not where:
        return message
    name = f"{PREFIX}{where[0].upper()}"
    if where[0] not in Settings.__struct_fields__:
        there = ", ".join(f"{PREFIX}{known.upper()}" for known in Settings.__struct_fields__)
        return f"{name} is not a setting; there are {there}"
    return f"{name}: {message}"
