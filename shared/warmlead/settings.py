"""Settings and configured files, checked once at the start; production has no guessed values."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, TypeVar, get_args, get_origin

from msgspec import Meta, Struct, ValidationError, convert, field, inspect, structs

from warmlead.domain.errors import ConfigurationError
from warmlead.domain.event import Trust

T = TypeVar("T")


MIN_KEY_LENGTH = 16
"""The least length of a sender's secret in production."""

LEAST_VARIETY = 6
"""A random secret has at least this many different characters."""


class SettingFault(NamedTuple):
    """What is wrong with one value; ``where`` are the names that lead to it; unpacked."""

    where: tuple[str, ...]
    message: str


def told(fault: SettingFault) -> str:
    """The fault as a sentence that begins with its place."""
    return ": ".join(filter(None, [".".join(fault.where), fault.message]))


def is_guessable(secret: str, least: int) -> bool:
    """Whether a text is too short, too uniform or padded: a blank at its end is easily lost.

    If a text repeats itself, only the repeated part counts.
    """
    return (
        len(_repeated_part(secret)) < least
        or len(set(secret)) < LEAST_VARIETY
        or secret != secret.strip()
    )


def _repeated_part(text: str) -> str:
    """The part that the text repeats from beginning to end; the whole text if none.

    A random text may end as it begins by chance, so a repetition of less than half the part does
    not count.
    """
    most = 2 * len(text) // 3
    return next((text[:n] for n in range(1, most + 1) if text.startswith(text[n:])), text)


def random_text(length: int) -> str:
    """A command that prints a random text of at least this length."""
    return f'python3 -c "import secrets; print(secrets.token_urlsafe({length}))"'


def why_unreadable(error: OSError | ValueError) -> str:
    """Why a text file cannot be read, in words."""
    if isinstance(error, OSError):
        return f"it cannot be read: {error.strerror or type(error).__name__}"
    if isinstance(error, UnicodeDecodeError):
        return f"it cannot be read: byte {error.start + 1} is not UTF-8"
    return f"it cannot be read: {error}"


def configured(given: object, type_: type[T]) -> T:
    """Converts the value to the type, texts too; raises ``ValueError`` if it does not fit."""
    return convert(given, type_, strict=False, dec_hook=_special)


def faults_of(given: object, type_: Any, where: tuple[str, ...] = ()) -> list[SettingFault]:  # noqa: ANN401  # an annotation
    """All faults of the value under the type; empty if there are none.

    A struct's rule for several fields is only asked about once each field is right.
    """
    if get_origin(type_) is Mapping and isinstance(given, dict):
        of_each = get_args(type_)[1]
        if _struct_in(of_each):
            return [
                fault
                for name, one in given.items()
                for fault in faults_of(one, of_each, (*where, str(name)))
            ]
    struct = _struct_in(type_)
    if struct is None or (type_ is not struct and not isinstance(given, dict)):
        return list(_fault(given, type_, where))
    if not isinstance(given, dict):
        return [SettingFault(where, "must be a mapping of names to values")]
    found = list(_faults_of_fields(given, struct, where))
    return found or list(_fault(given, struct, where))


def _faults_of_fields(
    given: dict[str, object], struct: type[Struct], where: tuple[str, ...]
) -> Iterator[SettingFault]:
    fields = {member.encode_name: member for member in structs.fields(struct)}
    for name in given:
        if name not in fields:
            yield SettingFault((*where, str(name)), f"is not known; there are {', '.join(fields)}")
    for name, member in fields.items():
        if name in given:
            yield from faults_of(given[name], member.type, (*where, name))
        elif member.required:
            yield SettingFault((*where, name), "is missing")


def _fault(given: object, type_: Any, where: tuple[str, ...]) -> Iterator[SettingFault]:  # noqa: ANN401  # an annotation
    try:
        configured(given, type_)
    except ValidationError as error:
        yield SettingFault(where, _rule(inspect.type_info(type_)) or str(error))


def _rule(type_: inspect.Type) -> str:
    """The required form of a value, if the error says less, or quotes the value."""
    match type_:
        case inspect.Metadata(type=inner) | inspect.DictType(value_type=inner):
            return _rule(inner)
        case inspect.LiteralType(values=choices) | inspect.EnumType(cls=choices):
            return f"must be {' or '.join(map(str, choices))}"
        case inspect.IntType(ge=int(least), le=int(most)):
            return f"must be a whole number from {least} to {most}"
        case inspect.FloatType(gt=bound, le=most) if bound is not None and most is not None:
            return f"must be a number above {bound:g} and at most {most:g}"
        case inspect.BoolType():
            return "must be true or false"
    return ""


def _struct_in(type_: Any) -> type[Struct] | None:  # noqa: ANN401  # an annotation
    choices = (type_, *(get_args(type_) if get_origin(type_) is not Mapping else ()))
    return next((c for c in choices if isinstance(c, type) and issubclass(c, Struct)), None)


def _special(type_: type, given: object) -> object:
    if type_ is Path and isinstance(given, str):
        return Path(given)
    raise TypeError("must be text")


PREFIX = "WARMLEAD_"
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")

LOCAL_WRITE_KEY = "local"
LOCAL_ID_SECRET = "warmlead-on-one-machine"  # noqa: S105  # refused in production
MIN_SECRET_LENGTH = 32


SUBJECT = "These settings cannot be used:"

Needed: TypeAlias = Literal["write_keys", "id_secret", "push", "dashboard"]
"""Settings that a function may need in production.

``push``: how callers are checked; ``dashboard``: who may look at leads.
"""


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
    shadow_model: Annotated[
        str, Meta(description="A second model that runs beside it, and of which nobody is told.")
    ] = ""
    id_secret: Annotated[str, Meta(description="Keys the hash that makes lead ids.")] = (
        LOCAL_ID_SECRET
    )
    write_keys: Annotated[
        Mapping[str, Trust],
        Meta(description="Keys of tracking clients: key, or key:signed for a server's."),
    ] = field(default_factory=lambda: {LOCAL_WRITE_KEY: Trust.PUBLIC})
    forms: Annotated[Path | None, Meta(description="File of form mappings.")] = None
    chat: Annotated[Path | None, Meta(description="File of the chat tools that post.")] = None
    track: Annotated[Path | None, Meta(description="File of what else sends what visitors do.")] = (
        None
    )
    sales: Annotated[Path | None, Meta(description="File of who speaks for sales.")] = None
    mail: Annotated[Path | None, Meta(description="File of the mail tools.")] = None
    destinations: Annotated[Path | None, Meta(description="File of the tools to send to.")] = None
    dashboard_auth: Annotated[
        Literal["link", "iap", "oidc"],
        Meta(description="Who may open the dashboard: who has the link, or whom Google names."),
    ] = "link"
    dashboard_audience: Annotated[
        str, Meta(description="The audience of the tokens of iap and oidc.")
    ] = ""
    dashboard_people: Annotated[
        frozenset[str],
        Meta(description="Who may open it, by commas: an address, or @example.com for all there."),
    ] = frozenset()
    dashboard_tokens: Annotated[
        Mapping[str, str], Meta(description="Tokens that read its API: name:token, by commas.")
    ] = field(default_factory=dict)
    archive_days: Annotated[
        int,
        Meta(ge=0, le=36_500, description="How long one machine keeps its archive; 0: for good."),
    ] = 400
    archive_dataset: Annotated[
        str,
        Meta(pattern=r"\A\w{1,1024}\Z", description="The archive's dataset in BigQuery, for gcp."),
    ] = "warmlead_archive"
    archive_query_gib: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="For how many GiB a query of it may be billed."),
    ] = 100
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

        A function demands only the settings that it uses, so that it need not have another's
        secrets.
        """
        if faults := self.faults_for(*needed):
            raise ConfigurationError(SUBJECT, faults)

    def faults_for(self, *needed: Needed) -> list[str]:
        """Why these settings cannot be used in production; empty on one's own machine."""
        if not self.production:
            return []
        known = {
            "write_keys": _unsafe_keys,
            "id_secret": _unsafe_secret,
            "push": _unsafe_push,
            "dashboard": _unsafe_dashboard,
        }
        return [fault for name in needed for fault in known[name](self)]

    @property
    def production(self) -> bool:
        """Whether the settings are for production, without defaults for one's own machine."""
        return self.env == "production"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in the variables; raises ``ConfigurationError`` that names every fault."""
    settings, faults = survey(environment)
    if faults:
        raise ConfigurationError(SUBJECT, faults)
    return settings


def survey(environment: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """The settings in the variables, and every fault; a faulty one has its default instead.

    So a start can also report the faults of files that other settings name.
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
    if isinstance(people := given.get("dashboard_people"), str):
        listed = (one.strip().lower() for one in people.split(","))
        given["dashboard_people"] = [one for one in listed if one]
    if isinstance(tokens := given.get("dashboard_tokens"), str):
        given["dashboard_tokens"], of_tokens = _split_tokens(tokens)
        faults = [*faults, *of_tokens]
    unusable = faults_of(given, Settings)
    faults = [_problem(where, message) for where, message in unusable] + faults
    faulty = {where[0] for where, _ in unusable}
    usable = {name: value for name, value in given.items() if name not in faulty}
    settings = configured(usable, Settings)
    deployed = bool(environment.get("K_SERVICE")) and "backend" not in faulty  # Cloud Run sets it
    return settings, [*faults, *_contradictions(settings, deployed=deployed)]


def _contradictions(settings: Settings, *, deployed: bool) -> Iterator[str]:
    """Settings that are missing beside others, or in this place."""
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
    if deployed and not settings.production:
        yield (
            "WARMLEAD_ENV must be production where a function is deployed: otherwise it takes the "
            "write key and the secret that stand in the documentation"
        )
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


FORMER = ";former="
"""What separates the secret of ids from the one before, in one value, so that both change at once.

A secret of before this was known does not contain it: it is no part of a random text.
"""


def id_secrets(value: str) -> tuple[str, str]:
    """The secret of ids, and the one before; that is empty unless ``new;former=old`` is given.

    Raises ``ConfigurationError`` if a part is missing, or both are the same.
    """
    secret, separator, former = value.partition(FORMER)
    if separator and (not secret or not former or FORMER in former or secret == former):
        problem = f"WARMLEAD_ID_SECRET: must be one secret, or two different ones: new{FORMER}old"
        raise ConfigurationError(SUBJECT, [problem])
    return secret, former


def _split_tokens(text: str) -> tuple[dict[str, str], list[str]]:
    """The tokens by name, and what is wrong with the list; no fault holds a token."""
    pairs = [part.strip().partition(":") for part in text.split(",") if part.strip()]
    faults = []
    if not all(name and token.strip() for name, _, token in pairs):
        faults.append("WARMLEAD_DASHBOARD_TOKENS: write name:token, several by commas")
    if len({name for name, _, _ in pairs}) < len(pairs):
        faults.append("WARMLEAD_DASHBOARD_TOKENS: a name is given twice")
    return {name: token.strip() for name, _, token in pairs if token.strip()}, faults


def _unsafe_dashboard(settings: Settings) -> Iterator[str]:
    if any(is_guessable(token, MIN_SECRET_LENGTH) for token in settings.dashboard_tokens.values()):
        yield (
            f"WARMLEAD_DASHBOARD_TOKENS must be random texts of at least {MIN_SECRET_LENGTH} "
            f"characters in production: {random_text(MIN_SECRET_LENGTH)}"
        )
    if settings.dashboard_auth == "link":
        if settings.backend == "gcp":
            yield (
                "WARMLEAD_DASHBOARD_AUTH must be iap or oidc with WARMLEAD_BACKEND=gcp: the link "
                "is for one machine"
            )
        return
    if not settings.dashboard_audience:  # without people it starts, and lets nobody in
        yield (
            "WARMLEAD_DASHBOARD_AUDIENCE must be set with WARMLEAD_DASHBOARD_AUTH=iap or oidc, so "
            "that no token for another service opens the dashboard"
        )


def _unsafe_secret(settings: Settings) -> Iterator[str]:
    secret = settings.id_secret.partition(FORMER)[0]
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
