"""Somebody who holds nothing but the public write key, and knows whom they want to harm."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from e2e.ledger import drain
from served import Served, serving

SECRET = "the client secret of the tests"
SALES = {
    "hubspot": {
        "secrets": [SECRET],
        "url": "https://warmlead.example/sales/hubspot",
        "portals": [4711],
        "stages": {"dealstage": {"closedwon": "won"}},
    }
}
LONG_AGO = "2025-01-02T03:04:05Z"
numbers = count(1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("stranger")
    (folder / "sales.json").write_text(json.dumps(SALES))
    sales = str(folder / "sales.json")
    keys = "public,server:signed"
    with serving(folder / "data", WARMLEAD_WRITE_KEYS=keys, WARMLEAD_SALES=sales) as served:
        yield served


def says(site: Served, key: str, *calls: dict[str, Any]) -> None:
    batch = [{"type": "identify", "messageId": f"m-{next(numbers)}", **call} for call in calls]
    status, answer = site.post("/v1/batch", json.dumps({"batch": batch, "writeKey": key}).encode())
    assert (status, answer) == (200, b'{"success": true}')


def stranger(site: Served, *calls: dict[str, Any]) -> None:
    says(site, "public", *calls)


def server(site: Served, *calls: dict[str, Any]) -> None:
    says(site, "server", *calls)


def lead(site: Served, who: str) -> dict[str, Any]:
    drain(site)
    found = site.lead(who)
    assert found is not None, who
    return found


def crm(site: Served, **change: Any) -> dict[str, Any]:
    """A change that HubSpot tells; what it is answered."""
    now_ms = int(time.time() * 1000)
    given = {"portalId": 4711, "occurredAt": now_ms, "eventId": next(numbers), "subscriptionId": 1}
    body = json.dumps([{**given, **change}]).encode()
    signed = f"POST{SALES['hubspot']['url']}".encode() + body + str(now_ms).encode()
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    headers = {
        "X-HubSpot-Signature-v3": base64.b64encode(digest).decode(),
        "X-HubSpot-Request-Timestamp": str(now_ms),
        "Content-Type": "application/json",
    }
    status, answer = site.post("/sales/hubspot", body, headers)
    assert status == 200, answer
    told: dict[str, Any] = json.loads(answer)
    return told


def victim(site: Served, name: str) -> str:
    """Somebody of whom the site's server has told, and their own browser after it."""
    user_id = f"user-{name}"
    facts = {"name": name.title(), "phone": "+49 30 1", "company": "Acme"}
    server(site, {"userId": user_id, "traits": facts})
    server(site, {"type": "track", "event": "Demo Requested", "userId": user_id})
    stranger(site, {"userId": user_id, "traits": {"email": f"{name}@example.com"}})
    return user_id


def test_a_backdated_claim_takes_neither_name_nor_history(site: Served) -> None:
    user_id = victim(site, "ada")
    before = lead(site, user_id)
    eve = {"email": "eve-ada@example.com"}
    stranger(site, {"userId": user_id, "traits": eve, "timestamp": LONG_AGO})
    stranger(site, {"userId": user_id, "traits": eve, "originalTimestamp": LONG_AGO})
    assert {**lead(site, user_id), "as_of": ""} == {**before, "as_of": ""}
    assert before["traits"]["name"] == "Ada"
    assert before["events"]["demo_requested"] == 1
    taken = lead(site, "eve-ada@example.com")
    assert taken["traits"].keys() <= {"email", "email_domain", "free_mailbox"}
    assert taken["events"] == {"identified": 2}


def test_a_signed_server_undoes_an_earlier_public_claim(site: Served) -> None:
    stranger(site, {"userId": "user-bob", "traits": {"email": "eve-bob@example.com"}})
    stranger(site, {"type": "page", "userId": "user-bob"})
    assert lead(site, "user-bob")["id"] == lead(site, "eve-bob@example.com")["id"]
    user_id = victim(site, "bob")
    found = lead(site, user_id)
    assert found["id"] != lead(site, "eve-bob@example.com")["id"]
    assert found["traits"]["name"] == "Bob"
    assert "name" not in lead(site, "eve-bob@example.com")["traits"]
    server(site, {"userId": user_id, "traits": {"email": "bob@example.com"}})
    assert lead(site, user_id)["email"] == "bob@example.com"
    assert lead(site, user_id)["traits"]["name"] == "Bob"


def test_neither_aliases_nor_groups_nor_browsers_move_signed_identities(site: Served) -> None:
    user_id = victim(site, "cyn")
    server(site, {"type": "track", "event": "Login", "userId": user_id, "anonymousId": "b-cyn"})
    before = lead(site, user_id)
    eve = {"traits": {"email": "eve-cyn@example.com"}, "timestamp": LONG_AGO}
    stranger(
        site,
        {"type": "alias", "userId": "user-eve", "previousId": user_id},
        {"type": "alias", "userId": user_id, "previousId": "user-eve"},
        {"type": "alias", "userId": "user-eve", "previousId": "b-cyn"},
        {"anonymousId": "b-cyn", **eve},
        {"anonymousId": user_id, **eve},
        {"userId": "user-eve", "anonymousId": "b-cyn", **eve},
        {"type": "group", "userId": "user-eve", "groupId": "g", "anonymousId": "b-cyn"},
    )
    after = lead(site, user_id)
    assert (after["id"], after["traits"]) == (before["id"], before["traits"])
    assert lead(site, "b-cyn")["id"] == after["id"]
    assert "name" not in lead(site, "eve-cyn@example.com")["traits"]


def test_no_ids_of_a_crm_and_no_merges_are_taken_from_a_stranger(site: Served) -> None:
    call = {"type": "alias", "userId": "crm:hubspot:4711:contact:1", "previousId": "b-1"}
    body = json.dumps({"batch": [call], "writeKey": "public"}).encode()
    status, answer = site.post("/v1/batch", body)
    assert status == 400 or json.loads(answer)["refused"][0]["code"] == "identity_invalid"
    assert b"identity_invalid" in answer


def test_a_flood_of_browsers_leaves_room_for_what_the_crm_ties(site: Served) -> None:
    address = "dan@example.com"
    for start in range(0, 250, 50):
        stranger(
            site,
            *(
                {"anonymousId": f"flood-{n}", "traits": {"email": address}}
                for n in range(start, start + 50)
            ),
        )
    drain(site)
    changed = {"subscriptionType": "contact.propertyChange", "objectId": 77}
    crm(site, **changed, propertyName="email", propertyValue=address)
    found = lead(site, "crm:hubspot:4711:contact:77")
    assert found["email"] == address


def test_a_public_key_overwrites_no_signed_data_and_reads_nothing(site: Served) -> None:
    user_id = victim(site, "fay")
    stranger(site, {"userId": user_id, "traits": {"name": "Eve", "title": "Boss"}})
    found = lead(site, user_id)
    assert found["traits"]["name"] == "Fay"
    assert found["traits"]["title"] == "Boss"  # nobody had said


def test_contacts_that_a_crm_merged_are_one_lead_also_under_their_new_id(site: Served) -> None:
    changed = {"subscriptionType": "contact.propertyChange", "propertyName": "email"}
    crm(site, **changed, objectId=1, propertyValue="gil@example.com")
    crm(site, **changed, objectId=2, propertyValue="gil@work.example")
    crm(
        site,
        subscriptionType="contact.merge",
        objectId=1,
        primaryObjectId=1,
        mergedObjectIds=[2],
        newObjectId=3,
    )
    ids = {lead(site, who)["id"] for who in ("gil@example.com", "gil@work.example")}
    assert ids == {lead(site, "crm:hubspot:4711:contact:3")["id"]}


def asked_to_erase(site: Served) -> list[dict[str, Any]]:
    """What waits in quarantine for a person to erase somebody."""
    entries = site.json("quarantine", "list")
    return [entry for entry in entries if entry["reason"] == "erasure_asked"]


def test_a_deletion_for_privacy_waits_for_a_person_who_carries_it_out(site: Served) -> None:
    crm(
        site,
        subscriptionType="contact.propertyChange",
        propertyName="email",
        objectId=9,
        propertyValue="hal@example.com",
    )
    told = crm(site, subscriptionType="contact.privacyDeletion", objectId=9)
    assert [one["code"] for one in told["refused"]] == ["erasure_asked"]
    whom = "crm:hubspot:4711:contact:9"
    assert lead(site, whom)["email"] == "hal@example.com"
    (entry,) = asked_to_erase(site)
    assert f"warmlead lead erase {whom}" in entry["message"]
    assert site.json("quarantine", "replay")["released"] == 0
    assert asked_to_erase(site) == [entry]
    site.json("lead", "erase", whom, "--yes")
    assert site.lead("hal@example.com") is None
    assert asked_to_erase(site) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("jos\u00e9@example.com", "jose\u0301@example.com"),
        ("i\u200bda@example.com", "ida@example.com"),
        ("max@maßanfertigung.example", "max@xn--maanfertigung-cdb.example"),
    ],
)
def test_a_person_is_erased_by_the_other_spelling(site: Served, first: str, second: str) -> None:
    stranger(site, {"anonymousId": "b", "traits": {"email": first}})
    assert lead(site, first)["id"] == lead(site, second)["id"]
    assert site.json("lead", "erase", second, "--yes")["leads"]
    assert site.lead(first) is None


def test_erasing_one_of_two_who_look_alike_leaves_the_other(site: Served) -> None:
    addresses = ("max@maßgenau.example", "max@massgenau.example")
    stranger(site, *({"traits": {"email": each}, "userId": each} for each in addresses))
    drain(site)
    site.json("lead", "erase", addresses[0], "--yes")
    assert lead(site, addresses[1])["email"] == addresses[1]
