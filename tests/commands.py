"""Runs the ``warmlead`` command in processes of their own, forked from one that has imported it.

Each has its own environment, files and exit, as if a shell had started it. Only the import, which
is most of what a short command costs, happens once. ``python tests/commands.py`` is that process:
it reads a command a line, and answers each with its exit code and what went wrong. With the path
of a socket it serves programs of a shell instead, which hand it their open files (``program``).
"""

import atexit
import importlib
import json
import os
import pkgutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from threading import Lock

from faults.zygote import in_a_process
from patience import PATIENCE_S, until

_lock = Lock()


def command(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """What ``warmlead`` answers in a folder (by default this one), and what ended it otherwise."""
    with tempfile.TemporaryDirectory() as told_into, _lock:
        out, err = Path(told_into) / "out", Path(told_into) / "err"
        origin = _origin(environment.get("PYTHONPATH", ""))
        assert origin.stdin
        assert origin.stdout
        work = [list(arguments), dict(environment), str(folder or Path.cwd()), str(out), str(err)]
        origin.stdin.write(json.dumps(work) + "\n")
        origin.stdin.flush()
        code, wrong = json.loads(origin.stdout.readline())
        return subprocess.CompletedProcess(
            arguments, code, out.read_text(), err.read_text() + wrong
        )


@cache
def _origin(python_path: str) -> subprocess.Popen[str]:
    """The process that has imported the package, which may be a copy with something planted."""
    process = subprocess.Popen(
        [sys.executable, __file__],
        env={**os.environ, "PYTHONPATH": python_path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.kill)
    return process


@contextmanager
def program(path: Path) -> Iterator[None]:
    """A program at the path which is ``warmlead``, for as long as the block runs.

    ``serve``, ``demo`` and ``emulators``, which last or start processes, are processes of their
    own from the start.
    """
    with tempfile.TemporaryDirectory() as folder:  # the path of a socket may not be long
        at = Path(folder) / "socket"
        path.write_text(_PROGRAM.format(python=sys.executable, socket=str(at)))
        path.chmod(0o755)
        origin = subprocess.Popen([sys.executable, __file__, str(at)])
        try:
            until(lambda: at.exists() or origin.poll() is not None)
            yield
        finally:
            origin.kill()
            origin.wait(PATIENCE_S)


_PROGRAM = """#!{python} -IS
import json, os, socket, sys
if {{"serve", "demo", "emulators"}} & set(sys.argv[1:2]):
    os.execv(sys.executable, [sys.executable, "-m", "warmlead.cli.main", *sys.argv[1:]])
with socket.socket(socket.AF_UNIX) as origin:
    origin.connect({socket!r})
    work = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
    socket.send_fds(origin, [len(work).to_bytes(4, "big")], [0, 1, 2])
    origin.sendall(work)
    sys.exit(origin.recv(1)[0])
"""


def _serve_programs(at: str) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{at}.bound")
        server.listen()
        _import_all()
        Path(f"{at}.bound").rename(at)
        while True:
            with server.accept()[0] as program:
                length, files, _, _ = socket.recv_fds(program, 4, 3)
                with program.makefile("rb") as said:
                    given = json.loads(said.read(int.from_bytes(length, "big")))
                arguments, environment, folder = given
                work = partial(_become, arguments, environment, folder, files)
                ended = in_a_process(work, longest_s=PATIENCE_S)
                os.write(files[2], ended.wrong.encode())
                for each in files:
                    os.close(each)
                program.sendall(bytes([1 if ended.result is None else ended.result]))


def _import_all() -> None:
    package = importlib.import_module("warmlead")
    for module in pkgutil.walk_packages(package.__path__, "warmlead."):
        importlib.import_module(module.name)


def _serve() -> None:
    _import_all()
    for line in sys.stdin:
        work = partial(_run, *json.loads(line))
        ended = in_a_process(work, longest_s=PATIENCE_S)
        answer = [1 if ended.result is None else ended.result, ended.wrong]
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _run(
    arguments: Sequence[str], environment: Mapping[str, str], folder: str, out: str, err: str
) -> int:
    files = [os.open(path, os.O_RDWR | os.O_CREAT) for path in (os.devnull, out, err)]
    return _become(arguments, environment, folder, files)


def _become(
    arguments: Sequence[str], environment: Mapping[str, str], folder: str, files: Sequence[int]
) -> int:
    """Is the command from here on; returns its exit code."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, opened in enumerate(files):
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv = ["warmlead", *arguments]
    try:
        importlib.import_module("warmlead.cli.main").main()
    except SystemExit as exit_:
        return int(exit_.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _serve_programs(sys.argv[1])
    else:
        _serve()
