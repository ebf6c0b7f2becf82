"""A function as a process of its own, started by functions-framework as the platform starts it."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from patience import until
from served import free_port
from warmlead.cli.local.emulators import Process, running

FUNCTIONS = Path(__file__).parents[2] / "functions"
GRACE_S = 10.0


@contextmanager
def alone(function: str, settings: Mapping[str, str], logs: Path) -> Iterator[Process]:
    """The function with these settings, while it runs."""
    port = free_port()
    source = str(FUNCTIONS / function / "main.py")
    options = ["--target", function, "--source", source, "--port", str(port), "--host", "127.0.0.1"]
    inherited = {name: v for name, v in os.environ.items() if not name.startswith("WARMLEAD_")}
    with running(
        f"The function {function}",
        [sys.executable, "-m", "functions_framework", *options],
        address=f"127.0.0.1:{port}",
        environment={**inherited, **settings, "FUNCTION_USE_ASGI": "1"},
        log=logs / f"{function}.log",
        grace_s=GRACE_S,
    ) as process:
        until(lambda: _answers(process) or process.popen.poll() is not None)
        assert process.popen.poll() is None, process.log.read_text()
        yield process


def _answers(process: Process) -> bool:
    request = urllib.request.Request(f"http://{process.address}/", method="OPTIONS")
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
