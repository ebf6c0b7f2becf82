"""Every staged function alone, as it is deployed: its zip, its requirements, its settings.

Each runs on a Python that has its locked requirements and nothing else, from inside the folder
into which its zip was unpacked, on Google's emulators. So what it lacks it lacks here too.
"""

import base64
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from builders import NOW, a_lead_named, a_transition, a_trigger, keeping
from patience import PATIENCE_S, until
from served import free_port
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.nurture import Enrolment
from warmlead.domain.snapshot import Snapshot
from warmlead.model.loading import load, ready_text
from warmlead.parsing.signatures import HmacScheme
from warmlead.runtime.table import TABLE, CalledBy, Function
from warmlead.stores.firestore.store import FirestoreLeadStore, FirestoreReportStore

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"

HOURS = 'days: mon-fri, from: "09:00", to: "17:00"'
ALWAYS_OPEN = 'days: mon-sun, from: "00:00", to: "24:00"'
MODEL = (
    ready_text("b2b-saas")
    .replace("demo_requested, points: 50", "demo_requested, points: 51")
    .replace(HOURS, ALWAYS_OPEN)
)
SALES = "generic: {signature: {scheme: hmac, secrets: [env:SALES_SECRET]}}\n"
FORMS = "contact: {signature: {secrets: [env:CONTACT_SECRET]}}\nopen: {allow_unsigned: true}\n"
CHAT = "generic: {secrets: [env:CHAT_SECRET]}\n"
FILES = {"forms": FORMS, "chat": CHAT} | {"sales": SALES}
"""The file of senders of each function that a test posts to."""

KEY = "pk_site_5fQ9xLr2Tz"
SECRETS = {"WARMLEAD_WRITE_KEYS": KEY, "WARMLEAD_ID_SECRET": "VqF3-an-id-secret-of-the-tests-8Zk2w"}

pytestmark = pytest.mark.xdist_group("staged")


class Cloud(NamedTuple):
    """A project of a test on the emulators, spoken to over HTTP as anyone may."""

    project: str
    pubsub: str
    firestore: str

    @property
    def settings(self) -> dict[str, str]:
        """What a deployment sets, and where the emulators are."""
        return {
            "WARMLEAD_ENV": "production",
            "WARMLEAD_BACKEND": "gcp",
            "WARMLEAD_PROJECT": self.project,
            "PUBSUB_EMULATOR_HOST": self.pubsub,
            "FIRESTORE_EMULATOR_HOST": self.firestore,
            "WARMLEAD_PUSH_AUTH": "iam",
            "WARMLEAD_DASHBOARD_AUTH": "iap",
            "WARMLEAD_DASHBOARD_AUDIENCE": "/projects/1/locations/x/services/warmlead-dashboard",
            **SECRETS,
        }

    def listen(self, *topics: str) -> None:
        """Makes the topics, each with a subscription of the same name."""
        base = f"http://{self.pubsub}/v1/projects/{self.project}"
        for topic in topics:
            ask("PUT", f"{base}/topics/{topic}", {})
            name = f"projects/{self.project}/topics/{topic}"
            ask("PUT", f"{base}/subscriptions/{topic}", {"topic": name})

    def heard(self, topic: str) -> list[Any]:
        """The bodies of what was published to the topic, once there is something."""
        url = f"http://{self.pubsub}/v1/projects/{self.project}/subscriptions/{topic}:pull"
        wanted = {"maxMessages": 10, "returnImmediately": True}
        answer = until(lambda: ask("POST", url, wanted)[1])
        bodies = [one["message"]["data"] for one in answer["receivedMessages"]]
        return [json.loads(base64.b64decode(body)) for body in bodies]


@pytest.fixture
def cloud(pubsub_emulator: str, firestore_emulator: str) -> Cloud:
    return Cloud(f"p-{uuid.uuid4().hex[:12]}", pubsub_emulator, firestore_emulator)


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every function, staged as for a deployment with a model and forms of its own."""
    folder = tmp_path_factory.mktemp("staged")
    (folder / "model.yaml").write_text(MODEL)
    command = [sys.executable, str(ROOT / "infra/stage.py"), "--into", "build"]
    command += ["--model", "model.yaml"]
    for function, text in FILES.items():
        (folder / f"{function}.yaml").write_text(text)
        command += [f"--{function}", f"{function}.yaml"]
    subprocess.run(command, cwd=folder, check=True, timeout=PATIENCE_S)
    return folder / "build"


class Deployed(NamedTuple):
    """A running function: where it answers, and what it wrote, its imports among it."""

    base: str
    folder: Path
    log: Path

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, Any]:
        return ask("POST", f"{self.base}{path}", body, **headers)


@pytest.fixture
def deployed(
    staged: Path, cloud: Cloud, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Deployed]:
    """The function that the test is marked with, deployed alone."""
    function = request.param
    folder = tmp_path / function
    with zipfile.ZipFile(staged / f"{function}.zip") as archive:
        archive.extractall(folder)
    binaries = python_of_its_own(tmp_path / "python", folder / "requirements.txt")
    named = re.findall(r"env:(\w+)", "".join(FILES.values()))
    secrets = dict.fromkeys(named, "a secret of the tests")
    settings = {**cloud.settings, **secrets}
    with running(function, folder, binaries, settings) as deployed:
        yield deployed
    assert_imported_from(deployed.log.read_text(), folder)


def python_of_its_own(folder: Path, requirements: Path) -> Path:
    """The programs of a new environment with these requirements, and nothing else in it."""
    binaries = folder / "bin"
    make = [str(UV), "venv", "--quiet", "--no-project", "--python", sys.executable, str(folder)]
    install = [str(UV), "pip", "install", "--quiet", "--require-hashes"]
    install += ["--python", str(binaries / "python"), "--requirements", str(requirements)]
    for command in (make, install):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"the requirements cannot be installed:\n{done.stderr}"
    return binaries


@contextmanager
def running(
    function: str, folder: Path, binaries: Path, settings: Mapping[str, str]
) -> Iterator[Deployed]:
    """The function, started as the platform starts it, and nothing else in its environment."""
    port = free_port()
    log = folder.parent / f"{function}.log"
    command = [str(binaries / "functions-framework"), "--target", function, "--port", str(port)]
    started = {"FUNCTION_USE_ASGI": "1", "PATH": f"{binaries}:{os.defpath}", "PYTHONVERBOSE": "1"}
    started["PYTHONTZPATH"] = ""  # as on a system without zone files
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*command, "--host", "127.0.0.1"],
            cwd=folder,
            env={**settings, **started},
            stdout=output,
            stderr=output,
        ) as server,
    ):
        base = f"http://127.0.0.1:{port}"
        try:
            until(lambda: answers(base) or server.poll() is not None)
            assert server.poll() is None, log.read_text()[-4_000:]
            yield Deployed(base, folder, log)
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE_S)


def assert_imported_from(log: str, folder: Path) -> None:
    """Every module of ours came from the folder, and compiled: told by ``python -v``."""
    ours = set(re.findall(r"^# code object from '?(.*/warmlead/.*?)'?$", log, re.MULTILINE))
    assert len(ours) > 20
    for path in ours:
        assert path.startswith(f"{folder}/warmlead/"), path
        assert path.endswith(".pyc"), path
    assert f"# code object from '{folder}/__pycache__/main." in log
    assert "import 'yaml'" not in log  # staged models and forms need no YAML


def ask(method: str, url: str, body: object = None, **headers: str) -> tuple[int, Any]:
    """The status of an answer and its JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **headers}
    try:
        request = urllib.request.Request(url, content, sent, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def answers(base: str) -> bool:
    try:
        urllib.request.urlopen(urllib.request.Request(base, method="OPTIONS"), timeout=10).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def alone(function: str) -> pytest.MarkDecorator:
    """Marks a test with the function that it is about."""
    return pytest.mark.parametrize("deployed", [function], indirect=True)


# --- one request to each -------------------------------------------------------------------

FIRST = {
    CalledBy.SENDERS: (404, "not_found"),  # nobody sends there
    CalledBy.BUS: (400, "message_invalid"),  # it is no push
    CalledBy.CLOCK: (200, None),
    CalledBy.PEOPLE: (401, "unauthorized"),  # nobody is signed in
}


@pytest.mark.parametrize(
    ("deployed", "function"), [(each.name, each) for each in TABLE], indirect=["deployed"]
)
def test_a_staged_function_answers_its_caller_alone(
    deployed: Deployed, function: Function, cloud: Cloud
) -> None:
    cloud.listen(*function.publishes)
    status, told = deployed.post("/nobody", b"{}")
    assert (status, told.get("code")) == FIRST[function.called_by]


# --- what each does ------------------------------------------------------------------------


@alone("forms")
def test_forms_accepts_posts_under_its_staged_settings(deployed: Deployed, cloud: Cloud) -> None:
    cloud.listen("lead-events")
    ada = b'{"email": "ada@example.com"}'

    assert deployed.post("/generic/open", ada) == (200, {"success": True})
    assert deployed.post("/generic/contact", ada)[1]["code"] == "signature_missing"
    assert deployed.post("/generic/other", ada)[1]["code"] == "not_found"

    (message,) = cloud.heard("lead-events")
    assert message["events"][0]["email"] == "ada@example.com"


@alone("track")
def test_track_takes_calls_and_serves_the_snippet(deployed: Deployed, cloud: Cloud) -> None:
    cloud.listen("lead-events")
    call = b'{"anonymousId": "b-1", "event": "Demo Requested", "messageId": "m-1"}'
    key = f"Basic {base64.b64encode(f'{KEY}:'.encode()).decode()}"

    assert deployed.post("/v1/track", call, Authorization=key) == (200, {"success": True})
    assert deployed.post("/v1/track", call)[1]["code"] == "unauthorized"
    with urllib.request.urlopen(f"{deployed.base}/warmlead.js", timeout=PATIENCE_S) as script:
        assert script.read() == (ROOT / "shared/warmlead/web/snippet/warmlead.js").read_bytes()

    (message,) = cloud.heard("lead-events")
    assert message["events"][0]["id"] == "m-1"


@alone("sales")
def test_sales_accepts_posts_under_its_staged_settings(deployed: Deployed, cloud: Cloud) -> None:
    cloud.listen("lead-events")
    won = b'{"email": "ada@example.com", "said": "won", "value": 9.5, "currency": "EUR"}'
    signature = HmacScheme().sign(won, "a secret of the tests")

    assert deployed.post("/generic", won, **{"X-Signature": signature})[1] == {"success": True}
    assert deployed.post("/generic", won)[1]["code"] == "signature_missing"
    assert deployed.post("/hubspot", won)[1]["code"] == "not_found"

    (message,) = cloud.heard("lead-events")
    assert message["events"][0]["name"] == "sales_won"
    assert message["events"][0]["properties"] == {"value_cents": 950, "currency": "EUR"}


@alone("chat")
def test_chat_accepts_posts_under_its_staged_settings(deployed: Deployed, cloud: Cloud) -> None:
    cloud.listen("lead-events")
    asked = b'{"event": "chat_message_sent", "id": "m-1", "visitor": {"id": "v-1"}, "text": "Why?"}'
    signature = HmacScheme().sign(asked, "a secret of the tests")

    assert deployed.post("/generic", asked, **{"X-Signature": signature})[1] == {"success": True}
    assert deployed.post("/generic", asked)[1]["code"] == "signature_missing"
    assert deployed.post("/intercom", asked)[1]["code"] == "not_found"

    (message,) = cloud.heard("lead-events")
    assert message["events"][0]["name"] == "chat_message_sent"
    assert message["events"][0]["properties"]["is_question"] is True


def deliver(deployed: Deployed, pushed: bytes) -> None:
    """Pushes a message as Pub/Sub does: again while the answer is 503, as on a busy machine."""

    def status() -> int:
        answered, _ = deployed.post("/", pushed)
        return 0 if answered == HTTPStatus.SERVICE_UNAVAILABLE else answered

    assert until(status) == HTTPStatus.OK


@alone("score")
def test_score_counts_a_push_under_its_staged_model(deployed: Deployed, cloud: Cloud) -> None:
    cloud.listen("mql", "lifecycle", "nurture")
    now = datetime.now(UTC).isoformat()
    event = {"id": "e-1", "source": "generic", "trust": "signed", "name": "demo_requested"}
    event |= {"occurred_at": now, "received_at": now, "email": "ada@example.com"}
    data = base64.b64encode(json.dumps({"v": 1, "events": [event]}).encode()).decode()
    message = {
        "data": data,
        "attributes": {"type": "warmlead.lead_events.v1", "lead_id": "a", "source": "generic"},
        "messageId": "1",
        "publishTime": now,
    }
    pushed = json.dumps({"message": message, "subscription": "projects/p/subscriptions/s"})

    for _ in range(2):  # delivered twice, told once
        deliver(deployed, pushed.encode())

    (told,) = cloud.heard("mql")
    assert told["data"]["lead"]["email"] == "ada@example.com"
    assert told["data"]["model_version"] == load(MODEL, name="staged").version
    (step,) = cloud.heard("nurture")  # at any hour
    assert step["data"]["message"] == "welcome-guide"


THREE_DAYS_ON = day_of(to_ms(datetime.now(UTC))) + 3


@alone("decay")
async def test_decay_evaluates_due_leads_under_its_staged_model(
    deployed: Deployed, cloud: Cloud
) -> None:
    store = FirestoreLeadStore(cloud.project, emulator=cloud.firestore, patience_s=PATIENCE_S)
    due = a_lead_named("ada", decay_on=1)
    shown = Snapshot(score=5, engagement=5, fit=0, day=1, model_version="v1", active_day=1)
    later = a_lead_named("bob", decay_on=THREE_DAYS_ON, snapshot=shown)
    await store.update([], keeping(due, later))

    for settled in (1, 0):
        status, told = deployed.post("/", b"{}")
        assert (status, told["looked_at"], told["done"]) == (200, settled, True)

    lead = await store.get(due.id)
    assert lead
    assert lead.snapshot
    assert lead.snapshot.model_version == load(MODEL, name="staged").version
    assert await store.get(later.id) == later
    await store.close()


@alone("followup")
async def test_followup_does_due_work_and_sends_unsent_triggers(
    deployed: Deployed, cloud: Cloud
) -> None:
    cloud.listen("mql", "nurture")
    store = FirestoreLeadStore(cloud.project, emulator=cloud.firestore, patience_s=PATIENCE_S)
    waiting = Enrolment("mql-education", 1, NOW, position=1, next_at=NOW)
    due = {"due_at": NOW, "enrolments": {waiting.sequence: waiting}}
    unsent = a_lead_named("bob", outbox=(a_trigger(),))
    await store.update([], keeping(a_lead_named("ada", **due), unsent))
    await store.close()

    for settled in (1, 0):
        status, told = deployed.post("/", b"{}")
        done = (status, told["looked_at"], told["triggers"], told["swept"], told["done"])
        assert done == (200, settled, settled, settled, True)

    assert cloud.heard("mql") == [json.loads(a_trigger().body)]
    (step,) = cloud.heard("nurture")
    assert step["data"]["lead"]["email"] == "ada@example.com"
    assert (step["data"]["message"], step["data"]["step"]) == ("case-study", 2)


@alone("report")
async def test_report_stores_and_publishes_the_kpis_of_complete_periods(
    deployed: Deployed, cloud: Cloud
) -> None:
    cloud.listen("kpi")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    store = FirestoreLeadStore(cloud.project, emulator=cloud.firestore, patience_s=PATIENCE_S)
    move = a_transition(at=yesterday, touch_by=yesterday, accept_by=yesterday)
    await store.update([], keeping(a_lead_named("ada"), transitions=[("an id", move)]))
    await store.close()

    status, told = deployed.post("/", b"{}")
    assert (status, told["periods"][0]) == (200, f"{yesterday:%Y-%m-%d}")
    again = deployed.post("/", b"{}")[1]["periods"]
    assert again == told["periods"][:1]

    heard: dict[str, Any] = {}
    messages = 0
    while messages < len(told["periods"]) + 1:
        events = cloud.heard("kpi")
        messages += len(events)
        heard |= {event["id"]: event["data"] for event in events}
    assert len(heard) == len(told["periods"])  # what was told again is the same message
    (day,) = [each for each in heard.values() if each["period"] == f"{yesterday:%Y-%m-%d}"]
    assert day["handoffs"]["first_touch"] == {"due": 1, "kept": 0, "breached": 1, "lapsed": 0}
    reports = FirestoreReportStore(cloud.project, emulator=cloud.firestore, patience_s=PATIENCE_S)
    kept = await reports.report(day["period"])
    await reports.close()
    assert kept
    assert json.loads(kept) == day
