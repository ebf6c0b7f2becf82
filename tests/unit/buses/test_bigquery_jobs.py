"""BigQuery over REST: what is repeated, what is not, and what the answers may be."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bigquery_server import BigQueryServer
from builders import NOW
from destinations.crm_server import Said, Trouble, running
from served import free_port
from warmlead.buses.bigquery_jobs import BigQueryError, BigQueryJobs, address_of
from warmlead.domain.errors import ConfigurationError
from warmlead.google_api import AccessTokens
from warmlead.ports import Message

COUNT = "SELECT COUNT(*) FROM `acme-1.archive.news`"
MOST_BYTES = 10**9


@pytest.fixture
def server() -> Iterator[BigQueryServer]:
    with running(BigQueryServer("acme-1", "archive", ["news"], location="EU")) as server:
        server.write("news", [Message(b"1", {}), Message(b"2", {})], NOW)
        yield server


@pytest.fixture
async def jobs(server: BigQueryServer) -> AsyncIterator[BigQueryJobs]:
    jobs = BigQueryJobs("acme-1", address=server.address, patience_s=2)
    yield jobs
    await jobs.close()


async def counted(jobs: BigQueryJobs, location: str = "EU") -> list[str | None]:
    found = jobs.rows(COUNT, {}, location=location, most_bytes=MOST_BYTES)
    return [value async for row in found for value in row]


def refused(status: int, reason: str) -> Said:
    return Said(status, {"error": {"message": reason, "errors": [{"reason": reason}]}})


@pytest.mark.parametrize(
    "said",
    [
        refused(503, "backendError"),
        refused(403, "rateLimitExceeded"),
        refused(429, "jobRateLimitExceeded"),
        Said(502, b"<html>a proxy in between"),
    ],
    ids=lambda said: said.status,
)
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_what_passes_is_asked_for_again(
    server: BigQueryServer, jobs: BigQueryJobs, said: Said, method: str
) -> None:
    server.troubles.append(Trouble(method, said, times=2))
    assert await counted(jobs) == ["2"]


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_lost_answer_is_asked_for_again_and_no_query_runs_twice(
    server: BigQueryServer, jobs: BigQueryJobs, method: str
) -> None:
    server.troubles.append(Trouble(method))
    assert await counted(jobs) == ["2"]
    assert len(server.statements) == 1


@pytest.mark.parametrize("reason", ["accessDenied", "quotaExceeded", "invalidQuery"])
async def test_what_does_not_pass_is_not_repeated(
    server: BigQueryServer, jobs: BigQueryJobs, reason: str
) -> None:
    server.troubles.append(Trouble("POST", refused(403, reason)))
    with pytest.raises(BigQueryError, match=reason):
        await counted(jobs)
    assert len(server.asked) == 1


async def test_a_job_that_bigquery_broke_runs_again_under_another_name(
    server: BigQueryServer, jobs: BigQueryJobs
) -> None:
    server.broken += ["jobBackendError", "jobInternalError"]
    assert await counted(jobs) == ["2"]
    server.broken += ["jobBackendError"] * 3
    with pytest.raises(BigQueryError, match="internal error"):
        await counted(jobs)
    assert (len(server.jobs), server.broken) == (6, [])


async def test_a_job_that_takes_its_time_is_waited_for(
    server: BigQueryServer, jobs: BigQueryJobs
) -> None:
    server.polls = 5
    assert await counted(jobs) == ["2"]


async def test_a_job_is_found_in_its_location_alone(jobs: BigQueryJobs) -> None:
    with pytest.raises(BigQueryError, match="in location US"):
        await counted(jobs, "US")


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"rows": 7}', b"{"])
async def test_an_answer_that_is_none_is_an_error(
    server: BigQueryServer, jobs: BigQueryJobs, body: bytes
) -> None:
    server.troubles.append(Trouble("GET", Said(200, body)))
    with pytest.raises(BigQueryError, match="cannot be read"):
        await counted(jobs)


async def test_nobody_at_the_address_is_said_so() -> None:
    jobs = BigQueryJobs("acme-1", address=f"http://127.0.0.1:{free_port()}", patience_s=0.1)
    with pytest.raises(BigQueryError, match="no answer"):
        await counted(jobs)
    await jobs.close()


@pytest.mark.parametrize("given", ["127.0.0.1:9050", "http://127.0.0.1:9050"])
def test_an_emulator_is_named_as_other_emulators_or_as_for_googles_client(given: str) -> None:
    assert address_of(given) == "http://127.0.0.1:9050"


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="BIGQUERY_EMULATOR_HOST"):
        address_of("file:///etc/passwd")


# --- tokens ------------------------------------------------------------------------------


class TokenServer(HTTPServer):
    """Gives service accounts a new token each time; ``refuses`` says that it does not."""

    given = 0
    refuses = False


@contextmanager
def token_server() -> Iterator[TokenServer]:
    class Handler(BaseHTTPRequestHandler):
        server: TokenServer

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.server.given += 1
            said = {"access_token": f"token-{self.server.given}", "expires_in": 3600}
            body = json.dumps({"error": "invalid_grant"} if self.server.refuses else said).encode()
            self.send_response(400 if self.server.refuses else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a test is quiet."""

    with TokenServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    """The credentials of the environment are a service account's, whose tokens it gives."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    with token_server() as server:
        account = {
            "type": "service_account",
            "client_email": "ada@acme-1.iam.gserviceaccount.com",
            "private_key": key.private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ).decode(),
            "token_uri": f"http://127.0.0.1:{server.server_port}/token",
        }
        path = tmp_path / "account.json"
        path.write_text(json.dumps(account))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        yield server


@pytest.mark.slow
async def test_a_token_serves_many_requests_and_is_renewed_when_it_is_refused(
    server: BigQueryServer, tokens: TokenServer
) -> None:
    jobs = BigQueryJobs("acme-1", address=server.address, tokens=AccessTokens(), patience_s=2)
    server.token = "token-1"
    assert await counted(jobs) == await counted(jobs) == ["2"]
    assert tokens.given == 1
    server.token = "token-2"  # as if Google had ended the first
    assert await counted(jobs) == ["2"]
    server.token = "never"
    with pytest.raises(BigQueryError, match="Invalid Credentials"):
        await counted(jobs)
    assert tokens.given == 3
    await jobs.close()


@pytest.mark.slow
async def test_refused_credentials_are_a_persons_to_mend(
    server: BigQueryServer, tokens: TokenServer
) -> None:
    tokens.refuses = True
    jobs = BigQueryJobs("acme-1", address=server.address, tokens=AccessTokens(), patience_s=2)
    with pytest.raises(ConfigurationError, match="gcloud auth application-default login"):
        await counted(jobs)
    await jobs.close()
