"""Settings: ``WARMLEAD_*`` variables, checked once at start; nothing is guessed in production.

Not pydantic-settings: it costs an accepting function a third of a second at every cold start
(docs/decisions/0008-msgspec-where-cold-start-counts.md).
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from warmlead.configuration import (
    MIN_KEY_LENGTH,
    configured,
    faults_of,
    is_guessable,
    random_text,
)
from warmlead.domain.errors import ConfigurationError
from warmlead.domain.event import Trust

PREFIX = "WARMLEAD_"
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")

LOCAL_WRITE_KEY = "local"
LOCAL_ID_SECRET = "warmlead-on-one-machine"  # noqa: S105  # refused in production
MIN_SECRET_LENGTH = 32


SUBJECT = "These settings cannot be used:"

Needed: TypeAlias = Literal["write_keys", "id_secret", "push"]
"""What must be set in production by whoever uses it; ``push``: how callers are checked."""


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
    push_auth: Annotated[
        Literal["token", "iam"],
        Meta(description="Who checks the callers of pushed functions: these, or the platform."),
    ] = "token"
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
    archive_days: Annotated[
        int,
        Meta(ge=0, le=36_500, description="How long one machine keeps its archive; 0: for good."),
    ] = 400
    quarantine_days: Annotated[
        int,
        Meta(ge=0, le=36_500, description="How long it keeps what was set aside; 0: for good."),
    ] = 90
    own_hosts: Annotated[
        frozenset[str],
        Meta(description="Your websites' hosts, by commas: nobody is said to come from them."),
    ] = frozenset()
    form_bytes: Annotated[int, Meta(ge=1_024, le=10_000_000)] = 1_000_000
    track_event_bytes: Annotated[int, Meta(ge=1_024, le=1_000_000)] = 32 * 1024
    track_batch_bytes: Annotated[int, Meta(ge=1_024, le=10_000_000)] = 500 * 1024
    body_timeout_s: Annotated[float, Meta(gt=0, le=60)] = 10.0

    def demand(self, *needed: Needed) -> None:
        """Raises ``ConfigurationError`` unless these are safe to use in production.

        A function demands what it uses, so that none must be given the secrets of another.
        """
        if faults := self.faults_for(*needed):
            raise ConfigurationError(SUBJECT, faults)

    def faults_for(self, *needed: Needed) -> list[str]:
        """Why these cannot be used in production; nothing on one's own machine."""
        if not self.production:
            return []
        known = {"write_keys": _unsafe_keys, "id_secret": _unsafe_secret, "push": _unsafe_push}
        return [fault for name in needed for fault in known[name](self)]

    @property
    def production(self) -> bool:
        """Whether nothing may work that is only for one's own machine."""
        return self.env == "production"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in the variables; raises ``ConfigurationError`` that names every fault."""
    settings, faults = survey(environment)
    if faults:
        raise ConfigurationError(SUBJECT, faults)
    return settings


def survey(environment: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """The settings in the variables, and every fault; a faulty one has its default instead.

    So a start can tell the faults of files that other settings name as well.
    """
    given: dict[str, object] = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value
    }
    faults: list[str] = []
    if isinstance(keys := given.get("write_keys"), str):
        given["write_keys"], faults = _split_keys(keys)
    if isinstance(hosts := given.get("own_hosts"), str):
        given["own_hosts"] = _split_hosts(hosts)
    unusable = faults_of(given, Settings)
    faults = [_problem(where, message) for where, message in unusable] + faults
    faulty = {where[0] for where, _ in unusable}
    usable = {name: value for name, value in given.items() if name not in faulty}
    settings = configured(usable, Settings)
    deployed = bool(environment.get("K_SERVICE")) and "backend" not in faulty  # Cloud Run sets it
    return settings, [*faults, *_contradictions(settings, deployed=deployed)]


def _contradictions(settings: Settings, *, deployed: bool) -> Iterator[str]:
    """What settings lack of each other, or of the place where they are used."""
    if settings.backend == "gcp" and not settings.project:
        yield "WARMLEAD_PROJECT must be set with WARMLEAD_BACKEND=gcp"
    if bool(settings.push_audience) != bool(settings.push_account):
        yield "WARMLEAD_PUSH_AUDIENCE and WARMLEAD_PUSH_ACCOUNT go together"
    if not all(map(_HOST.fullmatch, settings.own_hosts)):
        yield (
            "WARMLEAD_OWN_HOSTS: must be hosts, by commas, such as example.com,example.org; "
            "one that is not in ASCII as browsers write it: xn--…"
        )
    if settings.production and not settings.push_certs.startswith("https://"):
        yield "WARMLEAD_PUSH_CERTS must begin with https:// in production"
    if settings.backend == "sqlite" and deployed:
        yield (
            "a deployed function cannot keep data on SQLite, because an instance loses its disk; "
            "set WARMLEAD_BACKEND=gcp and WARMLEAD_PROJECT"
        )


def _split_keys(text: str) -> tuple[dict[str, str], list[str]]:
    """The trust of each key, and what is wrong with the list; no fault holds a key."""
    pairs = [part.strip().rpartition(":") for part in text.split(",") if part.strip()]
    named = [(key, trust) if colon else (trust, str(Trust.PUBLIC)) for key, colon, trust in pairs]
    faults = []
    if not named or any(not key for key, _ in named):
        faults.append("WARMLEAD_WRITE_KEYS: a key is empty; write key, or key:signed")
    if len({key for key, _ in named}) < len(named):
        faults.append("WARMLEAD_WRITE_KEYS: a key is given twice; name each once")
    if any(not key.isprintable() or " " in key for key, _ in named):
        faults.append("WARMLEAD_WRITE_KEYS: a key has a blank in it; keys are divided by commas")
    return dict(named), faults


def _unsafe_keys(settings: Settings) -> Iterator[str]:
    if LOCAL_WRITE_KEY in settings.write_keys:
        yield "WARMLEAD_WRITE_KEYS must be set, and not to 'local', in production"
    others = [key for key in settings.write_keys if key != LOCAL_WRITE_KEY]
    if any(is_guessable(key, MIN_KEY_LENGTH) for key in others):
        yield (
            f"WARMLEAD_WRITE_KEYS must be random texts of at least {MIN_KEY_LENGTH} characters in "
            f"production: {random_text(MIN_KEY_LENGTH)}"
        )


def _unsafe_secret(settings: Settings) -> Iterator[str]:
    secret = settings.id_secret
    if secret == LOCAL_ID_SECRET or is_guessable(secret, MIN_SECRET_LENGTH):
        yield (
            f"WARMLEAD_ID_SECRET must be set, to a random text of at least {MIN_SECRET_LENGTH} "
            f"characters, in production: {random_text(MIN_SECRET_LENGTH)}"
        )


def _unsafe_push(settings: Settings) -> Iterator[str]:
    if settings.push_auth == "token" and not (settings.push_audience or settings.push_account):
        yield (
            "WARMLEAD_PUSH_AUDIENCE and WARMLEAD_PUSH_ACCOUNT must be set in production, so that "
            "nobody else can call this function; or WARMLEAD_PUSH_AUTH=iam if the platform's IAM "
            "checks its callers"
        )


def _split_hosts(text: str) -> list[str]:
    """Hosts by commas; ``*.example.com`` is ``example.com``, which has all below it anyway."""
    hosts = (part.strip().lower().removeprefix("*.").rstrip(".") for part in text.split(","))
    return [host for host in hosts if host]


def _problem(where: tuple[str, ...], message: str) -> str:
    name = f"{PREFIX}{where[0].upper()}"
    if where[0] not in Settings.__struct_fields__:
        there = ", ".join(f"{PREFIX}{known.upper()}" for known in Settings.__struct_fields__)
        return f"{name} is not a setting; there are {there}"
    return f"{name}: {message}"
