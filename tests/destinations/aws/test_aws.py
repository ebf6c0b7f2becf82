"""The settings of destinations in AWS: every fault at once, each with what to do."""

from typing import Any

import pytest

from aws_server import ACCOUNT, REGION
from warmlead.destinations.aws import AUDIENCE
from warmlead.destinations.registry import destinations_in
from warmlead.domain.errors import ConfigurationError
from warmlead.settings import Settings

ROLE = f"arn:aws:iam::{ACCOUNT}:role/teams/warmlead"
TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:warmlead"
QUEUE_URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/warmlead"

GOOD: dict[str, dict[str, Any]] = {
    "eventbridge": {"bus": "warmlead"},
    "sns": {"topic_arn": TOPIC_ARN},
    "sqs": {"queue_url": QUEUE_URL},
}


def faults(tool: str, *, production: bool = False, **changed: Any) -> list[str]:
    """What is wrong with a good section of which some settings are changed."""
    section = {"to": tool, "region": REGION, "role": ROLE, **GOOD[tool], **changed}
    given = {name: value for name, value in section.items() if value is not None}
    using = Settings(env="production" if production else "development")
    try:
        destinations_in({"x": given}, using)
    except ConfigurationError as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize("tool", GOOD)
def test_good_settings_are_good_in_production(tool: str) -> None:
    assert faults(tool, production=True) == []


@pytest.mark.parametrize("tool", GOOD)
def test_every_fault_is_told_at_once(tool: str) -> None:
    (place,) = GOOD[tool]
    wrong: dict[str, Any] = {
        "region": "Frankfurt",
        "role": "warmlead",
        "audience": "a b",
        place: "x y",
    }
    found = faults(tool, endpoint="http://localhost:5000", color="red", messages=["nope"], **wrong)
    for name in (*wrong, "endpoint", "color"):
        assert any(fault.startswith(f"x.{name}: ") for fault in found), name


@pytest.mark.parametrize("tool", GOOD)
def test_production_has_a_role_and_nothing_of_ones_own_machine(tool: str) -> None:
    local: dict[str, Any] = {"endpoint": "http://localhost:5000", "allow_local": True, "role": None}
    if tool == "sqs":
        local["queue_url"] = f"http://localhost:5000/{ACCOUNT}/warmlead"
    assert faults(tool, **local) == []
    found = faults(tool, production=True, **local)
    assert {fault.split(": ")[0] for fault in found} == {"x.allow_local", "x.endpoint", "x.role"}


@pytest.mark.parametrize(
    ("tool", "changed", "fault"),
    [
        ("sns", {"region": "us-east-1"}, f"x.topic_arn: is in {REGION}, but region is us-east-1"),
        ("sqs", {"region": "us-east-1"}, f"x.queue_url: is in {REGION}, but region is us-east-1"),
        (
            "eventbridge",
            {"bus": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/warmlead"},
            f"x.bus: is in us-east-1, but region is {REGION}",
        ),
        ("sns", {"topic_arn": QUEUE_URL}, "x.topic_arn: must be the ARN of a topic"),
        ("sns", {"topic_arn": f"{TOPIC_ARN}:sub"}, "x.topic_arn: must be the ARN of a topic"),
        ("eventbridge", {"bus": TOPIC_ARN}, "x.bus: must be the ARN of a bus"),
        ("eventbridge", {"bus": ""}, "x.bus: must be the name or the ARN of an event bus"),
        ("eventbridge", {"bus": "aws.partner/x"}, "x.bus: must be the name or the ARN of an event"),
        ("eventbridge", {"region": None}, "x.region: is missing"),
        ("sqs", {"queue_url": None}, "x.queue_url: is missing"),
        (
            "sqs",
            {"endpoint": "http://localhost:5000", "allow_local": True},
            "x.queue_url: must be a queue at http://localhost:5000",
        ),
    ],
)
def test_a_wrong_place_is_one_fault(tool: str, changed: dict[str, Any], fault: str) -> None:
    (found,) = faults(tool, **changed)
    assert found.startswith(fault)


@pytest.mark.parametrize(
    "url",
    [
        f"http://sqs.{REGION}.amazonaws.com/{ACCOUNT}/warmlead",
        f"https://sqs.{REGION}.amazonaws.com.example.com/{ACCOUNT}/warmlead",
        f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/warmlead?x=1",
        f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/../x",
        "https://queue.amazonaws.com/warmlead",
    ],
)
def test_a_queue_is_at_awss_own_address(url: str) -> None:
    (found,) = faults("sqs", queue_url=url)
    assert found.startswith("x.queue_url: must be the URL of a queue, such as https://sqs.")


@pytest.mark.parametrize(
    "endpoint", ["http://localhost.example.com", "https://example.com", "ftp://localhost", "x"]
)
def test_only_this_machine_stands_in_for_aws(endpoint: str) -> None:
    (found,) = faults("sns", endpoint=endpoint, allow_local=True)
    assert found.startswith("x.endpoint: must be on this machine")


def test_regions_and_roles_of_all_partitions_are_known() -> None:
    for region, partition in (
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-north-1", "aws-cn"),
        ("eusc-de-east-1", "aws-eusc"),
        ("ap-southeast-5", "aws"),
    ):
        place = f"arn:{partition}:sns:{region}:{ACCOUNT}:warmlead.fifo"
        role = f"arn:{partition}:iam::{ACCOUNT}:role/warmlead"
        assert faults("sns", region=region, role=role, topic_arn=place) == []


def test_the_audience_is_awss_own_unless_one_is_named() -> None:
    assert AUDIENCE == "sts.amazonaws.com"
    assert faults("sns", audience="https://aws.example.com/x") == []
