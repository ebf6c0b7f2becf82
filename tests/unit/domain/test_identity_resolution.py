"""People who part from each other, and come together again."""

from dataclasses import replace
from datetime import timedelta

from builders import NOW, RULES, a_trigger
from warmlead.domain.handoff import Offer
from warmlead.domain.identity import Claim, Identifier, Kind
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.nurture import Enrolment
from warmlead.domain.stages import Progress

ADDRESS, USER, BROWSER = "a-address", "b-user", "c-browser"


def one_person(weaker: str, kind: Kind) -> Lead:
    """An MQL who is offered to sales and in a sequence, known by an address and a public claim."""
    trails = {
        ADDRESS: Trail(Identifier(Kind.EMAIL, "ada@example.com")),
        weaker: Trail(Identifier(kind, weaker), claims=(Claim(1, 1, "k", ADDRESS),)),
    }
    return Lead(
        ADDRESS,
        trails,
        Progress("mql", NOW, {"lead": 1, "mql": 2}),
        NOW,
        enrolments={"welcome": Enrolment("welcome", 1, NOW, position=1, next_at=NOW)},
        offer=Offer(2, "mql", NOW),
    )


def parted(weaker: str, kind: Kind) -> tuple[Lead, Lead]:
    """The two after a signed source has told something of the weaker identifier."""
    lead = one_person(weaker, kind)
    told = {**lead.trails, weaker: replace(lead.trails[weaker], is_signed=True)}
    leads = {
        each.id: each for each in resolve_identities([lead], told, RULES, NOW + timedelta(hours=1))
    }
    return leads[ADDRESS], leads[weaker]


def test_a_lead_that_splits_off_starts_again_with_its_counts() -> None:
    stays, leaves = parted(USER, Kind.USER)

    assert replace(stays, trails={}) == replace(one_person(USER, Kind.USER), trails={})
    assert leaves.progress.stage == "anonymous"
    assert leaves.progress.entered == {"lead": 1, "mql": 2}
    enrolment, offer = leaves.enrolments["welcome"], leaves.offer
    assert (enrolment.run, enrolment.next_at, enrolment.ending) == (1, None, "parted")
    assert offer
    assert (offer.cycle, offer.closed_at, offer.answer) == (2, NOW, "parted")


def test_a_browser_that_parts_counts_from_nothing() -> None:
    _, leaves = parted(BROWSER, Kind.ANONYMOUS)

    assert leaves == Lead(BROWSER, leaves.trails, leaves.progress, leaves.created_at)
    assert leaves.progress.entered == {}


def test_leads_that_merge_again_continue_where_they_split() -> None:
    stays, leaves = parted(USER, Kind.USER)
    linked = replace(stays.trails[ADDRESS], links=frozenset([USER]))
    other = replace(leaves.trails[USER], links=frozenset([ADDRESS]))

    (lead,) = resolve_identities([leaves, stays], {ADDRESS: linked, USER: other}, RULES, NOW)

    assert lead.enrolments == stays.enrolments
    assert lead.offer == stays.offer
    assert lead.progress == stays.progress


def test_merging_two_offers_keeps_the_open_one() -> None:
    stays, leaves = parted(USER, Kind.USER)
    answered = Offer(3, "mql", NOW, closed_at=NOW, answer="rejected")
    linked = replace(stays.trails[ADDRESS], links=frozenset([USER]))
    other = replace(leaves.trails[USER], links=frozenset([ADDRESS]))

    again = [replace(leaves, offer=answered), stays]
    (lead,) = resolve_identities(again, {ADDRESS: linked, USER: other}, RULES, NOW)

    assert lead.offer == Offer(3, "mql", NOW, otherwise=answered)


def test_unsent_triggers_part_and_merge_with_the_lead_of_which_they_speak() -> None:
    of_address = a_trigger(id="t-1", attributes=(("lead_id", ADDRESS),))
    of_user = a_trigger(id="t-2", attributes=(("lead_id", USER),))
    of_an_old_id = a_trigger(id="t-3", attributes=(("lead_id", "of-long-ago"),))
    together = replace(one_person(USER, Kind.USER), outbox=(of_address, of_user, of_an_old_id))
    told = {**together.trails, USER: replace(together.trails[USER], is_signed=True)}

    leads = resolve_identities([together], told, RULES, NOW)

    outboxes = {lead.id: lead.outbox for lead in leads}
    assert outboxes == {ADDRESS: (of_address, of_an_old_id), USER: (of_user,)}

    linked = {id_: trail for lead in leads for id_, trail in lead.trails.items()}
    linked[ADDRESS] = replace(linked[ADDRESS], links=frozenset([USER]))
    linked[USER] = replace(linked[USER], links=frozenset([ADDRESS]))

    (merged,) = resolve_identities(leads, linked, RULES, NOW)

    assert set(merged.outbox) == {of_address, of_user, of_an_old_id}
