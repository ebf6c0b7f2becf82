"""What the cloud keeps of a person where Warmlead does not reach: commands for its owner."""

from collections.abc import Sequence

from warmlead.application.erase import Buried
from warmlead.buses.topology import DAY_S, QUARANTINE, SCORE, dead_letters_of

TABLE = "PROJECT.DATASET.lead_events"
"""To be replaced by where the BigQuery subscription of ``lead-events`` writes."""


def to_erase(buried: Buried) -> list[str]:
    """What is left to do once the lead has gone, one thing an entry."""
    return [
        "Left to do, see docs/privacy.md:",
        "the archive in BigQuery (refused while rows are in its streaming buffer: run it again "
        "after 90 minutes):\n" + _sql("DELETE", buried.ids) + ";",
        *_in_subscriptions(),
        "subscriptions, tools and backups of your own.",
    ]


def to_look(ids: Sequence[str]) -> list[str]:
    """Where else there may be something about the person, one place an entry."""
    return [
        "the archive in BigQuery: " + _sql("SELECT *", ids),
        *_in_subscriptions(),
        "subscriptions, tools and backups of your own",
    ]


def _sql(verb: str, ids: Sequence[str]) -> str:
    among = ", ".join(f"'{id_}'" for id_ in ids)
    return f"{verb} FROM `{TABLE}` WHERE JSON_VALUE(attributes, '$.lead_id') IN ({among})"


def _in_subscriptions() -> list[str]:
    return [
        f"what waits in the subscription {each.name}, for {each.keeps_s // DAY_S} days at most: "
        f"gcloud pubsub subscriptions pull {each.name} --limit=100"
        for each in (QUARANTINE, dead_letters_of(SCORE))
    ]
