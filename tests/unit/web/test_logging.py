import io
import json
import logging
from collections.abc import Iterator

import pytest

from warmlead.web.logging import configure_logging, log_event


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield io.StringIO()
    root.handlers, root.level = handlers, level
    logging.getLogger("uvicorn.access").disabled = False


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_a_json_object_with_listed_fields_only(stream: io.StringIO) -> None:
    configure_logging(stream)

    log_event(
        logging.getLogger("warmlead.x"),
        "request_answered",
        status=200,
        source="generic",
        ms=1.5,
        email="ada@example.com",
        trace=None,
    )

    (line,) = lines(stream)
    assert line.pop("time")
    assert line == {
        "severity": "INFO",
        "event": "request_answered",
        "status": 200,
        "source": "generic",
        "ms": 1.5,
    }


def test_control_characters_make_no_second_line(stream: io.StringIO) -> None:
    configure_logging(stream)

    log_event(logging.getLogger("warmlead"), "a", source='x\r\n{"b": 1}\x1b[31m\u2028y')

    assert len(stream.getvalue().splitlines()) == 1
    assert stream.getvalue().isascii()


def test_plain_lines_escape_control_characters_too(stream: io.StringIO) -> None:
    configure_logging(stream, human=True)

    log_event(logging.getLogger("warmlead"), "a", source="x\r\n\x1b[31m\u2028y", count=3)

    assert len(stream.getvalue().splitlines()) == 1
    assert (
        stream.getvalue().rstrip().endswith("INFO    a source=x\\x0d\\x0a\\x1b[31m\\x2028y count=3")
    )


def test_an_exception_is_logged_by_type_and_place_without_its_words(stream: io.StringIO) -> None:
    configure_logging(stream)
    try:
        try:
            int("ada@example.com")
        except ValueError as error:
            raise KeyError("grace@example.com") from error
    except KeyError as error:
        failure = error

    log_event(logging.getLogger("warmlead"), "failed", level=logging.ERROR, error=failure)

    (line,) = lines(stream)
    assert line["error"] == "builtins.KeyError"
    assert line["causes"] == ["ValueError"]
    assert "test_logging.py" in str(line["frames"])
    assert "@" not in stream.getvalue()


def test_log_lines_of_libraries_keep_only_their_template(stream: io.StringIO) -> None:
    configure_logging(stream)
    log = logging.getLogger("asyncio")

    log.warning("Got %s", "ada@example.com")
    log.error("Task failed\nfuture: ValueError('ada@example.com')")
    log.error("Bad mail ada@example.com in /p.gif?email=ada")

    assert [line["message"] for line in lines(stream)] == [
        "Got %s",
        "Task failed",
        "Bad mail … in …",
    ]
    assert "ada" not in stream.getvalue()


def test_access_logs_are_off_since_urls_hold_events(stream: io.StringIO) -> None:
    configure_logging(stream)

    logging.getLogger("uvicorn.access").info('"GET %s"', "/p.gif?email=ada")

    assert stream.getvalue() == ""
