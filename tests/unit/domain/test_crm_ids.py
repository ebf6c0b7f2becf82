"""Which record of a CRM a lead is: its id goes out with each message."""

import pytest

from builders import NOW, a_lead, an_event
from warmlead.domain.crm_ids import crm_ids_of
from warmlead.domain.event import Event

EMAIL = "ada@example.com"


def tied(user_id: str, **fields: object) -> Event:
    return an_event(
        id=f"tie-{user_id}", name="sales_identified", email=EMAIL, user_id=user_id, **fields
    )


@pytest.mark.parametrize(
    ("user_ids", "known"),
    [
        ([], {}),
        (["u-17"], {}),  # our own id is no CRM's
        (["crm:hubspot:4711:contact:501"], {"hubspot": "501"}),
        (["crm:salesforce:00Q5e00000A1b2CEAR"], {"salesforce": "00Q5e00000A1b2CEAR"}),
        (
            ["crm:salesforce:00Q5e00000A1b2CEAR", "crm:salesforce:0035e00000A1b2CEAR"],
            {"salesforce": "0035e00000A1b2CEAR"},  # a converted lead is a contact
        ),
        (
            ["crm:pipedrive:77001:person:12", "u-17", "crm:hubspot:4711:contact:501"],
            {"hubspot": "501", "pipedrive": "12"},
        ),
    ],
)
def test_the_ids_of_a_persons_records_are_known_by_crm(
    user_ids: list[str], known: dict[str, str]
) -> None:
    assert crm_ids_of(a_lead(an_event(), *map(tied, user_ids))) == known


def test_a_deal_is_no_record_of_the_person() -> None:
    deal = an_event(id="d", email=EMAIL, anonymous_id="crm:hubspot:4711:deal:9")
    assert crm_ids_of(a_lead(deal)) == {}


def test_of_two_records_it_is_the_one_that_was_heard_of_last() -> None:
    heard = an_event(
        id="h", name="sales_touched", user_id="crm:hubspot:4711:contact:501", occurred_at=NOW
    )
    two = [tied(f"crm:hubspot:4711:contact:{number}") for number in (501, 999)]
    assert crm_ids_of(a_lead(*two)) == {"hubspot": "999"}
    assert crm_ids_of(a_lead(*two, heard)) == {"hubspot": "501"}
