"""The recipe for Lambda: its rule is made at moto's server, and its handler gets what comes out."""

import json
from contextlib import suppress
from typing import Any

import pytest
import yaml

from aws_desk import Made, example, outgoing
from aws_server import Aws
from builders import NOW
from destinations.aws.test_documented import run
from e2e.documented import ROOT, blocks_of, code_of, commands_of
from receiver import Receiver
from warmlead.destinations.registry import destinations_in
from warmlead.domain.dispatch import Sent
from warmlead.settings import Settings

PAGE = ROOT / "docs/recipes/eventbridge-to-lambda.md"


def section() -> dict[str, Any]:
    (text,) = code_of(PAGE, "yaml")
    found: dict[str, Any] = yaml.safe_load(text)["automation"]
    return found


def handler(event: Any) -> Any:
    """What the recipe's handler returns for an event."""
    names: dict[str, Any] = {}
    (code,) = code_of(PAGE, "python")
    exec(compile(code, "lambda_function.py", "exec"), names)  # the page's own text
    return names["handler"](event, None)


def test_the_section_is_good_in_production() -> None:
    assert destinations_in({"automation": section()}, Settings(env="production"))


async def test_the_rule_starts_the_function_for_mqls_and_it_hands_them_on(
    aws: Aws, made: Made, queue: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = aws.client("events")
    settings = section()
    with suppress(events.exceptions.ResourceAlreadyExistsException):  # by another page's test
        events.create_event_bus(Name=settings["bus"])
    (pattern,) = code_of(PAGE, "json")
    commands = [
        command
        for block in blocks_of(PAGE)
        if block.language == ""
        for command in commands_of(block)
    ]
    rule, targets, permission = commands
    run(rule, aws, {"pattern.json": pattern})
    for named in ("Id=lambda,Arn=arn:aws:lambda:", "--event-bus-name warmlead", "--rule mqls"):
        assert named in targets
    assert "--principal events.amazonaws.com" in permission
    target = {"Id": "queue", "Arn": aws.queue_arn(queue)}  # moto starts no Lambda function
    events.put_targets(Rule="mqls", EventBusName=settings["bus"], Targets=[target])
    to = made("eventbridge", bus=settings["bus"], messages=settings["messages"])

    for stage in ("mql", "customer"):
        data = {**example()["data"], "stage": stage}
        assert isinstance(await to.send(outgoing(id=f"of-{stage}", data=data), NOW), Sent)
    (held,) = aws.held(queue)

    monkeypatch.setenv("TOOL", f"{receiver.url}/leads")
    monkeypatch.delenv("HTTP_PROXY")
    assert handler(json.loads(held["Body"])) == {"message_id": "of-mql"}
    (request,) = receiver.requests
    assert request.headers["idempotency-key"] == "of-mql"
    ours = example()["data"]
    assert json.loads(request.body) == {
        "email": ours["lead"]["email"],
        "stage": "mql",
        "score": ours["score"],
        "reasons": ours["reasons"],
    }
    receiver.answers = [503]
    with pytest.raises(OSError, match="503"):
        handler(json.loads(held["Body"]))
