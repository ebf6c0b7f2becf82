"""AWS on loopback: moto's server, behind a relay that can fail as AWS and networks do.

Beside it is Google's metadata server, as https://docs.cloud.google.com/compute/docs/metadata and
https://docs.cloud.google.com/docs/authentication/get-id-token document it.
"""

import json
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

from patience import PATIENCE_S

REGION = "eu-central-1"
ACCOUNT = "123456789012"

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": "accounts.google.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
        }
    ],
}

LOST = "lost"
"""The request is carried out, and the connection breaks before the answer."""

HANGS = "hangs"
"""The request is carried out, and nothing answers."""


class Aws:
    """AWS at ``endpoint``; ``plan`` is what happens to the next requests that send messages.

    An element is ``LOST``, ``HANGS``, or an answer that is given instead: status, headers, body.
    ``roles_plan`` is the same for requests for a role, of which ``roles_given`` are answered.
    ``agents`` are who asked.
    """

    def __init__(self, moto: tuple[str, int]) -> None:
        self.endpoint = ""
        self.plan: deque[str | tuple[int, Mapping[str, str], str]] = deque()
        self.roles_plan: deque[str | tuple[int, Mapping[str, str], str]] = deque()
        self.roles_given = 0
        self.agents: set[str] = set()
        self.may_end = threading.Event()
        self._moto = moto

    def client(self, service: str) -> Any:
        """A client of the test's own, straight to moto."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url="http://{}:{}".format(*self._moto),
            aws_access_key_id="of-the-test",
            aws_secret_access_key="of-the-test",
            config=Config(proxies={}),
        )

    def queue(self, name: str, **attributes: str) -> str:
        """A new queue's URL, at the endpoint."""
        if name.endswith(".fifo"):
            attributes["FifoQueue"] = "true"
        url = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return f"{self.endpoint}{urlsplit(url).path}"

    def queue_arn(self, url: str) -> str:
        """The ARN of a queue."""
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}"

    def held(self, url: str) -> list[dict[str, Any]]:
        """All messages in a queue, with their attributes; it is empty afterwards."""
        sqs, found = self.client("sqs"), []
        asking = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
        asking |= {"QueueUrl": url, "MessageSystemAttributeNames": ["All"]}
        while got := sqs.receive_message(**asking).get("Messages"):
            found += got
            for each in got:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return found

    def role(self) -> str:
        """The ARN of a new role, which Google's service accounts may assume."""
        name = f"warmlead-{uuid.uuid4().hex}"
        trust = json.dumps(TRUST)
        made = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        arn: str = made["Role"]["Arn"]
        return arn

    def allow(self, role: str, action: str) -> None:
        """Adds a policy to a role."""
        policy = {"Effect": "Allow", "Action": action, "Resource": "*"}
        self.client("iam").put_role_policy(
            RoleName=role.rpartition("/")[2],
            PolicyName="send",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [policy]}),
        )

    def check_callers(self, *, check: bool) -> None:
        """Whether the credentials and policies of those who call are checked from now on."""
        asked = HTTPConnection(*self._moto)
        asked.request("POST", "/moto-api/reset-auth", body=b"0" if check else b"inf")
        assert asked.getresponse().read()
        asked.close()

    def answered(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Any, bytes]:
        """Moto's answer to a request."""
        if b"AssumeRoleWithWebIdentity" in body:
            self.roles_given += 1
        asked = HTTPConnection(*self._moto, timeout=PATIENCE_S)
        try:
            asked.request(request.command, request.path, body, dict(request.headers.items()))
            answer = asked.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            asked.close()


@contextmanager
def serving(handle: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    """The address of a server whose every request is handled so."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with suppress(ConnectionError):  # who asks waits no longer
                handle(self, body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Nothing: a test is quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def answer(
    request: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Answers with all of the body."""
    request.send_response_only(status)
    for name, value in headers.items():
        if name.lower() not in ("content-length", "connection", "transfer-encoding"):
            request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


@contextmanager
def running_moto() -> Iterator[tuple[str, int]]:
    """Moto's server: host and port."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield server.get_host_and_port()
    finally:
        server.stop()


@contextmanager
def an_aws(moto: tuple[str, int]) -> Iterator[Aws]:
    """AWS behind its relay."""
    aws = Aws(moto)

    def relay(request: BaseHTTPRequestHandler, body: bytes) -> None:
        aws.agents.add(request.headers.get("User-Agent", ""))
        plan = aws.roles_plan if b"AssumeRoleWithWebIdentity" in body else aws.plan
        happens = plan.popleft() if plan else ""
        if isinstance(happens, tuple):
            status, headers, text = happens
            return answer(request, status, headers, text.encode())
        status, found, said = aws.answered(request, body)
        if happens == HANGS:
            aws.may_end.wait(PATIENCE_S)
        if not happens:
            answer(request, status, dict(found), said)
        return None

    with serving(relay) as address:
        aws.endpoint = f"http://{address}"
        try:
            yield aws
        finally:
            aws.may_end.set()
            aws.check_callers(check=False)


class MetadataServer:
    """Google's metadata server; ``broken`` is a status that it answers instead."""

    def __init__(self) -> None:
        self.host = ""
        self.broken = 0
        self.asked_for: list[str] = []


@contextmanager
def a_metadata_server() -> Iterator[MetadataServer]:
    """It gives tokens to who shows that he knows where he asks."""
    server = MetadataServer()

    def handle(request: BaseHTTPRequestHandler, _: bytes) -> None:
        url = urlsplit(request.path)
        audience = parse_qs(url.query).get("audience", [""])[0]
        flavor = {"Metadata-Flavor": "Google"}
        if request.headers.get("Metadata-Flavor") != "Google":
            return answer(request, 403, flavor, b"Missing Metadata-Flavor:Google header.")
        if url.path != "/computeMetadata/v1/instance/service-accounts/default/identity":
            return answer(request, 404, flavor, b"not found")
        if server.broken or not audience:
            return answer(request, server.broken or 400, flavor, b"no")
        server.asked_for.append(audience)
        claims = json.dumps({"aud": audience, "sub": "1", "n": len(server.asked_for)})
        return answer(request, 200, flavor, f"e30.{claims.encode().hex()}.c2ln".encode())

    with serving(handle) as host:
        server.host = host
        yield server
