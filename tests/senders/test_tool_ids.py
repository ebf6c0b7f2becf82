"""Nobody takes by whom a tool knows its visitors: many of these ids are numbers."""

import json

import pytest

from senders.configured import FIXTURES, sender_of
from senders.test_conformance import SENDERS, fixture
from warmlead.domain.event import CRM_ID, Trust
from warmlead.ports import RawRequest, Translation


def told(sender: str, path: str, body: object, trust: Trust) -> Translation:
    """What a sender reads in a request of JSON."""
    _, like, _ = fixture(next(one for one in FIXTURES if sender_of(one) == "typeform"))
    content = json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = RawRequest("POST", path, "", headers, content, like.received_at, "request")
    return SENDERS[sender].translate(request, trust)


STATED = sorted(
    {
        (sender_of(path), event["anonymous_id"])
        for path in FIXTURES
        for event in json.loads(path.read_text())["expected"]
        if ":" in event.get("anonymous_id", "")
    }
)
"""The ids that tools state, each by its sender."""


def test_the_name_of_its_sender_stands_before_an_id_that_a_tool_has_made() -> None:
    assert len({sender for sender, _ in STATED}) > 10
    named = [id_ for sender, id_ in STATED if not id_.startswith((f"{sender}:", CRM_ID))]
    assert named == []


@pytest.mark.parametrize("id_", sorted({id_ for _, id_ in STATED}))
@pytest.mark.parametrize(
    ("sender", "path", "body"),
    [
        ("generic", "/generic/contact", {"email": "eve@example.net"}),
        ("segment", "/v1/identify", {"type": "identify", "traits": {"email": "eve@example.net"}}),
    ],
)
def test_only_a_signed_event_names_another_tools_id(
    id_: str, sender: str, path: str, body: dict[str, object]
) -> None:
    named = {**body, "anonymousId" if sender == "segment" else "anonymous_id": id_}

    (_, public), *_ = told(sender, path, named, Trust.PUBLIC).events
    (_, signed), *_ = told(sender, path, named, Trust.SIGNED).events

    assert (public.email, public.anonymous_id) == ("eve@example.net", None)
    assert any("identity_invalid" in note for note in public.notes)
    assert signed.anonymous_id == id_
