"""The parent of a server: it starts another when one is killed, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from patience import PATIENCE_S, until
from served import Served, answers, serving


def child_of(server: Served) -> int:
    """The process id of the server that the parent has started; 0 if there is none just now."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else 0


def test_a_server_that_is_killed_is_replaced_and_a_reason_is_told(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        first = child_of(server)
        os.kill(first, signal.SIGKILL)
        until(lambda: child_of(server) not in (0, first))
        until(lambda: answers(server))
        body = b'{"email": "ada@example.com"}'
        assert server.post("/forms/generic", body, {"Content-Type": "application/json"})[0] == 200
        until(lambda: server.lead("ada@example.com"))
    assert server.process.returncode == 0
    (log,) = tmp_path.glob("serve-*.log")
    assert "The server was ended by SIGKILL. It starts again." in log.read_text()


def test_when_the_parent_is_killed_the_server_ends_and_its_port_is_free(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        port = int(server.base.rpartition(":")[2])
        server.process.kill()
        server.process.wait()
        until(lambda: not answers(server))
        with serving(tmp_path / "data", port=port) as again:
            assert answers(again)


def test_ctrl_c_ends_both(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        server.signal_all(signal.SIGINT)  # as a terminal does
        assert server.process.wait(PATIENCE_S) == 0


def test_a_server_that_cannot_start_is_not_started_again(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        port = server.base.rpartition(":")[2]
        done = subprocess.run(
            [sys.executable, "-m", "warmlead.cli.main", "serve", "--port", port],
            env=server.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode not in (0, -signal.SIGKILL)
        assert "starts again" not in done.stderr
