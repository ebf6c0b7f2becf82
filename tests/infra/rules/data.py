"""Rules about data, watching and the load balancer."""

import json
from collections.abc import Iterator

from infra.rules.base import is_agent, is_behind_iap, rule
from infra.terraform import INFRA, Plan
from warmlead.buses.topology import ARCHIVED
from warmlead.runtime.table import TABLE, CalledBy


@rule
def every_declared_index_and_exemption_is_there(plan: Plan) -> Iterator[str]:
    declared = json.loads((INFRA / "firestore.indexes.json").read_text(encoding="utf-8"))
    indexes = {
        (each.values["collection"], *((f["field_path"], f["order"]) for f in each.values["fields"]))
        for each in plan.of("firestore_index")
    }
    for each in declared["indexes"]:
        key = (each["collectionGroup"], *((f["fieldPath"], f["order"]) for f in each["fields"]))
        if key not in indexes:
            yield f"the index {key} is missing"
    exempt = {
        (each.values["collection"], each.values["field"])
        for each in plan.of("firestore_field")
        if each.values["index_config"] and not each.values["index_config"][0]["indexes"]
    }
    for each in declared["fieldOverrides"]:
        if (each["collectionGroup"], each["fieldPath"]) not in exempt:
            yield f"{each['fieldPath']} of {each['collectionGroup']} is indexed"


@rule
def leads_are_backed_up(plan: Plan) -> Iterator[str]:
    if not plan.of("firestore_backup_schedule"):
        yield "there are no backups of leads"
    for each in plan.of("firestore_backup_schedule"):
        if not each.values["daily_recurrence"]:
            yield f"{each.address} is not daily"


@rule
def real_leads_are_protected(plan: Plan) -> Iterator[str]:
    """Of the environment for real leads."""
    real = any(
        (each.values["labels"] or {}).get("environment") == "prod"
        for each in plan.of("cloudfunctions2_function")
    )
    for each in plan.of("firestore_database") if real else []:
        if each.values["delete_protection_state"] != "DELETE_PROTECTION_ENABLED":
            yield f"{each.address} may be deleted"
    for each in plan.of("bigquery_table") if real else []:
        if not each.values["view"] and not each.values["deletion_protection"]:
            yield f"{each.address} may be deleted"


@rule
def the_archive_is_written_whole(plan: Plan) -> Iterator[str]:
    """Into the tables in which the commands look, of which each has the name of its topic."""
    topics = {each.values["id"]: each.values["name"] for each in plan.of("pubsub_topic")}
    written = {
        topics[each.values["topic"]]: each.values["bigquery_config"][0]
        for each in plan.of("pubsub_subscription")
        if each.values["bigquery_config"]
    }
    for topic in ARCHIVED:
        if topic not in written:
            yield f"{topic} is not archived"
    for topic, config in written.items():
        if config["table"].rpartition(".")[2] != topic.replace("-", "_"):
            yield f"{topic} is archived in a table in which no command looks"
        if not config["write_metadata"]:
            yield f"{topic} is archived without its attributes: no person can be found"
    editors = {
        each.values["table_id"] for each in plan.of("bigquery_table_iam_member") if is_agent(each)
    }
    for config in written.values():
        if config["table"].rpartition(".")[2] not in editors:
            yield f"Pub/Sub may not write {config['table']}"


# --- watching ------------------------------------------------------------------------------


@rule
def every_alert_tells_somebody_what_to_do(plan: Plan) -> Iterator[str]:
    channels = {each.values["id"] for each in plan.of("monitoring_notification_channel")}
    for each in plan.of("monitoring_alert_policy"):
        if not set(each.values["notification_channels"] or []) & channels:
            yield f"{each.address} tells nobody"
        if (
            not each.values["documentation"]
            or "docs/operate.md" not in (each.values["documentation"][0]["content"])
        ):
            yield f"{each.address} does not say what to do"


@rule
def all_that_is_given_up_or_waits_is_watched(plan: Plan) -> Iterator[str]:
    filters = json.dumps([each.values["conditions"] for each in plan.of("monitoring_alert_policy")])
    dead = {
        each.values["dead_letter_policy"][0]["dead_letter_topic"]
        for each in plan.of("pubsub_subscription")
        if each.values["dead_letter_policy"]
    }
    for each in plan.of("pubsub_subscription"):
        delivers = each.values["push_config"] or each.values["bigquery_config"]
        quoted = f'\\"{each.values["name"]}\\"'
        if (each.values["topic"] in dead or delivers) and json.dumps(quoted)[
            1:-1
        ] not in json.dumps(filters):
            yield f"no alert watches {each.values['name']}"
    for what in ("5xx", "clock-errors", "lead-errors", "breached", "quarantine"):
        if what not in filters:
            yield f"no alert watches {what}"


@rule
def addresses_of_requests_are_not_logged(plan: Plan) -> Iterator[str]:
    """A pixel's address is an event, with its person; a search of the dashboard names one."""
    filters = [each.values["filter"] for each in plan.of("logging_project_exclusion")]
    for each in TABLE:
        if each.called_by in (CalledBy.SENDERS, CalledBy.PEOPLE) and not any(
            "run.googleapis.com/requests" in text and each.name in text for text in filters
        ):
            yield f"the addresses of requests to {each.name} are logged"


# --- the edge ------------------------------------------------------------------------------


@rule
def the_load_balancer_limits_the_rate_of_every_function(plan: Plan) -> Iterator[str]:
    policies = {each.values["id"]: each for each in plan.of("compute_security_policy")}
    for each in plan.of("compute_backend_service"):
        if is_behind_iap(each):
            continue  # whom IAP does not know never reaches the function
        policy = policies.get(each.values["security_policy"])
        if policy is None:
            yield f"{each.address} has no limits"
            continue
        throttles = [r for r in policy.values["rule"] if r["action"] == "throttle"]
        keyed = [
            config["enforce_on_key_type"]
            for r in throttles
            for config in r["rate_limit_options"][0]["enforce_on_key_configs"]
        ]
        if len(throttles) < 2 or "HTTP_HEADER" not in keyed:
            yield f"{policy.address} does not limit each key"
    for each in plan.of("compute_global_forwarding_rule"):
        if each.values["port_range"] != "443":
            yield f"{each.address} listens in the clear"
    for each in plan.of("compute_ssl_policy"):
        if each.values["min_tls_version"] not in ("TLS_1_2", "TLS_1_3"):
            yield f"{each.address} takes old TLS"
