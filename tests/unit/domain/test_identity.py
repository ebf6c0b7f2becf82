"""Who is whom: claims, links, and what they join."""

import string

import pytest
from msgspec import structs

from unit.domain.worlds import NOON, World, event_of, id_of, rules_of
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import (
    Claim,
    Identifier,
    Kind,
    LeadIds,
    Ties,
    best_claim,
    group_people,
    identifiers_of,
    in_todays_spelling,
    named_by,
)

ADA = Identifier(Kind.EMAIL, "ada@example.com")
BOB = Identifier(Kind.EMAIL, "bob@example.com")
ACCOUNT = Identifier(Kind.USER, "u1")
BROWSER = Identifier(Kind.ANONYMOUS, "b1")

SIGNED, PUBLIC = Trust.SIGNED, Trust.PUBLIC


# --- ids of leads -----------------------------------------------------------------------


def test_a_lead_id_is_stable_keyed_and_opaque() -> None:
    ids = LeadIds(b"one secret")
    assert ids.of(ADA) == LeadIds(b"one secret").of(ADA)
    assert ids.of(ADA) != LeadIds(b"another").of(ADA)
    assert ids.of(ADA) != ids.of(BOB)
    assert len(ids.of(ADA)) == 26
    assert set(ids.of(ADA)) <= set(string.ascii_lowercase + string.digits)
    assert "ada" not in ids.of(ADA)


def test_the_same_text_as_another_kind_of_identifier_is_another_id() -> None:
    ids = LeadIds(b"one secret")
    assert len({ids.of(Identifier(kind, "42")) for kind in Kind}) == len(Kind)


def test_identifiers_are_named_strongest_first() -> None:
    event = event_of("1", NOON, email="ada@example.com", user_id="u1", anonymous_id="b1")
    assert identifiers_of(event) == [ADA, ACCOUNT, BROWSER]
    assert identifiers_of(event_of("1", NOON, anonymous_id="b1")) == [BROWSER]


# --- who is whom -------------------------------------------------------------------------


def says(
    trust: Trust,
    *identifiers: Identifier,
    minute: int = 0,
    id_: str = "",
) -> Event:
    """An event that names the identifiers, so many minutes past."""
    named = {identifier.kind: identifier.value for identifier in identifiers}
    return event_of(
        id_ or f"{trust}-{minute}-{identifiers}",
        NOON.replace(minute=minute),
        trust=trust,
        email=named.get(Kind.EMAIL),
        user_id=named.get(Kind.USER),
        anonymous_id=named.get(Kind.ANONYMOUS),
    )


def people_after(*events: Event) -> set[frozenset[Identifier]]:
    world = World(rules_of())
    for event in events:
        world.apply([event], NOON.replace(hour=20))
    return set(world.people().values())


def person(*identifiers: Identifier) -> frozenset[Identifier]:
    return frozenset(identifiers)


@pytest.mark.parametrize("trust", Trust)
def test_a_browser_becomes_the_person_who_says_an_address_in_it(trust: Trust) -> None:
    visit = says(PUBLIC, BROWSER)
    assert people_after(visit, says(trust, ADA, BROWSER)) == {person(ADA, BROWSER)}


@pytest.mark.parametrize("trust", Trust)
def test_an_account_belongs_to_the_address_it_is_named_with(trust: Trust) -> None:
    login = says(PUBLIC, ACCOUNT, BROWSER)
    assert people_after(login, says(trust, ADA, ACCOUNT)) == {person(ADA, ACCOUNT, BROWSER)}


def test_a_browser_belongs_to_the_first_person_who_used_it() -> None:
    ada, bob = says(PUBLIC, ADA, BROWSER, minute=1), says(PUBLIC, BOB, BROWSER, minute=2)
    expected = {person(ADA, BROWSER), person(BOB)}
    assert people_after(ada, bob) == people_after(bob, ada) == expected


def test_a_signed_claim_beats_an_earlier_public_one() -> None:
    ada, bob = says(PUBLIC, ADA, BROWSER, minute=1), says(SIGNED, BOB, BROWSER, minute=2)
    expected = {person(ADA), person(BOB, BROWSER)}
    assert people_after(ada, bob) == people_after(bob, ada) == expected


def test_two_people_who_share_a_browser_stay_two_even_from_a_signed_source() -> None:
    ada, bob = says(SIGNED, ADA, BROWSER, minute=1), says(SIGNED, BOB, BROWSER, minute=2)
    assert people_after(ada, bob) == {person(ADA, BROWSER), person(BOB)}


def test_a_public_source_never_merges_two_addresses() -> None:
    told = [
        says(PUBLIC, ADA, ACCOUNT, BROWSER, minute=1),
        says(PUBLIC, BOB, ACCOUNT, BROWSER, minute=2),
    ]
    assert people_after(*told) == {person(ADA, ACCOUNT, BROWSER), person(BOB)}


def test_a_signed_source_merges_two_addresses_of_one_account() -> None:
    told = [
        says(SIGNED, ADA, ACCOUNT, minute=1),
        says(PUBLIC, BOB, BROWSER, minute=2),
        says(SIGNED, BOB, ACCOUNT, minute=3),
    ]
    assert people_after(*told) == {person(ADA, BOB, ACCOUNT, BROWSER)}
    assert people_after(*reversed(told)) == {person(ADA, BOB, ACCOUNT, BROWSER)}


def test_a_public_claim_cannot_move_an_account_that_a_signed_source_assigned() -> None:
    told = [says(SIGNED, ADA, ACCOUNT, minute=9), says(PUBLIC, BOB, ACCOUNT, minute=1)]
    expected = {person(ADA, ACCOUNT), person(BOB)}
    assert people_after(*told) == people_after(*reversed(told)) == expected


def test_a_browser_follows_the_account_that_it_belongs_to() -> None:
    told = [
        says(PUBLIC, ACCOUNT, BROWSER, minute=1),
        says(PUBLIC, ADA, ACCOUNT, minute=2),
        says(SIGNED, BOB, ACCOUNT, minute=3),
    ]
    assert people_after(*told) == {person(ADA), person(BOB, ACCOUNT, BROWSER)}


def test_a_person_has_the_id_of_the_strongest_identifier() -> None:
    world = World(rules_of())
    world.apply([says(PUBLIC, BROWSER)], NOON)
    assert set(world.leads) == {id_of(BROWSER)}
    world.apply([says(PUBLIC, ACCOUNT, BROWSER)], NOON)
    assert set(world.leads) == {id_of(ACCOUNT)}
    world.apply([says(SIGNED, ADA, ACCOUNT)], NOON)
    assert set(world.leads) == {id_of(ADA)}
    world.apply([says(SIGNED, BOB, ACCOUNT)], NOON)
    assert set(world.leads) == {min(id_of(ADA), id_of(BOB))}
    (lead,) = world.leads.values()
    assert lead.email == min((ADA, BOB), key=id_of).value
    assert lead.user_id == ACCOUNT.value
    assert lead.identified


def test_the_best_claim_is_signed_then_early() -> None:
    late_signed = Claim(0, 9, "k", "a")
    early_signed = Claim(0, 5, "k", "b")
    public = Claim(1, 1, "k", "c")
    assert best_claim([public, late_signed, None, early_signed]) == early_signed
    assert best_claim([public, None]) == public
    assert best_claim([None]) is None


def test_a_claim_by_someone_who_is_not_there_has_no_effect() -> None:
    ties = {"b": Ties(Kind.ANONYMOUS, frozenset({"gone"}), Claim(1, 1, "k", "erased"))}
    assert group_people(ties) == {"b": "b"}


# --- what a stranger may claim -----------------------------------------------------------

EVE = Identifier(Kind.EMAIL, "eve@example.com")


def received(event: Event, minute: int) -> Event:
    return structs.replace(event, received_at=NOON.replace(minute=minute))


def test_the_public_claim_received_first_wins_regardless_of_stated_times() -> None:
    honest = received(says(PUBLIC, ADA, ACCOUNT, minute=30), 30)
    backdated = received(says(PUBLIC, EVE, ACCOUNT, minute=1), 40)
    expected = {person(ADA, ACCOUNT), person(EVE)}
    assert people_after(honest, backdated) == people_after(backdated, honest) == expected


def test_a_repeat_of_a_claim_keeps_the_time_at_which_it_came_first() -> None:
    honest = received(says(PUBLIC, ADA, ACCOUNT), 30)
    other = received(says(PUBLIC, EVE, ACCOUNT), 40)
    again = received(honest, 50)
    expected = {person(ADA, ACCOUNT), person(EVE)}
    assert people_after(again, other, honest) == people_after(honest, other, again) == expected


def test_signed_claims_go_by_the_time_that_they_state() -> None:
    early = received(says(SIGNED, ADA, BROWSER, minute=1), 40)
    late = received(says(SIGNED, BOB, BROWSER, minute=2), 30)
    assert (
        people_after(early, late)
        == people_after(late, early)
        == {
            person(ADA, BROWSER),
            person(BOB),
        }
    )


@pytest.mark.parametrize("told", [ACCOUNT, BROWSER])
def test_no_public_claim_moves_a_signed_identifier(told: Identifier) -> None:
    signed = received(says(SIGNED, told, minute=30), 30)
    claims = [received(says(PUBLIC, EVE, told, minute=1), minute) for minute in (20, 40)]
    for claim in claims:
        assert (
            people_after(signed, claim)
            == people_after(claim, signed)
            == {
                person(told),
                person(EVE),
            }
        )


def test_a_signed_source_undoes_an_earlier_public_claim() -> None:
    claim = received(says(PUBLIC, EVE, ACCOUNT), 1)
    known = received(says(PUBLIC, ACCOUNT, BROWSER), 2)
    assert people_after(claim, known) == {person(EVE, ACCOUNT, BROWSER)}
    alone = received(says(SIGNED, ACCOUNT), 3)
    assert people_after(claim, known, alone) == {person(EVE), person(ACCOUNT, BROWSER)}
    with_address = received(says(SIGNED, ADA, ACCOUNT), 4)
    expected = {person(EVE), person(ADA, ACCOUNT, BROWSER)}
    assert people_after(claim, known, with_address) == expected
    assert people_after(with_address, known, claim) == expected


def test_the_signed_claim_on_a_signed_identifier_counts() -> None:
    told = [says(SIGNED, BROWSER, minute=1), says(SIGNED, ADA, BROWSER, minute=2)]
    assert people_after(*told) == people_after(*reversed(told)) == {person(ADA, BROWSER)}


def test_two_records_that_a_crm_merged_are_one_person() -> None:
    first, second, new = (Identifier(Kind.USER, f"crm:x:{n}") for n in (1, 2, 3))
    told = [
        says(SIGNED, ADA, first),
        says(SIGNED, BOB, second),
        structs.replace(says(SIGNED, first, id_="m-1"), merged_user_id=second.value),
        structs.replace(says(SIGNED, first, id_="m-2"), merged_user_id=new.value),
        says(SIGNED, new, minute=5),
    ]
    assert people_after(*told) == {person(ADA, BOB, first, second, new)}
    assert people_after(*reversed(told)) == {person(ADA, BOB, first, second, new)}


# --- spellings ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "today"),
    [
        ({"email": "jose\u0301@example.com"}, {"email": "josé@example.com"}),
        ({"email": "a\u200bda@example.com"}, {"email": "ada@example.com"}),
        ({"user_id": "test 1@example.com"}, {"user_id": "test+1@example.com"}),
        ({"user_id": "ada%40example.com"}, {"user_id": "ada@example.com"}),
        ({"anonymous_id": "b\ufeff1"}, {"anonymous_id": "b1"}),
        ({"user_id": "null"}, {"user_id": "null"}),  # there is no other that could be meant
    ],
)
def test_identifiers_in_an_old_spelling_are_normalised(
    before: dict[str, str], today: dict[str, str]
) -> None:
    event = event_of("1", NOON, **before)  # type: ignore[arg-type]  # identifiers
    assert in_todays_spelling(event) == event_of("1", NOON, **today)  # type: ignore[arg-type]  # the same


def test_identifiers_in_the_present_spelling_stay_the_same_object() -> None:
    event = event_of("1", NOON, email="josé@example.com", user_id="A%20", anonymous_id="b1")
    assert in_todays_spelling(event) is event


@pytest.mark.parametrize(
    "text", ["José@Example.com", "JOSE\u0301@example.com", "jos\u200bé@example.com"]
)
def test_a_person_is_found_by_any_spelling(text: str) -> None:
    named = named_by(text)
    assert named[0] == Identifier(Kind.EMAIL, "josé@example.com")
    assert Identifier(Kind.EMAIL, "jose\u0301@example.com") in named or "\u200b" in text
