import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.domain.errors import Reason, RejectedError
from warmlead.web.push import PushRequest, parse_push

# After Google's documentation of push requests; values invented.
PRODUCTION: dict[str, Any] = {
    "deliveryAttempt": 5,
    "message": {
        "attributes": {"type": "mql"},
        "data": base64.b64encode(b'{"a": 1}').decode(),
        "messageId": "2070443601311540",
        "message_id": "2070443601311540",
        "orderingKey": "",
        "publishTime": "2026-02-26T19:13:55.749Z",
        "publish_time": "2026-02-26T19:13:55.749Z",
    },
    "subscription": "projects/p/subscriptions/score",
}


def push(**changes: object) -> bytes:
    message = {**PRODUCTION["message"], **changes}
    return json.dumps({**PRODUCTION, "message": message}).encode()


def test_production_pushes() -> None:
    assert parse_push(push()) == PushRequest(
        message_id="2070443601311540",
        attributes={"type": "mql"},
        data=b'{"a": 1}',
    )


def test_the_emulator_pushes_less() -> None:
    body = {"message": {"message_id": "1", "publish_time": "2026-02-26T19:13:55Z", "data": "YQ=="}}

    found = parse_push(json.dumps(body).encode())

    assert (found.message_id, found.data, found.attributes) == ("1", b"a", {})


def test_unused_fields_of_a_push_may_hold_anything() -> None:
    message = {**PRODUCTION["message"], "publishTime": "x", "publish_time": 5}
    body = {"message": message, "deliveryAttempt": "5", "subscription": 5}

    assert parse_push(json.dumps(body).encode()) == parse_push(push())


def test_attributes_alone_are_a_message() -> None:
    assert parse_push(push(data=None)).data == b""


@pytest.mark.parametrize(
    "body",
    [
        *(b"[]", b"1", b"{}", b'{"message": 1}', b'{"message": {}}'),
        *(push(messageId=None, message_id=None), push(messageId=5, message_id=5)),
        *(push(data="%%%"), push(data="YQ"), push(data=5), push(data="ä")),
        *(push(attributes=[1]), push(attributes={"a": 1})),
    ],
)
def test_anything_else_is_no_push(body: bytes) -> None:
    with pytest.raises(RejectedError) as refusal:
        parse_push(body)

    assert refusal.value.reason is Reason.MESSAGE_INVALID


values = st.none() | st.integers() | st.text(max_size=9) | st.lists(st.none())


@given(st.dictionaries(st.sampled_from(list(PRODUCTION["message"])), values))
def test_arbitrary_input_raises_only_rejections(changes: dict[str, object]) -> None:
    try:
        parse_push(push(**changes))
    except RejectedError:
        return
