import json

import pytest

from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.web.answers import STATUS, answer_error


def test_every_reason_has_a_status() -> None:
    assert set(STATUS) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_a_rejection_is_a_4xx_with_exactly_code_and_message(reason: Reason) -> None:
    answer = answer_error(RejectedError(reason, "Change this."))

    assert 400 <= answer.status < 500
    assert json.loads(answer.body) == {"code": str(reason), "message": "Change this."}
    assert answer.content_type == "application/json"


def test_unavailable_says_when_to_come_back() -> None:
    answer = answer_error(UnavailableError("disk of ada@example.com full", retry_after_s=7))

    assert answer.status == 503
    assert answer.headers == {"Retry-After": "7"}
    assert set(json.loads(answer.body)) == {"code", "message"}
    assert b"ada" not in answer.body


def test_our_own_faults_are_500_without_detail() -> None:
    answer = answer_error(KeyError("ada@example.com"))

    assert answer.status == 500
    assert b"ada" not in answer.body
    assert b"KeyError" not in answer.body


def test_a_body_that_was_not_read_closes_the_connection() -> None:
    for reason in (Reason.BODY_TOO_LARGE, Reason.BODY_TIMEOUT):
        assert answer_error(RejectedError(reason, "")).headers["Connection"] == "close"
