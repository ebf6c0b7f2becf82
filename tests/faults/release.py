"""The next release in a process of its own: a line of patches over the product, asked by a socket.

``python -m faults.release SOCKET PATCH…`` reads the product as the patches change it, and forks a
process for each connection. A connection is one instance: it opens the trial's store and bus, and
answers what a client, Pub/Sub and Cloud Scheduler ask of its functions.
"""

import asyncio
import importlib.util
import os
import pickle
import select
import shutil
import signal
import socket
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from faults.patching import patched, product
from faults.sites import Visit

_SIZE = struct.Struct("!I")


class Patched(MetaPathFinder):
    """Finds those modules of the product that patches change, by the paths of their files."""

    def __init__(self, product: Path, texts: Mapping[str, str]) -> None:
        names = {file: file.removesuffix(".py").replace("/", ".") for file in texts}
        self._loaders = {
            f"warmlead.{names[file]}": _TextLoader(product / file, text)
            for file, text in texts.items()
        }

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        loader = self._loaders.get(fullname)
        if loader is None:
            return None
        return importlib.util.spec_from_file_location(fullname, loader.path, loader=loader)


class _TextLoader(SourceLoader):
    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._text = text

    def get_filename(self, fullname: str) -> str:
        del fullname
        return str(self.path)

    def get_data(self, path: str) -> bytes:
        del path
        return self._text.encode()


class Opening(NamedTuple):
    """The first thing that is sent: on which trial the instance works, and where it is killed."""

    backend: str
    folder: Path
    kill: Visit | None


class Asked(NamedTuple):
    """A call of a function, or of the checker, at a time."""

    number: int
    what: str
    argument: Any
    now: datetime


class Answered(NamedTuple):
    """The status of a call, or what the checker found, and what time it is then."""

    number: int
    result: Any
    now: datetime


class Work(NamedTuple):
    """A life of the trials of messages to tools: killed at a visit, or without a number healing."""

    backend: str
    folder: Path
    seed: int
    number: int
    kill: Visit | None
    kills: int


async def read_frame(reader: asyncio.StreamReader) -> Any:
    """Reads one thing; raises ``EOFError`` at the end."""
    (size,) = _SIZE.unpack(await reader.readexactly(_SIZE.size))
    return pickle.loads(await reader.readexactly(size))


def unframed(data: bytes) -> Any:
    """The thing in one whole frame; raises it if it is an error."""
    what = pickle.loads(data[_SIZE.size :])
    if isinstance(what, Exception):
        raise what
    return what


def frame(what: object) -> bytes:
    """One thing as it is sent."""
    data = pickle.dumps(what)
    return _SIZE.pack(len(data)) + data


def serve(path: str, answer: Callable[[socket.socket], None]) -> None:
    """Forks for each connection, until who started this process is gone; removes the folder."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            ready, _, _ = select.select([listening, sys.stdin], [], [])
            if sys.stdin in ready:
                shutil.rmtree(Path(path).parent)
                return
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                try:
                    answer(connection)
                finally:
                    os._exit(0)
            connection.close()


def main(path: str, patches: Sequence[str]) -> None:
    """Becomes the release, and serves it."""
    texts = patched([Path(each).read_text(encoding="utf-8") for each in patches])
    sys.meta_path.insert(0, Patched(product(), texts))
    from faults.instance import answer  # noqa: PLC0415  # only now: it loads the patched product

    serve(path, answer)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
