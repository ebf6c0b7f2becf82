"""What docs/aws.md tells the reader to do in AWS is done, at moto's server, and then it works."""

import json
import re
import shlex
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from botocore import xform_name

from aws_desk import KINDS, Made, outgoing
from aws_server import REGION, Aws, MetadataServer
from e2e.documented import ROOT, blocks_of, commands_of
from warmlead.destinations.registry import destinations_in
from warmlead.domain.dispatch import Sent
from warmlead.ports.dispatching import Destination
from warmlead.settings import Settings

GUIDE = ROOT / "docs/aws.md"
TOOLS = ("eventbridge", "sns", "sqs")


def documented_files() -> dict[str, str]:
    """The JSON files of the guide, by the names that it gives them."""
    text = GUIDE.read_text(encoding="utf-8")
    found = re.findall(r"`(\w+\.json)`[^\n]*\n\n```json\n(.*?)```", text, re.DOTALL)
    return dict(found)


def run(command: str, aws: Aws, files: dict[str, str]) -> Any:
    """Does what a command of AWS's CLI does: each option is a parameter of the operation."""
    program, service, operation, *words = shlex.split(command)
    assert program == "aws"
    client = aws.client(service)
    method = operation.replace("-", "_")
    name = client.meta.method_to_api_mapping[method]
    members = client.meta.service_model.operation_model(name).input_shape.members
    known = {f"--{xform_name(each, '-')}": each for each in members}
    options = dict(zip(words[::2], words[1::2], strict=True))
    assert options.pop("--region", REGION) == REGION
    for option, value in options.items():
        if value.startswith("file://"):
            options[option] = files[value.removeprefix("file://")]
    return getattr(client, method)(**{known[each]: value for each, value in options.items()})


def section_of(tool: str) -> dict[str, Any]:
    """The section in the README of a destination."""
    page = ROOT / "shared/warmlead/destinations" / tool / "README.md"
    (block,) = (each for each in blocks_of(page) if each.language == "yaml")
    (section,) = yaml.safe_load(block.text).values()
    assert isinstance(section, dict)
    return section


@pytest.mark.parametrize("tool", TOOLS)
def test_the_section_in_the_readme_is_good_in_production(tool: str) -> None:
    assert destinations_in({"x": section_of(tool)}, Settings(env="production"))


def test_the_sections_in_the_guide_are_good() -> None:
    sections = [each.text for each in blocks_of(GUIDE) if each.language == "yaml"]
    assert len(sections) == 2
    for text in sections:
        assert destinations_in(yaml.safe_load(text), Settings())


async def test_what_the_guide_makes_lets_every_destination_send(
    aws: Aws, made: Made, metadata_server: MetadataServer
) -> None:
    files = documented_files()
    commands = [
        command
        for block in blocks_of(GUIDE)
        if block.language == ""
        for command in commands_of(block)
        if command.startswith("aws ")
    ]
    for command in commands:
        run(command, aws, files)
    destinations = {tool: documented(tool, aws, made) for tool in TOOLS}
    now = datetime.now(UTC)
    for to in destinations.values():  # moto cannot check the call that gives the role
        assert isinstance(await to.send(outgoing(), now), Sent)
    aws.check_callers(check=True)
    assert isinstance(await destinations["sqs"].send(outgoing(KINDS[-1]), now), Sent)
    aws.check_callers(check=False)  # moto looks at resources of SQS only
    send = json.loads(files["send.json"])
    for action in (each["Action"] for each in send["Statement"]):
        aws.allow("/warmlead", action)
        tool = action.partition(":")[0].replace("events", "eventbridge")
        aws.check_callers(check=True)
        assert isinstance(await destinations[tool].send(outgoing(KINDS[-1]), now), Sent)
        aws.check_callers(check=False)
    equal = json.loads(files["trust.json"])["Statement"][0]["Condition"]["StringEquals"]
    assert metadata_server.asked_for == [equal["accounts.google.com:oaud"]] * 3
    assert equal["accounts.google.com:sub"] == equal["accounts.google.com:aud"]


def documented(tool: str, aws: Aws, made: Made) -> Destination:
    """The destination in a README, at moto's server."""
    section = {name: value for name, value in section_of(tool).items() if name != "to"}
    if tool == "sqs":
        there = f"https://sqs.{section['region']}.amazonaws.com"
        section["queue_url"] = section["queue_url"].replace(there, aws.endpoint)
    return made(tool, **section)


def test_terraform_makes_the_same_policies() -> None:
    (terraform,) = (each.text for each in blocks_of(GUIDE) if each.language == "hcl")
    files = {name: json.loads(text) for name, text in documented_files().items()}
    equal = files["trust.json"]["Statement"][0]["Condition"]["StringEquals"]
    assert set(re.findall(r'variable = "(.*)"', terraform)) == equal.keys()
    actions = {each["Action"] for file in files.values() for each in file["Statement"]}
    assert set(re.findall(r'actions += \["(.*)"\]', terraform)) == actions
    assert equal["accounts.google.com:oaud"] in terraform


def test_the_guides_policy_names_the_bus_topic_and_queue_of_the_readmes() -> None:
    bus, topic, queue = json.loads(documented_files()["send.json"])["Statement"]
    assert bus["Resource"].rpartition("/")[2] == section_of("eventbridge")["bus"]
    assert topic["Resource"] == section_of("sns")["topic_arn"]
    *_, account, name = section_of("sqs")["queue_url"].split("/")
    assert queue["Resource"] == f"arn:aws:sqs:{REGION}:{account}:{name}"


def test_every_readme_says_what_happens_on_repeats() -> None:
    for tool in TOOLS:
        text = (ROOT / "shared/warmlead/destinations" / tool / "README.md").read_text("utf-8")
        assert re.search(r"^This destination ", text, re.MULTILINE)
        assert "## Repeats" in text
