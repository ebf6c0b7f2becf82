"""AWS on loopback, destinations in it, and the queue of dispatches before them."""

import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_desk import Desk, Topic
from aws_server import REGION, Aws, MetadataServer, a_metadata_server, an_aws, running_moto
from warmlead.destinations.registry import destinations_in
from warmlead.ports.dispatching import Destination, Outbound
from warmlead.settings import Settings
from warmlead.sqlite_file import SqliteFile


@pytest.fixture(scope="session")
def moto() -> Iterator[tuple[str, int]]:
    with running_moto() as running:
        yield running


@pytest.fixture
def aws(moto: tuple[str, int]) -> Iterator[Aws]:
    with an_aws(moto) as running:
        yield running


@pytest.fixture
def metadata_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MetadataServer]:
    with a_metadata_server() as server:
        monkeypatch.setenv("GCE_METADATA_HOST", server.host)
        yield server


@pytest.fixture(autouse=True)
def _this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with credentials of its own, and a proxy that nobody may use."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "of-this-machine"),
        ("AWS_SECRET_ACCESS_KEY", "of-this-machine"),
        ("AWS_CONFIG_FILE", str(tmp_path / "none")),
        ("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none")),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_MAX_ATTEMPTS", "5"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
    ):
        monkeypatch.setenv(name, value)


@pytest.fixture
def made(aws: Aws) -> Callable[..., Destination]:
    """Makes a destination at this AWS of a section of the file."""

    def make(to: str, outbound: Outbound | None = None, **section: Any) -> Destination:
        local = {"endpoint": aws.endpoint, "allow_local": True, "region": REGION}
        return destinations_in({to: {"to": to, **local, **section}}, Settings(), outbound)[to]

    return make


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with SqliteFile(tmp_path / "warmlead.sqlite3") as file:
        desk = Desk(file)
        yield desk
        assert desk.failed == []


@pytest.fixture
def queue(aws: Aws) -> str:
    """The URL of a new queue."""
    return aws.queue(uuid.uuid4().hex)


@pytest.fixture
def fifo(aws: Aws) -> str:
    """The URL of a new FIFO queue."""
    return aws.queue(f"{uuid.uuid4().hex}.fifo")


@pytest.fixture
def topic(aws: Aws) -> Topic:
    def make(queue: str, policy: dict[str, Any] | None = None) -> str:
        sns, name = aws.client("sns"), uuid.uuid4().hex
        is_fifo = queue.endswith(".fifo")
        attributes = {"FifoTopic": "true"} if is_fifo else {}
        name += ".fifo" if is_fifo else ""
        arn: str = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        how = {"RawMessageDelivery": "true"}
        if policy:
            how["FilterPolicy"] = json.dumps(policy)
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=aws.queue_arn(queue), Attributes=how)
        return arn

    return make
