"""Refusals outlast ties: what was refused under an identifier holds for whoever claimed it.

Who is whom may change: a signed event takes a user id off the address that a public page claimed
it for, or another claim turns out to be the earlier. A person who said no stays a person who said
no on both sides. So a refusal is kept on the trail of its identifier, and of each identifier that
ever claimed that one, whether or not the claim has won: in whatever order they came.

It never goes the other way, from an owner to what it claims: by a shared browser no person's
refusal becomes another's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from warmlead.domain.consent import REFUSALS, Cause, ConsentFact, with_facts
from warmlead.domain.identity import Claim
from warmlead.domain.lead import Trail


def with_refusals_shared(trails: Mapping[str, Trail]) -> dict[str, Trail]:
    """The trails; those that claim others have their refusals as well."""
    after = dict(trails)
    if not any(trail.consent and trail.claims for trail in trails.values()):
        return after
    told: dict[str, list[ConsentFact]] = {}
    for id_ in sorted(trails, key=lambda id_: -trails[id_].identifier.kind):  # owners come later
        _hear(after, id_, told.pop(id_, ()))
        refused = _refusals(after[id_])
        for claim in after[id_].claims if refused else ():
            if claim.owner in after:
                heard = told.setdefault(claim.owner, [])
                heard += [as_claimed(fact, claim) for fact in refused]
    for id_, heard in told.items():
        _hear(after, id_, heard)
    return after


def _hear(trails: dict[str, Trail], id_: str, refused: Iterable[ConsentFact]) -> None:
    """Adds refusals to a trail, all at once."""
    trail = trails[id_]
    new = set(refused).difference(trail.consent)
    if new and (consent := with_facts(trail.consent, sorted(new))) != trail.consent:
        trails[id_] = replace(trail, consent=consent)


def still_to_be_told(before: Mapping[str, Trail], after: Mapping[str, Trail]) -> frozenset[str]:
    """The ids of owners, not among the trails, that do not know yet what was refused ``after``."""
    owners: set[str] = set()
    for id_, trail in after.items():
        known = before.get(id_) or Trail(trail.identifier)
        refused = _refusals(trail)
        if refused and (refused != _refusals(known) or trail.claims != known.claims):
            owners.update(claim.owner for claim in trail.claims)
    return frozenset(owners - after.keys())


def as_claimed(fact: ConsentFact, claim: Claim) -> ConsentFact:
    """The refusal as it counts for the owner: no more than the claim is trusted.

    Who claims an identifier in public can do to the address no more than by unsubscribing it in
    public. A complaint of a signed sender becomes such a refusal.
    """
    if not (claim.distrust and fact.rank):
        return fact
    return ConsentFact.of(
        Cause.UNSUBSCRIBED,
        at_ms=fact.at_ms,
        rank=0,
        key=fact.key,
        source=fact.source,
        mailing_list=fact.mailing_list,
        received_ms=fact.received_ms,
    )


def _refusals(trail: Trail) -> list[ConsentFact]:
    return [fact for fact in trail.consent if fact.cause in REFUSALS]
