"""The composition root: the one place where settings, adapters and use cases meet.

Everything is built when it is first needed and imported only then: what an accepting function
imports decides how long its cold start takes. Hence the imports inside functions.
"""

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from warmlead.application.accept import Accepted, accept
from warmlead.domain.errors import ConfigurationError, RejectedError
from warmlead.domain.identity import LeadIds
from warmlead.ports import EventBus, LeadStore, RawRequest, Source
from warmlead.settings import Settings, read_settings
from warmlead.web.answer import Answer
from warmlead.web.edge import Edge, Limits
from warmlead.web.json_logging import configure_logging
from warmlead.web.senders import Sender, answer_sender

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from warmlead.application.apply import Scoring
    from warmlead.buses.pubsub import PubSubBus
    from warmlead.buses.sqlite import SqliteBus
    from warmlead.model.loading import Model
    from warmlead.model.plan import Plan
    from warmlead.sources.generic import FormSettings
    from warmlead.sqlite_file import SqliteFile
    from warmlead.stores.firestore import FirestoreLeadStore
    from warmlead.stores.sqlite import SqliteLeadStore

RELEASE = "0.1.0"
"""Kept here because a staged function has no package metadata to read it from."""

STAGED = {"WARMLEAD_MODEL": "model.json", "WARMLEAD_FORMS": "forms.json"}
"""The files that staging may put beside an entry point: defaults of these settings."""

Handler: TypeAlias = "Callable[[Request], Awaitable[Response]]"
Work: TypeAlias = Callable[[RawRequest], Awaitable[Answer]]


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """The present, in aware UTC."""
        return datetime.now(UTC)


@cache
def settings() -> Settings:
    """The settings of this process, from its environment; read once."""
    given = {name: value for name, value in os.environ.items() if value}
    return read_settings({**_staged(Path(__file__).parents[1]), **given})


def _staged(folder: Path) -> Mapping[str, str]:
    return {name: str(folder / file) for name, file in STAGED.items() if (folder / file).exists()}


# --- what the functions run ----------------------------------------------------------------


@cache
def forms() -> Handler:
    """The ``forms`` function: website forms, one path a sender."""
    settings().demand("id_secret")
    return _edge("forms", _accepting([_generic(settings())]), body_bytes=settings().form_bytes)


@cache
def track() -> Handler:
    """The ``track`` function: Segment's tracking API and the browser snippet."""
    from warmlead.web.snippet import SCRIPT_PATH, script_answer

    settings().demand("write_keys", "id_secret")
    accepting = _accepting([_segment(settings())])

    async def work(request: RawRequest) -> Answer:
        if request.path.endswith(SCRIPT_PATH):
            return script_answer(request)
        return await accepting(request)

    return _edge("track", work, body_bytes=settings().track_batch_bytes)


@cache
def score() -> Handler:
    """The ``score`` function: applies the events that Pub/Sub pushes."""
    from warmlead.application.apply import apply
    from warmlead.application.messages import read_events, set_aside
    from warmlead.buses.topology import SCORE
    from warmlead.web.pubsub_push import parse_push

    settings().demand("id_secret")
    clock, scoring = SystemClock(), _scoring(settings())

    async def work(request: RawRequest) -> Answer:
        push = parse_push(request.body)
        if not SCORE.is_for(push.attributes):
            return Answer(200, b"{}", facts={"reason": "not_wanted"})
        try:
            events = read_events(push.data)
        except RejectedError as error:  # sent again it would be no better: acknowledged
            await set_aside(push.data, error, bus=bus(), now=request.received_at)
            return Answer(200, b"{}", facts={"reason": error.reason})
        await apply(events, store=store(), bus=bus(), scoring=scoring, clock=clock)
        return Answer(200, b"{}", facts={"events": len(events)})

    return _edge("score", _pushed(work), body_bytes=20_000_000)


@cache
def followup() -> Handler:
    """The ``followup`` function: sends what a crash left unsent, every minute."""
    from warmlead.application.send import sweep

    clock = SystemClock()

    async def work(_: RawRequest) -> Answer:
        sent = await sweep(store=store(), bus=bus(), now=clock.now())
        return Answer(200, b"{}", facts={"triggers": sent})

    return _edge("followup", _pushed(work), body_bytes=10_000)


def _pushed(work: Work) -> Work:
    """The work, only for the account that may push, if one is set."""
    using = settings()
    if not using.push_audience:
        return work
    from warmlead.web.oidc import Certificates, PushTokens

    certificates = Certificates(using.push_certs)
    tokens = PushTokens(certificates, audience=using.push_audience, account=using.push_account)

    async def checked(request: RawRequest) -> Answer:
        await tokens.check(request.headers)
        return await work(request)

    return checked


def sources(using: Settings) -> Mapping[str, Source]:
    """Every sender, by name."""
    return {sender.name: sender for sender in (_generic(using), _segment(using))}


def _accepting(senders: list[Sender]) -> Work:
    ids = _ids(settings())
    by_name = {sender.name: sender for sender in senders}

    async def taken(request: RawRequest, sender: Sender) -> Accepted:
        return await accept(request, sender, bus=bus(), ids=ids)

    async def work(request: RawRequest) -> Answer:
        first = request.path.strip("/").partition("/")[0]
        sender = by_name.get(first, senders[0])
        return await answer_sender(request, sender, taken)

    return work


def _ids(using: Settings) -> LeadIds:
    return LeadIds(using.id_secret.encode())


def _edge(function: str, work: Work, *, body_bytes: int) -> Handler:
    configure_logging(human=not settings().production)
    edge = Edge(
        work,
        function=function,
        limits=Limits(body_bytes, settings().body_timeout_s),
        clock=SystemClock(),
        new_id=lambda: uuid.uuid4().hex,
    )
    return edge.answer


def _generic(using: Settings) -> Sender:
    from warmlead.sources.generic import FormSettings, GenericSource

    unconfigured = None if using.production else FormSettings(allow_unsigned=True)
    return GenericSource(form_settings(using), unconfigured=unconfigured)


def form_settings(using: Settings) -> "Mapping[str, FormSettings]":
    """The configured forms, by name; raises ``ConfigurationError`` with every fault of the file."""
    if using.forms is None:
        return {}
    from warmlead.sources.generic.form_file import read_form_file

    return read_form_file(using.forms, os.environ)


def _segment(using: Settings) -> Sender:
    from warmlead.sources.segment import SegmentSource

    return SegmentSource(using.write_keys, max_event_bytes=using.track_event_bytes)


# --- what they run on ----------------------------------------------------------------------


@cache
def model() -> "Model":
    """The model of this process."""
    return load_model(settings().model)


def load_model(name: str) -> "Model":
    """A ready-made model by its name, or the model in a file.

    Raises ``ConfigurationError`` with every fault, or if there is neither.
    """
    from warmlead.model.loading import load

    if compiled_model(name):
        problem = "this needs the model file of which it was made"
        raise ConfigurationError.one(f"{name} is a compiled model:", problem)
    return load(model_text(name), name=name)


def compiled_model(name: str) -> "Plan | None":
    """The plan in a compiled model's file; ``None`` if it is not the name of one.

    Raises ``ConfigurationError`` if it cannot be used.
    """
    path = Path(name)
    if path.suffix != ".json" or not path.is_file():
        return None
    from warmlead.model.compiled import is_compiled, read_compiled

    text = path.read_text(encoding="utf-8", errors="replace")
    return read_compiled(text, name=name) if is_compiled(text) else None


def model_text(name: str) -> str:
    """A model as it is written: a ready-made one by its name, or a file.

    Raises ``ConfigurationError`` if there is neither.
    """
    from warmlead.model.loading import ready_names, ready_text

    if name in ready_names():
        return ready_text(name)
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = f"no model file can be read there; ready-made are {', '.join(ready_names())}"
        raise ConfigurationError.one(f"There is no model {name}:", problem) from error


def _scoring(using: Settings) -> "Scoring":
    from warmlead.application.apply import Scoring

    if plan := compiled_model(using.model):
        from warmlead.model.plan import rules_of

        return Scoring(rules_of(plan), plan.titles, _ids(using))
    return Scoring(model().rules, model().titles, _ids(using))


@cache
def file() -> "SqliteFile":
    """The data file of this process."""
    return _open_file(settings())


@cache
def bus() -> EventBus:
    """The bus of this process."""
    using = settings()
    return _pubsub(using) if using.backend == "gcp" else embedded_bus()


@cache
def embedded_bus() -> "SqliteBus":
    """The bus of this process, for those that work on the embedded one alone."""
    return _open_bus(file())


@cache
def store() -> LeadStore:
    """The lead store of this process."""
    using = settings()
    return _firestore(using) if using.backend == "gcp" else _open_store(file())


def _pubsub(using: Settings) -> "PubSubBus":
    from warmlead.buses.pubsub import PubSubBus

    return PubSubBus(using.project, emulator=os.environ.get("PUBSUB_EMULATOR_HOST", ""))


def _firestore(using: Settings) -> "FirestoreLeadStore":
    from warmlead.stores.firestore import FirestoreLeadStore

    emulator = os.environ.get("FIRESTORE_EMULATOR_HOST", "")
    return FirestoreLeadStore(using.project, using.database, emulator=emulator)


def _open_store(file: "SqliteFile") -> "SqliteLeadStore":
    from warmlead.stores.sqlite import SqliteLeadStore

    return SqliteLeadStore(file, SystemClock())


def _open_file(using: Settings) -> "SqliteFile":
    from warmlead.sqlite_file import SqliteFile

    make_data_folder(using)
    return SqliteFile(using.data / "warmlead.sqlite3")


def make_data_folder(using: Settings) -> None:
    """Makes the folder in the settings; raises ``ConfigurationError`` if that cannot be."""
    try:
        using.data.mkdir(mode=0o700, parents=True, exist_ok=True)  # personal data is in it
    except OSError as error:
        problem = f"no folder can be made there: {error.strerror}"
        raise ConfigurationError.one(f"WARMLEAD_DATA {using.data}", problem) from error


def _open_bus(file: "SqliteFile") -> "SqliteBus":
    from warmlead.buses.sqlite import SqliteBus
    from warmlead.buses.topology import topics_of_subscriptions

    return SqliteBus(file, SystemClock(), topics_of_subscriptions())


class System(Struct, frozen=True):
    """What commands work with, on either backend: opened for them, closed after them."""

    settings: Settings
    clock: SystemClock
    ids: LeadIds
    model: "Model"
    store: LeadStore
    bus: EventBus


class Embedded(System, frozen=True):
    """The embedded backend, whose bus is also the archive and hands out messages."""

    store: "SqliteLeadStore"
    bus: "SqliteBus"
    file: "SqliteFile"


@asynccontextmanager
async def opened(using: Settings | None = None) -> AsyncIterator[System]:
    """The backend in the settings; those of this process if none are given."""
    chosen = using or settings()
    chosen.demand("id_secret")
    if chosen.backend == "sqlite":
        async with embedded(chosen) as system:
            yield system
        return
    loaded = load_model(chosen.model)
    store, bus = _firestore(chosen), _pubsub(chosen)
    try:
        yield System(chosen, SystemClock(), _ids(chosen), loaded, store, bus)
    finally:
        await bus.close()
        await store.close()


@asynccontextmanager
async def embedded(
    using: Settings | None = None, *, instead: str = "this works on one machine alone"
) -> AsyncIterator[Embedded]:
    """The embedded backend; that of this process's settings if none are given.

    Raises ``ConfigurationError`` if the settings name another, with what to do ``instead``.
    """
    chosen = using or settings()
    chosen.demand("id_secret")
    if chosen.backend != "sqlite":
        raise ConfigurationError.one(f"WARMLEAD_BACKEND is {chosen.backend}:", instead)
    loaded = load_model(chosen.model)
    async with _open_file(chosen) as file:
        yield Embedded(
            settings=chosen,
            clock=SystemClock(),
            ids=_ids(chosen),
            model=loaded,
            store=_open_store(file),
            bus=_open_bus(file),
            file=file,
        )


@asynccontextmanager
async def scratch_store() -> AsyncIterator["SqliteLeadStore"]:
    """An empty store that is gone afterwards: where leads are rebuilt."""
    from warmlead.sqlite_file import SqliteFile
    from warmlead.stores.sqlite import SqliteLeadStore

    with TemporaryDirectory(prefix="warmlead-") as folder:
        async with SqliteFile(Path(folder, "scratch.sqlite3")) as file:
            yield SqliteLeadStore(file, SystemClock())
