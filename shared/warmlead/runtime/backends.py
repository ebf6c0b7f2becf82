"""The base of functions and commands: settings, model, lead store and bus, on either backend.

Everything is built and imported when it is first needed, because the imports of an accepting
function decide its cold start. Hence the imports inside functions.
"""

import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from warmlead.domain.errors import ConfigurationError
from warmlead.domain.identity import LeadIds
from warmlead.ports import Clock, EventBus, LeadStore
from warmlead.runtime.table import TABLE
from warmlead.settings import (
    PREFIX,
    SUBJECT,
    Needed,
    Settings,
    id_secrets,
    read_settings,
    survey,
    why_unreadable,
)
from warmlead.web.logging import log_event

if TYPE_CHECKING:
    from warmlead.buses.pubsub import PubSubBus
    from warmlead.buses.sqlite import SqliteBus
    from warmlead.domain.rules import Rules
    from warmlead.model.loading import Model
    from warmlead.model.plan import Plan
    from warmlead.ports.dispatching import DispatchStore
    from warmlead.ports.imports import ImportStore
    from warmlead.ports.reporting import ReportStore
    from warmlead.sqlite_file import SqliteFile
    from warmlead.stores.firestore.dispatches import FirestoreDispatchStore
    from warmlead.stores.firestore.imports import FirestoreImportStore
    from warmlead.stores.firestore.store import FirestoreLeadStore, FirestoreReportStore
    from warmlead.stores.sqlite import SqliteLeadStore
    from warmlead.stores.sqlite_dispatches import SqliteDispatchStore
    from warmlead.stores.sqlite_imports import SqliteImportStore
    from warmlead.stores.sqlite_reports import SqliteReportStore

_log = logging.getLogger(__name__)

T = TypeVar("T")

STAGED = {
    name: f"{name.removeprefix(PREFIX).lower()}.json" for each in TABLE for name in each.files
}
"""The files that staging may put beside an entry point: defaults of these settings."""


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """The present, in aware UTC."""
        return datetime.now(UTC)


@cache
def settings() -> Settings:
    """The settings of this process, from its environment; read once."""
    return read_settings(_environment())


def start(
    needed: Sequence[Needed],
    build: Callable[[Settings], T],
    *more: Callable[[Settings], object],
) -> T:
    """Builds something from the settings of this process; ``more`` are called to find their faults.

    Raises one ``ConfigurationError`` with all faults: of the settings, of what is ``needed``
    in production, and of every file that is read.
    """
    using, faults = survey(_environment())
    faults += using.faults_for(*needed)
    errors: list[ConfigurationError] = []
    built: list[Any] = []
    for each in (build, *more):
        try:
            built.append(each(using))
        except ConfigurationError as error:
            errors.append(error)
    if faults or errors:
        raise _together(faults, errors)
    first: T = built[0]
    return first


def _together(faults: list[str], errors: Sequence[ConfigurationError]) -> ConfigurationError:
    """One error for all faults of the settings and of the files that they name."""
    if not errors:
        return ConfigurationError(SUBJECT, faults)
    if len(errors) == 1 and not faults:
        return errors[0]
    of_files = [f"{e.subject.rstrip(':')}: {each}" for e in errors for each in e.problems]
    return ConfigurationError("Warmlead cannot start:", [*faults, *of_files])


def _environment() -> Mapping[str, str]:
    given = {name: value for name, value in os.environ.items() if value}
    return {**_staged(Path(__file__).parents[2]), **given}


def _staged(folder: Path) -> Mapping[str, str]:
    return {name: str(folder / file) for name, file in STAGED.items() if (folder / file).exists()}


def lead_ids(using: Settings) -> LeadIds:
    """Computes ids of leads; the same secret gives the same ids."""
    secret, former = id_secrets(using.id_secret)
    return LeadIds(secret.encode(), former.encode())


def model() -> "Model":
    """The model of this process."""
    return _loaded(settings().model)


@cache
def _loaded(name: str) -> "Model":
    return load_model(name)


def load_model(name: str) -> "Model":
    """A ready-made model by its name, or the model in a file.

    Raises ``ConfigurationError`` with every fault, or if there is neither.
    """
    from warmlead.model.loading import load, ready_model, ready_names

    if name in ready_names():
        return ready_model(name)
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
    from warmlead.model.plan import is_compiled, read_compiled

    written = path.read_bytes()
    return read_compiled(written, name=name) if is_compiled(written) else None


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
        ready = ", ".join(ready_names())
        problem = f"it is none of the ready-made ones ({ready}); as a file {why_unreadable(error)}"
        raise ConfigurationError.one(f"There is no model {name}:", problem) from error


def rules(using: Settings) -> "Rules":
    """The rules of the model in the settings, with those of a second one that runs beside it."""
    return _with_shadow(_rules_of(using.model), using)


def plan(name: str) -> "Plan":
    """The plan of a model by its name, compiled or not."""
    return compiled_model(name) or _loaded(name).plan


def _with_shadow(rules: "Rules", using: Settings) -> "Rules":
    if not using.shadow_model:
        return rules
    from warmlead.domain.shadow_rules import with_shadow

    return with_shadow(rules, _rules_of(using.shadow_model))


def _rules_of(name: str) -> "Rules":
    """The rules of a model by its name, compiled or not."""
    if plan := compiled_model(name):
        from warmlead.model.plan import rules_of

        _warn_of_old_holidays(plan)
        return rules_of(plan)
    return _loaded(name).rules


def _warn_of_old_holidays(plan: "Plan") -> None:
    """Logs that a compiled model will soon take public holidays for days of work."""
    if plan.holidays_run_out(SystemClock().now().date()):
        log_event(_log, "holidays_run_out", level=logging.WARNING)


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
    """The bus of this process, which must be the embedded one."""
    return _open_bus(file())


@cache
def store() -> LeadStore:
    """The lead store of this process."""
    using = settings()
    return _firestore(using) if using.backend == "gcp" else _open_store(file())


@cache
def reports() -> "ReportStore":
    """The reports of this process."""
    using = settings()
    return _firestore_reports(using) if using.backend == "gcp" else _open_reports(file())


@cache
def dispatches() -> "DispatchStore":
    """The dispatches of this process."""
    using = settings()
    return _firestore_dispatches(using) if using.backend == "gcp" else _open_dispatches(file())


@cache
def imports() -> "ImportStore":
    """The spend and the records of imports of this process."""
    using = settings()
    return _firestore_imports(using) if using.backend == "gcp" else _open_imports(file())


def _pubsub(using: Settings) -> "PubSubBus":
    from warmlead.buses.pubsub import PubSubBus

    return PubSubBus(using.project, emulator=os.environ.get("PUBSUB_EMULATOR_HOST", ""))


def _firestore(using: Settings, patience_s: float | None = None) -> "FirestoreLeadStore":
    from warmlead.stores.firestore.client import PATIENCE_S
    from warmlead.stores.firestore.store import FirestoreLeadStore

    emulator = os.environ.get("FIRESTORE_EMULATOR_HOST", "")
    patience_s = patience_s or PATIENCE_S
    return FirestoreLeadStore(
        using.project, using.database, emulator=emulator, patience_s=patience_s
    )


def _firestore_reports(using: Settings) -> "FirestoreReportStore":
    from warmlead.stores.firestore.store import FirestoreReportStore

    emulator = os.environ.get("FIRESTORE_EMULATOR_HOST", "")
    return FirestoreReportStore(using.project, using.database, emulator=emulator)


def _firestore_dispatches(using: Settings) -> "FirestoreDispatchStore":
    from warmlead.stores.firestore.dispatches import FirestoreDispatchStore

    emulator = os.environ.get("FIRESTORE_EMULATOR_HOST", "")
    return FirestoreDispatchStore(using.project, using.database, emulator=emulator)


def _firestore_imports(using: Settings, patience_s: float | None = None) -> "FirestoreImportStore":
    from warmlead.stores.firestore.client import PATIENCE_S
    from warmlead.stores.firestore.imports import FirestoreImportStore

    emulator = os.environ.get("FIRESTORE_EMULATOR_HOST", "")
    patience_s = patience_s or PATIENCE_S
    return FirestoreImportStore(
        using.project, using.database, emulator=emulator, patience_s=patience_s
    )


def _open_imports(file: "SqliteFile") -> "SqliteImportStore":
    from warmlead.stores.sqlite_imports import SqliteImportStore

    return SqliteImportStore(file)


def _open_dispatches(file: "SqliteFile") -> "SqliteDispatchStore":
    from warmlead.stores.sqlite_dispatches import SqliteDispatchStore

    return SqliteDispatchStore(file)


def _open_reports(file: "SqliteFile") -> "SqliteReportStore":
    from warmlead.stores.sqlite_reports import SqliteReportStore

    return SqliteReportStore(file)


def _open_store(file: "SqliteFile", clock: Clock | None = None) -> "SqliteLeadStore":
    from warmlead.stores.sqlite import SqliteLeadStore

    return SqliteLeadStore(file, clock or SystemClock())


def _open_file(using: Settings) -> "SqliteFile":
    from warmlead.sqlite_file import SqliteFile

    make_data_folder(using)
    return SqliteFile(data_file(using))


def data_file(using: Settings) -> Path:
    """The data file of one machine in the settings, which may not be there yet."""
    return using.data / "warmlead.sqlite3"


@asynccontextmanager
async def kept_in(path: Path) -> AsyncIterator["DataFile"]:
    """Opens the stores and the bus of another data file than that of the settings."""
    from warmlead.sqlite_file import SqliteFile

    async with SqliteFile(path) as file:
        await file.prove()
        yield DataFile(_open_store(file), _open_bus(file), _open_dispatches(file))


def make_data_folder(using: Settings) -> None:
    """Makes the folder in the settings; raises ``ConfigurationError`` if it cannot be made."""
    try:
        using.data.mkdir(mode=0o700, parents=True, exist_ok=True)  # personal data is in it
    except OSError as error:
        problem = f"no folder can be made there: {error.strerror}"
        raise ConfigurationError.one(f"WARMLEAD_DATA {using.data}", problem) from error


def _open_bus(file: "SqliteFile", clock: Clock | None = None) -> "SqliteBus":
    from warmlead.buses.sqlite import SqliteBus
    from warmlead.buses.topology import topics_of_subscriptions

    return SqliteBus(file, clock or SystemClock(), topics_of_subscriptions())


class DataFile(Struct, frozen=True):
    """What is kept in one data file."""

    store: "SqliteLeadStore"
    bus: "SqliteBus"
    dispatches: "SqliteDispatchStore"


class System(Struct, frozen=True):
    """What a command works with, on either backend."""

    settings: Settings
    clock: SystemClock
    ids: LeadIds
    model: "Model"
    store: LeadStore
    bus: EventBus
    reports: "ReportStore"
    dispatches: "DispatchStore"
    imports: "ImportStore"


class Embedded(System, frozen=True):
    """The embedded backend, whose bus is also the archive and hands out messages."""

    store: "SqliteLeadStore"
    bus: "SqliteBus"
    file: "SqliteFile"


@asynccontextmanager
async def opened(
    using: Settings | None = None, *, patience_s: float | None = None
) -> AsyncIterator[System]:
    """Opens the backend in the settings; by default in those of this process.

    ``patience_s`` are the seconds that one update of leads, or of the record of an import, may take
    in Firestore with all its attempts, if it is not the usual time.
    """
    if (using or survey(_environment())[0]).backend == "sqlite":
        async with embedded(using) as system:
            yield system
        return
    chosen, loaded = _usable(using)
    store, bus, reports = (
        _firestore(chosen, patience_s),
        _pubsub(chosen),
        _firestore_reports(chosen),
    )
    dispatches, ids = _firestore_dispatches(chosen), lead_ids(chosen)
    imports = _firestore_imports(chosen, patience_s)
    try:
        clock = SystemClock()
        yield System(chosen, clock, ids, loaded, store, bus, reports, dispatches, imports)
    finally:
        await imports.close()
        await bus.close()
        await dispatches.close()
        await reports.close()
        await store.close()


@asynccontextmanager
async def embedded(
    using: Settings | None = None, *, instead: str = "this works on one machine alone"
) -> AsyncIterator[Embedded]:
    """Opens the embedded backend; by default with this process's settings.

    Raises ``ConfigurationError`` if the settings name another, with what to do ``instead``.
    """
    chosen, loaded = _usable(using)
    if chosen.backend != "sqlite":
        raise ConfigurationError.one(f"WARMLEAD_BACKEND is {chosen.backend}:", instead)
    async with _open_file(chosen) as file:
        system = Embedded(
            settings=chosen,
            clock=SystemClock(),
            ids=lead_ids(chosen),
            model=loaded,
            store=_open_store(file),
            bus=_open_bus(file),
            reports=_open_reports(file),
            dispatches=_open_dispatches(file),
            imports=_open_imports(file),
            file=file,
        )
        await file.prove()
        yield system


def _usable(using: Settings | None) -> "tuple[Settings, Model]":
    """The settings, and their model; those of this process if none are given."""
    if using is None:
        return settings(), start(("id_secret",), _model_beside_shadow)
    using.demand("id_secret")
    return using, _model_beside_shadow(using)


def _model_beside_shadow(using: Settings) -> "Model":
    """The model in the settings, whose rules record for a second one too, if there is any."""
    chosen = load_model(using.model)
    return replace(chosen, rules=_with_shadow(chosen.rules, using))


@asynccontextmanager
async def scratch_store() -> AsyncIterator["SqliteLeadStore"]:
    """Opens an empty store, which is deleted afterwards; leads are rebuilt in it."""
    async with _scratch_file() as file:
        yield _open_store(file)


@asynccontextmanager
async def rehearsal(clock: Clock) -> AsyncIterator[tuple[LeadStore, EventBus]]:
    """Opens an empty store and bus with the time of ``clock``, which are deleted afterwards."""
    async with _scratch_file() as file:
        yield _open_store(file, clock), _open_bus(file, clock)


@asynccontextmanager
async def _scratch_file() -> AsyncIterator["SqliteFile"]:
    from warmlead.sqlite_file import SqliteFile

    with TemporaryDirectory(prefix="warmlead-") as folder:
        async with SqliteFile(Path(folder, "scratch.sqlite3"), durable=False) as file:
            yield file
