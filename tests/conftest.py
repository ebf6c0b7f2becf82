"""What every test may ask for: Google's emulators, started once for a whole run."""

import gc
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from effort import FAST, STANDARD, THOROUGH
from emulators import Run, address

# no deadlines: on a busy machine anything may take a second
settings.register_profile("thorough", max_examples=THOROUGH, deadline=None)
settings.register_profile("standard", max_examples=STANDARD, deadline=None)
settings.register_profile("fast", max_examples=FAST, deadline=None)
settings.load_profile("standard")

GARBAGE = 100_000
"""Objects between two collections: with 700, the default, unit tests take a tenth longer."""

_run = pytest.StashKey[Run]()


def pytest_configure(config: pytest.Config) -> None:
    """Begins the run, in its first process."""
    if not hasattr(config, "workerinput"):
        config.stash[_run] = Run()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One worker more than there are processors: a third of the time tests wait for others.

    None if the environment says how many.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker of pytest-xdist which run it belongs to."""
    node.workerinput["emulators"] = str(node.config.stash[_run].folder)


def pytest_collection_finish() -> None:
    """Spares the garbage collector what was collected: it stays until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the emulators with the run, also after Ctrl-C."""
    if run := config.stash.get(_run, None):
        run.end()


@pytest.fixture(scope="session")
def emulators_folder(request: pytest.FixtureRequest) -> Path:
    """Where the workers of this run find its emulators."""
    worker = getattr(request.config, "workerinput", None)
    return Path(worker["emulators"]) if worker else request.config.stash[_run].folder


@pytest.fixture(scope="session")
def firestore_emulator(emulators_folder: Path) -> str:
    """The host:port of Firestore's emulator; the tests of a run share it: use random projects."""
    return address("firestore", emulators_folder)


@pytest.fixture(scope="session")
def pubsub_emulator(emulators_folder: Path) -> str:
    """The host:port of Pub/Sub's emulator; the tests of a run share it: use random projects."""
    return address("pubsub", emulators_folder)
