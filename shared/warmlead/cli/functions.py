"""Every function as a process of its own, started by functions-framework as the platform does.

Each has its own port, environment and log. What calls them is not known here.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from warmlead.cli.emulators import VARIABLES
from warmlead.cli.output import count_of, errors
from warmlead.cli.processes import Process, free_port, running, wait_until_it_answers
from warmlead.cli.site import source_of

NEEDS_DATABASE = {
    **dict.fromkeys(("forms", "track", "sales"), False),
    **dict.fromkeys(("score", "decay", "followup", "report"), True),
}
"""Every function, and whether it is told where the database is: one that accepts never is."""

_NOT_INHERITED = (*VARIABLES.values(), "WARMLEAD_PUSH_AUDIENCE", "WARMLEAD_PUSH_ACCOUNT")
"""Where the database is, and that pushes are signed: an emulator does not sign them."""

GRACE_S = 3.0
"""So long a function may finish what it is doing; what it does not finish is pushed again."""


@contextmanager
def functions(
    environments: Mapping[str, Mapping[str, str]], *, logs: Path
) -> Iterator[Mapping[str, Process]]:
    """The functions while they run, started side by side; each answers at its address.

    Raises ``EndedError`` if one does not start.
    """
    with ExitStack() as stack:
        with errors.status(f"Starting {count_of(len(environments), 'function')} …"):
            started = {
                name: stack.enter_context(_started(name, environment, logs / f"{name}.log"))
                for name, environment in environments.items()
            }
            for process in started.values():
                wait_until_it_answers(process)
        try:
            yield started
        finally:
            for process in started.values():  # side by side
                process.ask_to_end()


def environments(shared: Mapping[str, str], *, database: str) -> dict[str, dict[str, str]]:
    """The environment of each function: this process's and ``shared``.

    The variable ``database`` is only in that of a function which needs the database.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    unsigned = {"WARMLEAD_PUSH_AUTH": "iam"}  # on this machine nobody else reaches a function
    whole = {**inherited, **shared, **unsigned, "FUNCTION_USE_ASGI": "1"}
    without = {name: value for name, value in whole.items() if name != database}
    return {name: whole if needed else without for name, needed in NEEDS_DATABASE.items()}


def _started(
    name: str, environment: Mapping[str, str], log: Path
) -> AbstractContextManager[Process]:
    port = str(free_port())
    options = ["--target", name, "--source", source_of(name), "--host", "127.0.0.1", "--port", port]
    return running(
        f"The function {name}",
        [sys.executable, "-m", "functions_framework", *options],
        address=f"127.0.0.1:{port}",
        environment=environment,
        log=log,
        grace_s=GRACE_S,
    )
