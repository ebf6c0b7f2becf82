"""Every environment keeps every rule; so does one with functions that are yet to come."""

import json
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from infra.policy import RULES, Rule, functions, given_to
from infra.terraform import ROOT, Plan, Workspace

ENVIRONMENTS = ("dev", "prod", "all")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_holds(rule: Rule, environment: str, plan_of: Callable[[str], Plan]) -> None:
    assert list(rule(plan_of(environment))) == []


def test_what_may_be_chosen_reaches_the_functions(plan_of: Callable[[str], Plan]) -> None:
    there = functions(plan_of("all"))
    forms, score = given_to(there["forms"]), there["score"].values["service_config"][0]

    assert forms["WARMLEAD_OWN_HOSTS"] == "example.com"
    assert "CONTACT_SECRET" in forms  # the staged file of forms names it
    assert score["available_memory"] == "2Gi"
    versions = {each["key"]: each["version"] for each in score["secret_environment_variables"]}
    assert versions == {"WARMLEAD_ID_SECRET": "3"}
    assert given_to(there["score"])["WARMLEAD_DATABASE"] == "leads"


def test_the_zips_that_are_deployed_are_those_that_were_staged(
    plan_of: Callable[[str], Plan], staged: Path
) -> None:
    planned = {
        name: each.values["build_config"][0]["source"][0]["storage_source"][0]["object"]
        for name, each in functions(plan_of("prod")).items()
    }

    assert planned == {
        path.stem: f"functions/{path.stem}-{sha256(path.read_bytes()).hexdigest()}.zip"
        for path in staged.parent.glob("*.zip")
    }


def test_new_rows_of_the_table_need_no_edit_of_terraform(workspace: Workspace) -> None:
    inventory = workspace.folder / "inventory.json"
    listed = json.loads(inventory.read_text())
    template = listed["functions"]["score"]
    listed["functions"]["notify"] = {**template, "publishes": [], "needs_database": False}
    listed["functions"]["board"] = {**template, "publishes": [], "called_by": "people"}
    inventory.write_text(json.dumps(listed))
    staged = json.loads(workspace.staged.read_text())
    for name in ("notify", "board"):
        staged["functions"][name] = {"sha256": "0" * 64, "secrets": [f"{name.upper()}_SECRET"]}
    given = listed["subscriptions"]["score"]
    staged["subscriptions"] = {
        "notify-crm": {
            **given, "topic": "mql", "pushes_to": "notify", "dead_letters": "notify-crm-dead"
        },
        "notify-crm-dead": {
            **given, "topic": "notify-crm-dead", "pushes_to": "", "dead_letters": "", "attempts": 0
        },
    }  # fmt: skip
    workspace.staged = workspace.folder / "staged.json"
    workspace.staged.write_text(json.dumps(staged))
    workspace.environment = "all"

    ran = workspace.plan(foreseeing=True)

    assert ran.code == 0, ran.output
    plan = workspace.planned()
    assert {"notify", "board"} <= set(functions(plan))
    callers = {
        each.values["name"]: each.values["member"]
        for each in plan.of("cloud_run_v2_service_iam_member")
    }
    assert "@gcp-sa-iap." in callers["warmlead-board"]
    assert "-push@" in callers["warmlead-notify"]
    assert [fault for rule in RULES for fault in rule(plan)] == []


def test_without_a_domain_of_its_own_a_page_has_iap_at_itself(workspace: Workspace) -> None:
    workspace.environment = "all"
    chosen = workspace.root / "main.tf"
    text = chosen.read_text()
    chosen.write_text(re.sub(r"^  dashboard_domain .*\n", "", text, flags=re.MULTILINE))
    assert chosen.read_text() != text

    ran = workspace.plan(foreseeing=True)

    assert ran.code == 0, ran.output
    plan = workspace.planned()
    let_through = plan.of("iap_web_cloud_run_service_iam_member")
    assert {each.values["member"] for each in let_through} == {
        "user:ada@example.com", "domain:example.org", "group:sales@example.com"
    }  # fmt: skip
    assert plan.of("iap_web_backend_service_iam_member") == []
    assert [fault for rule in RULES for fault in rule(plan)] == []


def test_the_guide_of_operators_has_every_alert(plan_of: Callable[[str], Plan]) -> None:
    guide = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
    named = {
        each.values["documentation"][0]["content"].rpartition(", ")[2].rstrip(".")
        for each in plan_of("all").of("monitoring_alert_policy")
    }

    assert len(named) == 9
    assert {name for name in named if f"\n### {name}\n" not in guide} == set()


def test_the_addresses_of_the_guide_are_those_of_the_plan(plan_of: Callable[[str], Plan]) -> None:
    """Names of subscriptions, secrets, jobs and services that people copy."""
    pages = "".join((ROOT / f"docs/{name}.md").read_text() for name in ("deploy", "operate"))
    there = {
        str(each.values.get(name))
        for each in plan_of("prod").resources
        for name in ("name", "secret_id", "dataset_id", "table_id")
    }
    copied = set(re.findall(r"\bwarmlead-[\w-]+\b|\bwarmlead_archive\b|\bevent_rows\b", pages))

    assert copied - there - {"warmlead-deploy", "warmlead-org"} == set()


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_an_environment_asks_for_five_values(environment: str) -> None:
    folder = ROOT / "infra/environments" / environment
    given = re.findall(r"^(\w+) +=", (folder / "terraform.tfvars").read_text(), re.MULTILINE)
    declared = re.findall(r'^variable "(\w+)"', (folder / "variables.tf").read_text(), re.MULTILINE)

    assert given == ["project", "region", "alerts_to", "billing_account", "monthly_budget"]
    assert {*declared} - {*given} == {"staged", "secret_versions"}
