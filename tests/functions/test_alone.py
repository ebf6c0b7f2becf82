"""Each function by itself, started by functions-framework as the platform starts it."""

import base64
import json
import os
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from builders import StandingClock, a_lead_named, a_trigger, keeping
from commands import command
from patience import PATIENCE_S, until
from served import free_port
from warmlead.domain.nurture import Enrolment
from warmlead.model.loading import Model, load, ready_model, ready_text
from warmlead.model.plan import write_compiled
from warmlead.parsing.signatures import HmacScheme
from warmlead.runtime import table
from warmlead.runtime.table import TABLE, files_of_senders, names
from warmlead.senders.registry import REGISTRY
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore

FUNCTIONS = Path(__file__).parents[2] / "functions"
BASIC = {"Authorization": "Basic bG9jYWw6"}
CALL = b'{"anonymousId": "browser-1", "event": "Demo Requested", "messageId": "m-1"}'
PRODUCTION = {"WARMLEAD_ENV": "production"}
KEY = "pk_site_5fQ9xLr2Tz"
SECRETS = {"WARMLEAD_WRITE_KEYS": KEY, "WARMLEAD_ID_SECRET": "VqF3-an-id-secret-of-the-tests-8Zk2w"}


def environment(data: Path, **settings: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("WARMLEAD_")}
    return {**clean, "WARMLEAD_DATA": str(data), **settings}


@contextmanager
def alone(function: str, data: Path, **settings: str) -> Iterator[str]:
    """The function's address, while it runs."""
    port = free_port()
    log_path = data.parent / f"{function}.log"
    with (
        log_path.open("wb") as log,
        subprocess.Popen(
            _framework(function, port),
            env={**environment(data, **settings), "FUNCTION_USE_ASGI": "1"},
            stdout=log,
            stderr=log,
        ) as server,
    ):
        base = f"http://127.0.0.1:{port}"
        try:
            until(lambda: _answers(base) or server.poll() is not None)
            assert server.poll() is None, log_path.read_text()
            yield base
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE_S)


def _framework(function: str, port: int) -> list[str]:
    source = str(FUNCTIONS / function / "main.py")
    options = ["--target", function, "--source", source, "--port", str(port), "--host", "127.0.0.1"]
    return [sys.executable, "-m", "functions_framework", *options]


def _answers(base: str) -> bool:
    try:
        urllib.request.urlopen(urllib.request.Request(base, method="OPTIONS"), timeout=10).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def post(url: str, body: bytes, headers: Mapping[str, str] = BASIC) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, body, dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def an_event(event_id: str) -> bytes:
    """A message of lead events, as an accepting function publishes it."""
    event = {
        "id": event_id,
        "source": "generic",
        "trust": "signed",
        "name": "demo_requested",
        "occurred_at": datetime.now(UTC).isoformat(),
        "received_at": datetime.now(UTC).isoformat(),
        "email": f"{event_id}@example.com",
    }
    return json.dumps({"v": 1, "events": [event]}).encode()


# Modelled on the documentation of Pub/Sub's push requests, and on what its emulator sends.
def as_production(data: bytes) -> bytes:
    message = {
        "attributes": {"type": "warmlead.lead_events.v1", "lead_id": "a", "source": "generic"},
        "data": base64.b64encode(data).decode(),
        "messageId": "2070443601311540",
        "message_id": "2070443601311540",
        "publishTime": "2026-03-02T10:00:05.123Z",
        "publish_time": "2026-03-02T10:00:05.123Z",
    }
    subscription = "projects/warmlead/subscriptions/score"
    pushed = {"deliveryAttempt": 5, "message": message, "subscription": subscription}
    return json.dumps(pushed).encode()


def as_the_emulator(data: bytes) -> bytes:
    message = {
        "data": base64.b64encode(data).decode(),
        "attributes": {"type": "warmlead.lead_events.v1", "lead_id": "a", "source": "generic"},
        "messageId": "1",
        "message_id": "1",
        "publishTime": "2026-03-02T10:00:05.1Z",
        "publish_time": "2026-03-02T10:00:05.1Z",
    }
    return json.dumps({"subscription": "projects/p/subscriptions/s", "message": message}).encode()


def test_forms_and_track_answer_and_score_counts_what_they_published(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with alone("forms", data) as base:
        assert post(f"{base}/generic", b'{"email": "ada@example.com"}') == (200, {"success": True})
        assert post(f"{base}/generic", b'{"email": "ada@"}')[0] == 400
    with alone("track", data) as base:
        assert post(f"{base}/v1/track", CALL) == (200, {"success": True})
        assert post(f"{base}/v1/track", CALL, {})[1]["code"] == "unauthorized"
    with alone("score", data) as base:
        for shape in (as_production, as_the_emulator):
            assert post(base, shape(an_event(shape.__name__)))[0] == 200
        for bad in (b"{}", b'{"message": {}}', b"[]", b"", b"NaN"):
            status, answer = post(base, bad)
            assert 400 <= status < 500
            assert answer.keys() == {"code", "message"}
        assert post(base, as_production(b"not ours"))[0] == 200  # no better if pushed again
    for shape in (as_production, as_the_emulator):
        assert told(data, "lead", "show", f"{shape.__name__}@example.com")["stage"] == "mql"
    set_aside = told(data, "quarantine", "list")
    assert [each["reason"] for each in set_aside] == ["email_invalid", "message_invalid"]
    assert json.loads(published(data, "lead-events")[1])["events"][0]["id"] == "m-1"


def test_a_functions_name_may_stand_in_front_of_its_paths(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with alone("forms", data) as base:
        for path in ("/generic", "/generic/contact", "/forms/generic", "/forms/generic/contact"):
            answer = post(f"{base}{path}", b'{"email": "ada@example.com"}')
            assert answer == (200, {"success": True})
        for path in ("/forms", "/forms/", "/", "/nowhere"):  # no redirect, which loses a post
            assert post(f"{base}{path}", b"{}")[1]["code"] == "not_found"
    batch = b'{"batch": [{"type": "track", ' + CALL[1:] + b"]}"
    with alone("track", data) as base:
        for path in ("/v1/track", "/track/v1/track", "/track", "/track/", "/track/track"):
            assert post(f"{base}{path}", CALL) == (200, {"success": True})
        for path in ("/v1/batch", "/track/v1/batch", "/batch", "/track/batch"):
            assert post(f"{base}{path}", batch) == (200, {"success": True})


def test_statements_of_sales_move_the_lead(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    senders = tmp_path / "sales.yaml"
    senders.write_text("generic: {signature: {scheme: hmac, secrets: [env:SALES_SECRET]}}")
    secret = "a secret of the tests"
    said = [{"email": "ada@example.com", "said": word} for word in ("touched", "accepted")]
    with alone("sales", data, WARMLEAD_SALES=str(senders), SALES_SECRET=secret) as base:
        for body in (json.dumps(each).encode() for each in said):
            signed = {"X-Signature": HmacScheme().sign(body, secret)}
            assert post(f"{base}/generic", body, signed) == (200, {"success": True})
            assert post(f"{base}/generic", body, {})[1]["code"] == "signature_missing"
    with alone("score", data) as base:
        for message in published(data, "lead-events") * 2:  # delivered twice
            assert post(base, as_production(message.encode()))[0] == 200
    ada = told(data, "lead", "show", "ada@example.com")
    assert (ada["stage"], ada["events"]) == ("sql", {"sales_touched": 1, "sales_accepted": 1})


async def test_scheduled_functions_do_due_work_once(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    now = datetime.now(UTC)
    waiting = Enrolment("re-engage", 1, now, position=1, next_at=now)
    ada = a_lead_named("ada", due_at=now, enrolments={waiting.sequence: waiting})
    left = a_trigger(at=now - timedelta(hours=1))
    async with SqliteFile(data / "warmlead.sqlite3") as file:
        store = SqliteLeadStore(file, StandingClock(now))
        bob, eve = a_lead_named("bob", outbox=(left,)), a_lead_named("eve", decay_on=1)
        await store.update([], keeping(ada, bob, eve, a_lead_named("zoe")))
    model = tmp_path / "model.yaml"  # in which any hour is one to write
    hours = 'days: mon-fri, from: "09:00", to: "17:00"'
    model.write_text(
        ready_text("b2b-saas").replace(hours, 'days: mon-sun, from: "00:00", to: "24:00"')
    )
    with alone("followup", data, WARMLEAD_MODEL=str(model)) as base:
        for count in (1, 0):
            status, done = post(base, b"{}", {})
            assert (status, done["failed"], done["done"]) == (200, 0, True)
            assert (done["looked_at"], done["triggers"], done["swept"]) == (count,) * 3
    with alone("decay", data, WARMLEAD_MODEL=str(model)) as base:
        for count in (3, 0):  # Eve is due; Bob and Zoe were never evaluated, so never listed
            status, done = post(base, b"{}", {})
            assert (status, done["looked_at"], done["failed"], done["done"]) == (
                200,
                count,
                0,
                True,
            )
    (step,) = published(data, "nurture")
    assert json.loads(step)["data"]["message"] == "best-of-the-quarter"
    assert published(data, "mql") == [left.body]


def told(data: Path, *arguments: str) -> Any:
    """What a command prints with ``--json``."""
    done = command([*arguments, "--json"], environment(data))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def published(data: Path, topic: str) -> list[str]:
    """The bodies of a topic's messages, read as any SQLite client would."""
    with closing(sqlite3.connect(data / "warmlead.sqlite3")) as connection, connection:
        rows = connection.execute("SELECT body FROM messages WHERE topic = ?", (topic,)).fetchall()
    return [body.decode() for (body,) in rows]


PUBLISHING = """
import asyncio, json, sys
from starlette.requests import Request
from warmlead.runtime import backends, functions

async def receive():
    return {"type": "http.request", "body": sys.argv[3].encode(), "more_body": False}

async def handled():
    headers = [(b"authorization", b"Basic bG9jYWw6"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": sys.argv[2], "query_string": b"",
             "headers": headers}
    answer = await getattr(functions, sys.argv[1])()(Request(scope, receive))
    await backends.file().close()
    return answer.status_code

print(json.dumps([asyncio.run(handled()), sorted(sys.modules)]))
"""
SLOW = ("pydantic", "yaml", "rich", "typer", "holidays", "warmlead.cli")
"""What no function waits for before its first answer."""

SCORING = (
    *("cel_expr_python", "warmlead.model", "warmlead.stores"),
    *(f"warmlead.domain.{part}" for part in ("lead", "stages", "evaluation", "rules", "scoring")),
    *("warmlead.messages", "warmlead.reporting", "warmlead.simulation"),
)
"""What only those need who decide about leads."""


def test_forbidden_modules_exist() -> None:
    others = ("warmlead.senders.captcha_check", "warmlead.web.fetching")
    assert [name for name in (*SLOW, *SCORING, *others) if find_spec(name) is None] == []


def imported_by(data: Path, function: str, path: str, body: str, **settings: str) -> set[str]:
    """The modules that a process has loaded once it has answered one request."""
    done = subprocess.run(
        [sys.executable, "-c", PUBLISHING, function, path, body],
        env=environment(data, **settings),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    status, modules = json.loads(done.stdout)
    assert status == 200
    return set(modules)


FROM_DRIFT = """{"type": "new_message", "token": "the token of Drift", "data":
  {"id": 1, "type": "chat", "author": {"type": "contact", "id": 2}, "body": "Why?"}}"""
ALL = '{"generic": {"allow_unsigned": true}}'
UNSIGNED = {"forms": ALL, "sales": ALL} | {"chat": '{"drift": {"secrets": ["the token of Drift"]}}'}
"""Files of senders that sign nothing."""


@pytest.mark.parametrize(
    ("function", "path", "body"),
    [
        ("forms", "/generic", '{"email": "ada@example.com"}'),
        ("track", "/v1/track", CALL.decode()),
        ("chat", "/drift", FROM_DRIFT),
        ("sales", "/generic", '{"email": "ada@example.com", "said": "accepted"}'),
    ],
)
def test_accepting_functions_import_no_slow_modules_and_no_scoring(
    tmp_path: Path, function: str, path: str, body: str
) -> None:
    files = {}
    for setting, of_function in files_of_senders().items():
        file = tmp_path / f"{of_function.name}.json"
        file.write_text(UNSIGNED.get(of_function.name, "{}"))
        files[setting] = str(file)
    loaded = imported_by(tmp_path, function, path, body, **files)
    assert len(published(tmp_path, "lead-events")) == 1
    assert {name for name in loaded if name.startswith((*SLOW, *SCORING))} == set()
    senders = {
        each.name: each.function for each in REGISTRY if f"warmlead.senders.{each.name}" in loaded
    }
    assert len(senders) == 1  # the configured one
    assert set(senders.values()) == {function}
    assert not loaded & {"warmlead.senders.captcha_check", "warmlead.web.fetching"}


def test_modules_that_may_not_be_imported_exist() -> None:
    """A name that nothing has any more would never be found."""
    assert [name for name in (*SLOW, *SCORING) if find_spec(name) is None] == []


def with_holidays() -> Model:
    """A ready-made model whose promises count office hours."""
    text = ready_text("b2b-saas").replace(
        "time_zone: America/New_York}", "time_zone: Europe/Berlin, holidays: [DE-BY, US]}", 1
    )
    model = load(text, name="model.yaml")
    assert model.plan.holidays_until
    return model


def test_score_with_a_compiled_model_imports_no_slow_modules(tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    model.write_text(write_compiled(with_holidays().plan))
    message = as_production(an_event("score-1").replace(b"demo_requested", b"page_viewed")).decode()
    loaded = imported_by(tmp_path, "score", "/", message, WARMLEAD_MODEL=str(model))
    assert told(tmp_path, "lead", "show", "score-1@example.com")["stage"] == "lead"
    checking = (
        "warmlead.model.schema",
        "warmlead.model.lint.checking",
        "warmlead.messages.contract",
    )
    assert {name for name in loaded if name.startswith((*SLOW, *checking))} == set()


@pytest.mark.parametrize("function", [table.DECAY.name, table.FOLLOWUP.name])
def test_scheduled_functions_with_a_compiled_model_import_no_slow_modules(
    tmp_path: Path, function: str
) -> None:
    model = tmp_path / "model.json"
    model.write_text(write_compiled(with_holidays().plan))
    loaded = imported_by(tmp_path, function, "/", "{}", WARMLEAD_MODEL=str(model))
    checking = (
        "warmlead.model.schema",
        "warmlead.model.lint.checking",
        "warmlead.messages.contract",
    )
    assert {name for name in loaded if name.startswith((*SLOW, *checking))} == set()


def test_a_function_that_needs_the_model_file_refuses_a_compiled_one(tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    model.write_text(write_compiled(ready_model("b2b-saas").plan))
    done = command(["lead", "list"], environment(tmp_path, WARMLEAD_MODEL=str(model)))
    assert done.returncode == 2
    assert "compiled model" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("function", names())
def test_an_entry_point_holds_no_logic(function: str) -> None:
    text = (FUNCTIONS / function / "main.py").read_text()
    assert len(text.splitlines()) < 40
    assert (FUNCTIONS / function / "requirements.txt").exists()


def test_production_disables_everything_meant_for_a_local_machine(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with alone("track", data, **PRODUCTION, **SECRETS) as base:
        assert post(f"{base}/v1/track", CALL)[1]["code"] == "unauthorized"
        ours = {"Authorization": f"Basic {base64.b64encode(f'{KEY}:'.encode()).decode()}"}
        assert post(f"{base}/v1/track", CALL, ours)[0] == 200
    forms = tmp_path / "forms.yaml"
    forms.write_text("contact: {signature: {secrets: [env:CONTACT_SECRET]}}")
    extra = {"WARMLEAD_FORMS": str(forms), "CONTACT_SECRET": "a secret of the tests"}
    with alone("forms", data, **PRODUCTION, **SECRETS, **extra) as base:
        submission = b'{"email": "ada@example.com"}'
        assert post(f"{base}/generic", submission)[1]["code"] == "not_found"
        assert post(f"{base}/generic/contact", submission)[1]["code"] == "signature_missing"
    with alone("sales", data, **PRODUCTION, **SECRETS) as base:
        assert post(f"{base}/generic", submission)[1]["code"] == "not_found"
    assert len(published(data, "lead-events")) == 1


def test_production_starts_no_unsigned_sales_function(tmp_path: Path) -> None:
    sales = tmp_path / "sales.yaml"
    sales.write_text("generic: {allow_unsigned: true}")
    settings = {**PRODUCTION, **SECRETS, "WARMLEAD_SALES": str(sales)}
    started = command(["serve", "--port", str(free_port())], environment(tmp_path, **settings))
    assert started.returncode == 2
    assert "generic.allow_unsigned: is only for one's own machine" in started.stderr
    assert "Traceback" not in started.stderr


@pytest.mark.parametrize(
    ("settings", "complaints"),
    [
        ({}, ["WARMLEAD_WRITE_KEYS", "WARMLEAD_ID_SECRET"]),
        ({**SECRETS, "WARMLEAD_ID_SECRET": "short"}, ["WARMLEAD_ID_SECRET"]),
        ({**SECRETS, "WARMLEAD_WRITE_KEYS": "k"}, ["WARMLEAD_WRITE_KEYS"]),
        ({**SECRETS, "WARMLEAD_WRITE_KEYS": f"{KEY},local"}, ["WARMLEAD_WRITE_KEYS"]),
    ],
)
def test_production_starts_nothing_without_secrets(
    tmp_path: Path, settings: dict[str, str], complaints: list[str]
) -> None:
    production = environment(tmp_path, **PRODUCTION, **settings)
    started = command(["serve", "--port", str(free_port())], production)
    assert started.returncode == 2
    assert "Traceback" not in started.stderr
    for variable in complaints:
        assert variable in started.stderr


def test_production_starts_no_function_without_secrets_and_says_why(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"

    started = subprocess.run(
        _framework("track", free_port()),
        env={**environment(data, **PRODUCTION), "FUNCTION_USE_ASGI": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )

    assert started.returncode != 0
    assert "WARMLEAD_WRITE_KEYS must be set" in started.stderr
    assert "WARMLEAD_ID_SECRET must be set" in started.stderr
    assert not data.exists()


@pytest.mark.parametrize("function", names(each for each in TABLE if "push" in each.demands))
def test_production_starts_no_pushed_function_without_a_check_of_its_callers(
    tmp_path: Path, function: str
) -> None:
    data = tmp_path / "data"
    secrets = {"WARMLEAD_ID_SECRET": SECRETS["WARMLEAD_ID_SECRET"]}

    started = subprocess.run(
        _framework(function, free_port()),
        env={**environment(data, **PRODUCTION, **secrets), "FUNCTION_USE_ASGI": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )

    assert started.returncode != 0
    assert "WARMLEAD_PUSH_AUDIENCE and WARMLEAD_PUSH_ACCOUNT must be set" in started.stderr
    assert "WARMLEAD_PUSH_AUTH=iam" in started.stderr
    with alone(function, data, **PRODUCTION, **secrets, WARMLEAD_PUSH_AUTH="iam") as base:
        assert post(base, b"{}", {})[0] in {200, 400}


def test_the_faults_of_one_start_are_told_together(tmp_path: Path) -> None:
    forms = tmp_path / "forms.yaml"
    forms.write_text("contact: {signatur: {}}")
    settings = {
        "WARMLEAD_MODEL": str(tmp_path / "model.yaml"),
        "WARMLEAD_FORMS": str(forms),
        "WARMLEAD_SALES": str(tmp_path / "sales.yaml"),
        "WARMLEAD_FORM_BYTES": "lots",
        "WARMLEAD_WRITE_KEYS": "one two",
        "WARMLEAD_BACKEND": "sql",
    }

    production = environment(tmp_path, **PRODUCTION, **settings)
    started = command(["serve", "--port", str(free_port())], production)

    assert started.returncode == 2
    said = started.stderr.replace("\n", " ")
    for fault in ("BACKEND:", "FORM_BYTES:", "WRITE_KEYS: a key has a blank", "ID_SECRET must be"):
        assert f"WARMLEAD_{fault}" in said
    for fault in ("contact.signatur:", "The sales file", "There is no model"):
        assert fault in said
    assert started.stdout == ""
