"""The composition root: the one place where settings, adapters and use cases meet.

Everything is built when it is first needed and imported only then: what an accepting function
imports decides how long its cold start takes. Hence the imports inside functions.
"""

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeAlias

from warmlead.application.accept import Accepted, accept
from warmlead.domain.errors import ConfigurationError, RejectedError
from warmlead.domain.identity import LeadIds
from warmlead.domain.trigger import Topic
from warmlead.ports import RawRequest, Source
from warmlead.settings import Settings, read_settings
from warmlead.web.answer import Answer
from warmlead.web.edge import Edge, Limits
from warmlead.web.json_logging import configure_logging
from warmlead.web.senders import Sender, answer_sender

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from warmlead.application.apply import Scoring
    from warmlead.buses.sqlite import SqliteBus
    from warmlead.model.loading import Model
    from warmlead.sources.generic import FormSettings
    from warmlead.sqlite_file import SqliteFile
    from warmlead.stores.sqlite import SqliteLeadStore

RELEASE = "0.1.0"
"""Kept here because a staged function has no package metadata to read it from."""

SUBSCRIPTIONS = {"score": Topic.LEAD_EVENTS, "quarantine": Topic.QUARANTINE}
"""Who works on what on one machine; what is in quarantine waits for a person."""

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
    return read_settings(os.environ)


# --- what the functions run ----------------------------------------------------------------


@cache
def forms() -> Handler:
    """The ``forms`` function: website forms, one path a sender."""
    return _edge("forms", _accepting([_generic(settings())]), body_bytes=settings().form_bytes)


@cache
def track() -> Handler:
    """The ``track`` function: Segment's tracking API and the browser snippet."""
    from warmlead.web.snippet import SCRIPT_PATH, script_answer

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
    from warmlead.web.pubsub_push import parse_push

    clock, scoring = SystemClock(), _scoring(settings())

    async def work(request: RawRequest) -> Answer:
        data = parse_push(request.body).data
        try:
            events = read_events(data)
        except RejectedError as error:  # sent again it would be no better: acknowledged
            await set_aside(data, error, bus=bus(), now=request.received_at)
            return Answer(200, b"{}", facts={"reason": error.reason})
        await apply(events, store=store(), bus=bus(), scoring=scoring, clock=clock)
        return Answer(200, b"{}", facts={"events": len(events)})

    return _edge("score", work, body_bytes=20_000_000)


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

    return load(model_text(name), name=name)


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

    return Scoring(model().rules, model().titles, _ids(using))


@cache
def file() -> "SqliteFile":
    """The data file of this process."""
    return _open_file(settings())


@cache
def bus() -> "SqliteBus":
    """The bus of this process."""
    return _open_bus(file())


@cache
def store() -> "SqliteLeadStore":
    """The lead store of this process."""
    from warmlead.stores.sqlite import SqliteLeadStore

    return SqliteLeadStore(file(), SystemClock())


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

    return SqliteBus(file, SystemClock(), SUBSCRIPTIONS)


@dataclass(frozen=True, slots=True)
class Embedded:
    """Everything that one machine needs, for commands: opened for them, closed after them."""

    settings: Settings
    clock: SystemClock
    ids: LeadIds
    model: "Model"
    file: "SqliteFile"
    store: "SqliteLeadStore"
    bus: "SqliteBus"


@asynccontextmanager
async def embedded(using: Settings | None = None) -> AsyncIterator[Embedded]:
    """The embedded backend; that of this process's settings if none are given."""
    from warmlead.stores.sqlite import SqliteLeadStore

    chosen = using or settings()
    loaded = load_model(chosen.model)
    clock = SystemClock()
    async with _open_file(chosen) as file:
        yield Embedded(
            settings=chosen,
            clock=clock,
            ids=_ids(chosen),
            model=loaded,
            file=file,
            store=SqliteLeadStore(file, clock),
            bus=_open_bus(file),
        )


@asynccontextmanager
async def scratch_store() -> AsyncIterator["SqliteLeadStore"]:
    """An empty store that is gone afterwards: where leads are rebuilt."""
    from warmlead.sqlite_file import SqliteFile
    from warmlead.stores.sqlite import SqliteLeadStore

    with TemporaryDirectory(prefix="warmlead-") as folder:
        async with SqliteFile(Path(folder, "scratch.sqlite3")) as file:
            yield SqliteLeadStore(file, SystemClock())
