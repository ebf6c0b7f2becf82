"""Writes ``infra/inventory.json``: what Terraform has to deploy, from the lists of the code.

Run by ``make inventory``. Functions come from ``runtime/table.py``, topics and subscriptions from
``buses/topology.py``, variables from ``settings.py``. Terraform reads the file, so a new row of a
table needs no edit of Terraform. A test compares the file with this script.
"""

import json
from pathlib import Path
from typing import Any

from warmlead.buses.topology import SUBSCRIPTIONS, TOPICS, Subscription, dead_letters_of
from warmlead.messages.contract import BreachedMessage
from warmlead.runtime.table import TABLE, Function
from warmlead.settings import MIN_KEY_LENGTH, MIN_SECRET_LENGTH, PREFIX, Needed, Settings

ROOT = Path(__file__).parent.parent
INVENTORY = ROOT / "infra/inventory.json"

EVERYWHERE = ("env", "backend", "project")
"""Settings that every deployed function gets."""

OF_THE_DATABASE = ("database",)
"""Settings of the functions that read or write leads."""

ANSWERS: dict[Needed, tuple[str, ...]] = {
    "push": ("push_auth",),
    "dashboard": ("dashboard_auth", "dashboard_audience", "dashboard_people"),
}
"""Settings that answer a demand of a function; other demands are secrets of the same name."""

SECRETS: dict[Needed, dict[str, object]] = {
    "id_secret": {"rotates": False, "least": MIN_SECRET_LENGTH},
    "write_keys": {"rotates": True, "least": MIN_KEY_LENGTH},
}
"""Demands that are secrets. ``id_secret`` has no date: leads have to be moved when it changes."""

CHOICE = (
    "own_hosts",
    "form_bytes",
    "track_event_bytes",
    "track_batch_bytes",
    "body_timeout_s",
)
"""Settings that an operator may choose; without a choice the default of the code holds."""

NOT_DEPLOYED = {
    "data": "a deployed function keeps nothing on its disk",
    "archive_days": "the archive is a table of BigQuery, which has its own limit",
    "archive_dataset": "only commands read the archive",
    "archive_query_gib": "the same",
    "quarantine_days": "the subscription of the quarantine has its own limit",
    "dashboard_tokens": "a reader with a token of ours does not pass the platform's own check",
    "push_audience": "the platform checks callers: WARMLEAD_PUSH_AUTH=iam",
    "push_account": "the same",
    "push_certs": "the same",
}
"""Settings that no deployed function gets, each with the reason."""


def inventory() -> dict[str, Any]:
    """The content of the file."""
    pulled = [dead_letters_of(each) for each in SUBSCRIPTIONS if each.attempts]
    topics = [*map(str, TOPICS), *(each.topic for each in pulled)]
    return {
        "written_by": "make inventory",
        "functions": {each.name: _function(each) for each in TABLE},
        "topics": topics,
        "subscriptions": {each.name: _subscription(each) for each in (*SUBSCRIPTIONS, *pulled)},
        "secrets": {_variable(name): traits for name, traits in SECRETS.items()},
        "settings": sorted(map(_variable, CHOICE)),
        "breached_type": BreachedMessage.model_fields["type"].default,
    }


def _function(function: Function) -> dict[str, Any]:
    demanded = [name for need in function.demands for name in ANSWERS.get(need, ())]
    database = OF_THE_DATABASE if function.needs_database else ()
    return {
        "called_by": function.called_by.name.lower(),
        "publishes": [str(topic) for topic in function.publishes],
        "needs_database": function.needs_database,
        "every_s": function.every_s,
        "reaches_out": function.reaches_out,
        "variables": [_variable(name) for name in (*EVERYWHERE, *database, *demanded)],
        "secrets": [_variable(need) for need in function.demands if need in SECRETS],
    }


def _subscription(subscription: Subscription) -> dict[str, Any]:
    return {
        "topic": str(subscription.topic),
        "pushes_to": subscription.pushes_to,
        "filter": subscription.filter,
        "ack_deadline_s": subscription.ack_deadline_s,
        "first_pause_s": subscription.first_pause_s,
        "longest_pause_s": subscription.longest_pause_s,
        "attempts": subscription.attempts,
        "dead_letters": subscription.dead_letters,
        "keeps_s": subscription.keeps_s,
    }


def _variable(setting: str) -> str:
    """The variable of a setting, which must exist."""
    if setting not in Settings.__struct_fields__:
        raise KeyError(setting)
    return f"{PREFIX}{setting.upper()}"


def text() -> str:
    """The file's text."""
    return json.dumps(inventory(), indent=2) + "\n"


def main() -> None:
    """Writes the file."""
    INVENTORY.write_text(text(), encoding="utf-8")
    print(INVENTORY.relative_to(ROOT))


if __name__ == "__main__":
    main()
