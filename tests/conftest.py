"""What every test may ask for: Google's emulators, started once for a whole run."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from effort import FAST, FULL
from emulators import Run, address

# no deadlines: on a busy machine anything may take a second
settings.register_profile("full", max_examples=FULL, deadline=None)
settings.register_profile("fast", max_examples=FAST, deadline=None)
settings.load_profile("full")

_run = pytest.StashKey[Run]()


def pytest_configure(config: pytest.Config) -> None:
    """Begins the run, in its first process."""
    if not hasattr(config, "workerinput"):
        config.stash[_run] = Run()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker of pytest-xdist which run it belongs to."""
    node.workerinput["emulators"] = str(node.config.stash[_run].folder)


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
