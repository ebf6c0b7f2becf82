"""Logs: one JSON object a line, with fields from a short list, and nothing that a sender sent.

Standard library only, because ``structlog`` adds a fifth of a second to every cold start. An
exception is logged with its type and its frames, without its message, because messages of
libraries quote their input.
"""

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import TextIO

from warmlead.domain.text import UNPRINTABLE

FIELDS = frozenset(
    (
        *("function", "source", "method", "status", "reason", "ms", "request_id", "trace"),
        *("events", "refused", "ignored", "count", "lead_id"),
        *("destination", "sent", "waiting", "skipped", "dead", "unreadable", "dispatch"),
        *("looked_at", "changed", "moved", "triggers", "failed", "swept", "done"),
    )
)
"""The fields that a log line may have besides the event; others are dropped."""

_OURS = "warmlead"
_MAX_TEXT = 200
_PERSONAL = re.compile(r"\S*[@?]\S*")  # addresses, and URLs with a query


def log_event(
    logger: logging.Logger,
    event: str,
    *,
    level: int = logging.INFO,
    error: BaseException | None = None,
    **fields: str | float | None,
) -> None:
    """Logs that something happened: ``event`` in snake_case, with fields of ``FIELDS``."""
    logger.log(level, event, exc_info=error, extra={"fields": fields})


def configure_logging(stream: TextIO = sys.stderr, *, human: bool = False) -> None:
    """Sends all logs to the stream: as JSON, or, for a terminal, as plain lines."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_PlainLines() if human else _JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    # Access logs hold whole URLs, and in a pixel's URL is the event.
    logging.getLogger("uvicorn.access").disabled = True
    # It warns of every malformed form, which is its sender's fault and answered so.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    for name in ("uvicorn", "uvicorn.error", "gunicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_entry(record))  # ASCII only: no control character survives


class _PlainLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = _entry(record)
        time, severity, event = (entry.pop(key) for key in ("time", "severity", "event"))
        rest = "".join(f" {name}={value}" for name, value in entry.items())
        return UNPRINTABLE.sub(_escaped, f"{str(time)[11:19]} {severity:7} {event}{rest}")


def _escaped(control: re.Match[str]) -> str:
    return f"\\x{ord(control[0]):02x}"


def _entry(record: logging.LogRecord) -> dict[str, object]:
    at = datetime.fromtimestamp(record.created, UTC)
    entry: dict[str, object] = {
        "time": at.isoformat(timespec="milliseconds"),
        "severity": record.levelname,
        **_said(record),
    }
    if record.exc_info and record.exc_info[1]:
        entry.update(_exception(record.exc_info[1]))
    return entry


def _said(record: logging.LogRecord) -> dict[str, object]:
    if record.name.partition(".")[0] == _OURS:
        fields: dict[str, object] = getattr(record, "fields", {})
        kept = {name: _short(fields[name]) for name in fields if name in FIELDS}
        return {"event": str(record.msg), **{n: v for n, v in kept.items() if v is not None}}
    # In a library's message only the template is safe, and of that only the beginning.
    template = str(record.msg).partition("\n")[0][:_MAX_TEXT]
    return {
        "event": "library_said",
        "logger": record.name,
        "message": _PERSONAL.sub("…", template),
    }


def _short(value: object) -> object:
    return value if value is None or isinstance(value, int | float) else str(value)[:_MAX_TEXT]


def _exception(error: BaseException) -> dict[str, object]:
    frames = traceback.extract_tb(error.__traceback__)
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < 5:  # noqa: PLR2004  # enough of any chain
        causes.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    return {
        "error": f"{type(error).__module__}.{type(error).__qualname__}",
        "frames": [f"{f.filename}:{f.lineno} {f.name}" for f in frames[-20:]],
        **({"causes": causes} if causes else {}),
    }
