"""The functions in this process, as functions-framework makes them, each request told apart."""

import asyncio
import json
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from time import thread_time
from types import FrameType
from typing import Any, NamedTuple, NoReturn
from urllib.parse import unquote

from functions_framework.aio import create_asgi_app

from fuzz import graph
from fuzz.corpus import FUZZED, WRITE_KEYS
from fuzz.sent import Sent
from fuzz.signing import FILES, signed
from fuzz.verdict import Answer
from warmlead.runtime.table import public

FUNCTIONS = Path(__file__).parents[2] / "functions"

HANGS_AFTER_S = 120.0
"""So long may all requests of a bunch take together; a machine that does more must not fail."""

_number: ContextVar[int | None] = ContextVar("number", default=None)


class Hung(BaseException):
    """A request is still being worked on; no ``except Exception`` can swallow it."""


class Outcome(NamedTuple):
    """What became of a request: an answer or what was raised, and what was logged meanwhile.

    ``cost_s`` are the processor seconds that it took of this thread: a first look, that is.
    """

    answer: Answer | None
    raised: str | None
    logged: Sequence[str]
    cost_s: float


def environment(data: Path, *, fetches: bool = True) -> dict[str, str]:
    """The settings of every function: SQLite in this folder, and our keys, forms and CRMs.

    Unless it ``fetches``, no sender is configured that asks its vendor for more.
    """
    data.mkdir(parents=True, exist_ok=True)
    files = {}
    for function in public():
        for setting in function.files:
            file = data / f"{function.name}.json"  # JSON is YAML
            sections = FILES[function.name].items()
            kept = {name: one for name, one in sections if fetches or name not in graph.SECTIONS}
            file.write_text(json.dumps(kept))
            files[setting] = str(file)
    return {"WARMLEAD_DATA": str(data), "WARMLEAD_WRITE_KEYS": WRITE_KEYS, **files}


def settle(data: Path) -> None:
    """Replaces the settings of this process's environment, for good."""
    for name in [name for name in os.environ if name.startswith("WARMLEAD_")]:
        del os.environ[name]
    os.environ.update(environment(data))


class Functions:
    """Answers requests; ``begins`` is told the index of the one that is worked on, ever again."""

    def __init__(self, data: Path, begins: Callable[[int], None]) -> None:
        settle(data)
        graph.stand_in()
        self._begins = begins
        self._apps = {
            name: create_asgi_app(name, str(FUNCTIONS / name / "main.py"))  # type: ignore[no-untyped-call]  # it has no types
            for name in FUZZED
        }
        self._log = _Log()
        logging.getLogger().handlers = [self._log]

    async def answer_all(self, bunch: Sequence[Sent]) -> list[Outcome]:
        """What became of each request of a bunch; they are worked on side by side."""
        signal.signal(signal.SIGALRM, _hung)
        signal.setitimer(signal.ITIMER_REAL, HANGS_AFTER_S)
        try:
            metered = [
                _Metered(self._answer(number, sent), partial(self._begins, number))
                for number, sent in enumerate(bunch)
            ]
            answers = await asyncio.gather(*map(_awaited, metered), return_exceptions=True)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        logged = self._log.taken()
        unasked = logged.get(None, [])
        outcomes = []
        for number, (answer, meter) in enumerate(zip(answers, metered, strict=True)):
            raised = repr(answer) if isinstance(answer, BaseException) else None
            given = None if isinstance(answer, BaseException) else answer
            told = [*logged.get(number, []), *unasked]
            outcomes.append(Outcome(given, raised, told, meter.cost_s))
        return outcomes

    async def _answer(self, number: int, sent: Sent) -> Answer:
        _number.set(number)
        return await _over_asgi(self._apps[sent.function], signed(sent))


class _Metered:
    """Runs a coroutine step by step, and adds up what its own steps take of the processor."""

    def __init__(self, coroutine: Coroutine[Any, Any, Answer], begins: Callable[[], None]) -> None:
        self.cost_s = 0.0
        self._coroutine = coroutine
        self._begins = begins

    def __await__(self) -> Generator[Any, Any, Answer]:
        step: Callable[[], Any] = partial(self._coroutine.send, None)
        while True:
            self._begins()
            began = thread_time()
            try:
                waits_for = step()
            except StopIteration as ended:
                answer: Answer = ended.value
                return answer
            finally:
                self.cost_s += thread_time() - began
            try:
                step = partial(self._coroutine.send, (yield waits_for))
            except BaseException as error:  # noqa: BLE001  # whatever it is, it is for the coroutine
                step = partial(self._coroutine.throw, error)


async def _awaited(metered: _Metered) -> Answer:
    return await metered


async def _over_asgi(app: Any, sent: Sent) -> Answer:
    path, _, query = sent.target.partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "http",
        "method": sent.method,
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": list(sent.headers),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    left = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in sent.chunks]
    if sent.whole:
        left.append({"type": "http.request", "body": b"", "more_body": False})
    left.reverse()
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return left.pop() if left else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, send)
    start, *bodies = said
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], headers, b"".join(part.get("body", b"") for part in bodies))


def _hung(_told: int, _at: FrameType | None) -> NoReturn:
    raise Hung(f"not answered within {HANGS_AFTER_S:g} s")


class _Log(logging.Handler):
    """Keeps warnings and errors, by the number of the request that they are about."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._kept: dict[int | None, list[str]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        raised = record.exc_info[1] if record.exc_info else None
        said = f"{record.levelname} {record.name}: {record.getMessage()[:2_000]} {raised!r}"
        self._kept.setdefault(_number.get(), []).append(said)

    def taken(self) -> dict[int | None, list[str]]:
        kept, self._kept = self._kept, {}
        return kept
