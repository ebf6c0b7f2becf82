"""Settings: ``WARMLEAD_*`` variables, checked once at start. Refuses to guess in production.

Not pydantic-settings: it costs an accepting function a third of a second at every cold start.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from warmlead.domain.errors import ConfigurationError
from warmlead.domain.event import Trust

PREFIX = "WARMLEAD_"
LOCAL_WRITE_KEY = "local"
LOCAL_ID_SECRET = "warmlead-on-one-machine"  # noqa: S105  # refused in production
MIN_SECRET_LENGTH = 32


class Settings(BaseModel):
    """All settings; each is the variable ``WARMLEAD_`` and its name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: Literal["development", "production"] = "development"
    backend: Literal["sqlite"] = "sqlite"
    data: Annotated[Path, Field(description="Folder of the SQLite file.")] = Path(".warmlead")
    model: Annotated[str, Field(description="A ready-made model's name, or a file.")] = "b2b-saas"
    id_secret: Annotated[str, Field(description="Keys the hash that makes lead ids.")] = (
        LOCAL_ID_SECRET
    )
    write_keys: Annotated[
        Mapping[str, Trust],
        Field(description="Keys of tracking clients: key, or key:signed for a server's."),
    ] = {LOCAL_WRITE_KEY: Trust.PUBLIC}
    forms: Annotated[Path | None, Field(description="YAML file of form mappings.")] = None
    form_bytes: Annotated[int, Field(ge=1_024, le=10_000_000)] = 1_000_000
    track_event_bytes: Annotated[int, Field(ge=1_024, le=1_000_000)] = 32 * 1024
    track_batch_bytes: Annotated[int, Field(ge=1_024, le=10_000_000)] = 500 * 1024
    body_timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0

    @field_validator("write_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [part.strip().rpartition(":") for part in value.split(",") if part.strip()]
        return {key or trust: trust if key else Trust.PUBLIC for key, _, trust in pairs}

    @model_validator(mode="after")
    def _safe_in_production(self) -> Self:
        if self.env != "production":
            return self
        problems = []
        if LOCAL_WRITE_KEY in self.write_keys:
            problems.append("WARMLEAD_WRITE_KEYS must be set, and not to 'local', in production")
        if self.id_secret == LOCAL_ID_SECRET or len(self.id_secret) < MIN_SECRET_LENGTH:
            problems.append(
                f"WARMLEAD_ID_SECRET must be set, to at least {MIN_SECRET_LENGTH} characters, in "
                'production: python -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def production(self) -> bool:
        """Whether nothing may work that is only for one's own machine."""
        return self.env == "production"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in the variables; raises ``ConfigurationError`` that names every fault."""
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = [
            problem
            for fault in error.errors()
            for problem in _problem(fault["loc"], fault["msg"]).splitlines()
        ]
        raise ConfigurationError("These settings cannot be used:", problems) from None


def _problem(where: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    if not where:
        return text
    name = f"{PREFIX}{str(where[0]).upper()}"
    if message.startswith("Extra inputs"):
        known = ", ".join(f"{PREFIX}{field.upper()}" for field in Settings.model_fields)
        return f"{name} is not a setting; there are {known}"
    return f"{name}: {text}"
