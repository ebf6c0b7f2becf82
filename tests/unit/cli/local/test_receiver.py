"""The demo's receiver prints what it has verified, and nothing else."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from patience import PATIENCE_S, until
from warmlead.cli.local.emulators import Process, free_port, running, wait_until_it_answers
from warmlead.cli.local.receiver import MOST_BYTES, SECRET

KEY = "whsec_dGhlIHNlY3JldCBvZiB0aGUgcmVjZWl2ZXI="
BODY = json.dumps({"type": "warmlead.lead.alerted.v1", "id": "one", "data": {}}).encode()

pytestmark = pytest.mark.slow  # each starts a process


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Process]:
    port = free_port()
    command = [sys.executable, "-m", "warmlead.cli.local.receiver", str(port)]
    address, log = f"127.0.0.1:{port}", tmp_path / "log"
    with running("It", command, address=address, log=log, environment={SECRET: KEY}) as process:
        wait_until_it_answers(process)
        yield process


def post(receiver: Process, body: bytes, *, at: datetime | None = None, signed: bytes = b"") -> int:
    """The status for a body, which the library of the standard has signed, or another one."""
    at = at or datetime.now(UTC)
    signature = Webhook(KEY).sign("one", at, (signed or body).decode())
    headers = {
        "Webhook-Id": "one",
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": signature,
    }
    request = urllib.request.Request(f"http://{receiver.address}/", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_signed_message_is_told_with_the_process_that_verified_it(receiver: Process) -> None:
    assert post(receiver, BODY) == 204
    told = json.loads(until(receiver.log.read_text))
    assert told == {
        "type": "warmlead.lead.alerted.v1",
        "id": "one",
        "process": receiver.popen.pid,
    }


def test_nothing_is_told_of_what_is_not_signed_or_old(receiver: Process) -> None:
    assert post(receiver, BODY.replace(b"one", b"two"), signed=BODY) == 401
    assert post(receiver, BODY, at=datetime.now(UTC) - timedelta(minutes=6)) == 401
    assert post(receiver, b"[]") == 400
    unsigned = urllib.request.Request(f"http://{receiver.address}/", BODY)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(unsigned, timeout=PATIENCE_S)
    connection = HTTPConnection(receiver.address, timeout=PATIENCE_S)
    connection.request("POST", "/", headers={"Content-Length": str(MOST_BYTES + 1)})
    assert connection.getresponse().status == 413
    connection.close()
    assert receiver.log.read_text() == ""
    assert post(receiver, BODY) == 204
