"""What CRMs and people say of a lead, oddly, against a running server: a clear answer each."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from e2e.odd_statements import (
    CANARY,
    CLIENT_SECRET,
    PASSWORD,
    SALES,
    TOKEN,
    Row,
    change,
    generic,
    hubspot,
    pipedrive,
    rows,
    said,
    webhook,
)
from patience import until
from served import Served, serving

pytestmark = pytest.mark.xdist_group("odd statements")  # they share one server

NAMES = [row.name for row in rows()]


@dataclass(frozen=True)
class Asked:
    """What came of all rows, and what was left of the server."""

    rows: Mapping[str, Row]
    answers: Mapping[str, tuple[int, bytes]]
    log: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("sales")
    (folder / "sales.json").write_text(json.dumps(SALES))
    with serving(folder / "data", WARMLEAD_SALES=str(folder / "sales.json")) as served:
        yield served


@pytest.fixture(scope="module")
def asked(served: Served) -> Asked:
    made = rows()
    answers = {row.name: served.post(row.path, row.body, row.headers) for row in made}
    (log,) = served.data.parent.glob("serve-*.log")
    return Asked({row.name: row for row in made}, answers, log.read_text())


def test_the_rows_have_unique_names() -> None:
    assert len(NAMES) > 80
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_body_has_a_clear_answer(name: str, asked: Asked) -> None:
    row = asked.rows[name]
    status, body = asked.answers[name]
    assert status == row.status, body
    assert CANARY.encode() not in body
    if body.startswith(b"<?xml"):
        _is_soap(row, body)
    elif status >= 400:
        assert json.loads(body)["code"] == row.code
        assert json.loads(body)["message"]
    elif status < 400:
        told = json.loads(body)
        codes = [item["code"] for part in ("refused", "ignored") for item in told.get(part, [])]
        assert codes == [row.code] * bool(row.code)


def _is_soap(row: Row, body: bytes) -> None:
    text = body.decode()
    assert row.name.startswith("salesforce: ")
    if row.status < 400:
        assert "<Ack>true</Ack>" in text
    else:
        assert "soapenv:Fault" in text
        assert f'"code": "{row.code}"' in text.replace("&quot;", '"')


def test_neither_secrets_nor_people_are_in_the_log(asked: Asked) -> None:
    for secret in (CANARY, CLIENT_SECRET, TOKEN, PASSWORD):
        assert secret not in asked.log
    assert "Traceback" not in asked.log
    assert not re.search(r"\bERROR\b|status=5", asked.log)


def test_what_a_crm_cannot_mend_is_in_quarantine_and_what_it_can_is_not(
    served: Served, asked: Asked
) -> None:
    assert asked.answers
    entries = served.json("quarantine", "list")
    kept = {(entry["source"], entry["reason"]) for entry in entries}
    assert ("pipedrive", "value_invalid") in kept
    assert ("hubspot", "account_unknown") in kept
    assert ("salesforce", "email_invalid") in kept
    assert {reason for source, reason in kept if source == "sales"} == {"said_unknown"}


def test_a_statement_of_nobody_whom_we_know_makes_the_lead(served: Served) -> None:
    _post(served, generic("won", said(email="new@example.com", id="new-1"), 200))
    lead = until(lambda: served.lead("new@example.com"))
    assert lead["stage"] == "customer"


def test_records_become_a_person_when_the_crm_says_whose_they_are(served: Served) -> None:
    person = {"id": 9, "emails": [{"value": "deal@example.com", "primary": True}]}
    won = webhook({"id": 90, "person_id": 9}, id="a")
    known = {"meta": webhook(id="b", entity="person", action="create")["meta"], "data": person}
    _post(served, pipedrive("won before it is known whose", won, 200))
    _post(served, pipedrive("whose it is", known, 200))
    lead = until(lambda: served.lead("deal@example.com"))
    until(lambda: (served.lead("deal@example.com") or lead)["stage"] == "customer")


def test_a_deal_of_hubspot_is_its_contacts(served: Served) -> None:
    tie = {"objectId": None, "propertyName": "", "subscriptionType": "deal.associationChange"}
    ends = {"fromObjectId": 77, "toObjectId": 78, "associationType": "DEAL_TO_CONTACT"}
    batch: list[dict[str, Any]] = [
        change(
            subscriptionType="deal.propertyChange",
            objectId=77,
            propertyName="dealstage",
            propertyValue="closedwon",
        ),
        change(**tie, **ends),
        change(objectId=78, propertyName="email", propertyValue="hub@example.com"),
    ]
    _post(served, hubspot("out of order", list(reversed(batch)), 200))
    until(lambda: (served.lead("hub@example.com") or {"stage": ""})["stage"] == "customer")


def _post(served: Served, row: Row) -> None:
    status, body = served.post(row.path, row.body, row.headers)
    assert status == row.status, body
    assert b"refused" not in body
