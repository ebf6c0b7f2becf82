"""Rules about functions: which there are, who may call them, and what their accounts may do."""

import re
from collections.abc import Iterator, Mapping

from infra.rules.base import functions, is_behind_iap, rule, service
from infra.terraform import Plan, Resource
from warmlead.runtime.table import TABLE, CalledBy

PRIMITIVE = {"roles/owner", "roles/editor", "roles/viewer"}
EVERYBODY = {"allUsers", "allAuthenticatedUsers"}
PROJECT_WIDE = {"roles/datastore.user", "roles/logging.logWriter", "roles/storage.objectViewer"}
"""The roles that an account may have on a project: no smaller thing takes them."""

IAP = re.compile(r"serviceAccount:service-\d+@gcp-sa-iap\.iam\.gserviceaccount\.com")
"""The account as which Identity-Aware Proxy calls a service."""


@rule
def every_function_of_the_table_is_there(plan: Plan) -> Iterator[str]:
    there = functions(plan)
    for each in TABLE:
        if each.name not in there:
            yield f"the function {each.name} is not deployed"


@rule
def code_is_named_by_its_hash(plan: Plan) -> Iterator[str]:
    for name, each in functions(plan).items():
        source = each.values["build_config"][0]["source"][0]["storage_source"][0]
        if not re.fullmatch(rf"functions/{name}-[0-9a-f]{{64}}\.zip", source["object"]):
            yield f"{name}: the object {source['object']} does not name a hash"


@rule
def each_function_has_an_account_of_its_own(plan: Plan) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name, each in functions(plan).items():
        account = service(each).get("service_account_email") or ""
        if not account.startswith(each.values["name"]):
            yield f"{name} runs as {account or 'the default account'}"
        if account in seen:
            yield f"{name} shares its account with {seen[account]}"
        seen[account] = name


@rule
def limits_are_set_and_fit(plan: Plan) -> Iterator[str]:
    for name, each in functions(plan).items():
        config = service(each)
        at_once = config.get("max_instance_request_concurrency") or 1
        for trait in ("available_memory", "timeout_seconds", "max_instance_count"):
            if not config.get(trait):
                yield f"{name} has no {trait}"
        if at_once > 80:
            yield f"{name} takes {at_once} requests at once: 80 is the most that was measured"
        if at_once > 1 and float(config.get("available_cpu") or 0) < 1:
            yield f"{name} takes several requests at once on less than a CPU"


# --- who may call --------------------------------------------------------------------------


@rule
def nothing_is_public_but_what_senders_post_to(plan: Plan) -> Iterator[str]:
    senders = {each.name for each in TABLE if each.called_by is CalledBy.SENDERS}
    public = {each.values["name"]: n for n, each in functions(plan).items() if n in senders}
    for each in _grants(plan):
        if each.values["member"] in EVERYBODY:
            to_senders = each.type == "google_cloud_run_v2_service_iam_member"
            if not to_senders or each.values["name"] not in public:
                yield f"{each.address} is for {each.values['member']}"


@rule
def senders_reach_what_they_post_to(plan: Plan) -> Iterator[str]:
    callers = _callers(plan)
    for each in TABLE:
        if each.called_by is CalledBy.SENDERS and callers.get(each.name) != {"allUsers"}:
            yield f"senders cannot call {each.name}"


@rule
def a_private_function_has_one_caller(plan: Plan) -> Iterator[str]:
    callers = _callers(plan)
    for each in TABLE:
        if each.called_by in (CalledBy.BUS, CalledBy.CLOCK):
            role = "push" if each.called_by is CalledBy.BUS else "clock"
            found = callers.get(each.name, set())
            if len(found) != 1 or f"-{role}@" not in next(iter(found)):
                yield f"{each.name} may be called by {sorted(found)}, not by {role} alone"


@rule
def pages_look_at_their_viewers_themselves(plan: Plan) -> Iterator[str]:
    """IAP stands in front of them, and one mistaken grant would open them otherwise."""
    balancers = _balancers(plan)
    for name, each in _pages(plan).items():
        given = service(each)["environment_variables"]
        audience = given.get("WARMLEAD_DASHBOARD_AUDIENCE", "")
        balancer = balancers.get(each.values["name"])
        signed_for = (
            f"/global/backendServices/{balancer.values['generated_id']}"
            if balancer
            else f"/locations/{each.values['location']}/services/{each.values['name']}"
        )
        if given.get("WARMLEAD_DASHBOARD_AUTH") != "iap" or not audience.endswith(signed_for):
            yield f"{name} lets in whoever comes past the platform"


@rule
def nobody_but_iap_calls_a_page(plan: Plan) -> Iterator[str]:
    """A person who may call the function itself comes past IAP."""
    callers = _callers(plan)
    for name in _pages(plan):
        for member in callers.get(name, set()):
            if not IAP.fullmatch(member):
                yield f"{member} may call {name} without IAP"


@rule
def iap_lets_through_whom_a_page_lets_in(plan: Plan) -> Iterator[str]:
    """A group is let through alone: what IAP signs does not name groups."""
    callers = _callers(plan)
    for name, each in _pages(plan).items():
        listed = service(each)["environment_variables"].get("WARMLEAD_DASHBOARD_PEOPLE", "")
        viewers = {viewer for viewer in listed.split(",") if viewer}
        let_through = {
            member.replace("domain:", "domain:@").partition(":")[2]
            for member in _let_through(plan, each.values["name"])
            if not member.startswith("group:")
        }
        if viewers != let_through:
            yield f"{name} lets in {sorted(viewers)}, and IAP lets {sorted(let_through)} through"
        if viewers and not callers.get(name):
            yield f"IAP may not call {name}"


@rule
def iap_is_on_at_the_load_balancer_of_a_page_and_nobody_comes_around(
    plan: Plan,
) -> Iterator[str]:
    balancers = _balancers(plan)
    for name, each in _pages(plan).items():
        if (balancer := balancers.get(each.values["name"])) is None:
            continue  # make deploy switches IAP on at the service
        if not is_behind_iap(balancer):
            yield f"{balancer.address} lets everybody through to {name}"
        if (ingress := service(each)["ingress_settings"]) != "ALLOW_INTERNAL_AND_GCLB":
            yield f"{name} is reached around IAP: {ingress}"


@rule
def private_functions_are_not_reached_from_outside(plan: Plan) -> Iterator[str]:
    there = functions(plan)
    for each in TABLE:
        if each.called_by in (CalledBy.BUS, CalledBy.CLOCK) and each.name in there:
            ingress = service(there[each.name])["ingress_settings"]
            if ingress != "ALLOW_INTERNAL_ONLY":
                yield f"{each.name} is reached from outside: {ingress}"


@rule
def behind_a_load_balancer_there_is_no_way_around_it(plan: Plan) -> Iterator[str]:
    if not plan.of("compute_url_map"):
        return
    there = functions(plan)
    for each in TABLE:
        if each.called_by is CalledBy.SENDERS and each.name in there:
            ingress = service(there[each.name])["ingress_settings"]
            if ingress != "ALLOW_INTERNAL_AND_GCLB":
                yield f"{each.name} is reached around the load balancer: {ingress}"


def _pages(plan: Plan) -> dict[str, Resource]:
    """The functions that people open."""
    there = functions(plan)
    people = [each.name for each in TABLE if each.called_by is CalledBy.PEOPLE]
    return {name: there[name] for name in people if name in there}


def _balancers(plan: Plan) -> dict[str, Resource]:
    """The backends of load balancers, by the service to which each leads."""
    groups = {
        each.values["id"]: each.values["cloud_run"][0]["service"]
        for each in plan.of("compute_region_network_endpoint_group")
    }
    backends = plan.of("compute_backend_service")
    return {groups[each.values["backend"][0]["group"]]: each for each in backends}


def _let_through(plan: Plan, name: str) -> set[str]:
    """Whom IAP lets through to a service: at its load balancer if it has one, else at itself."""
    balancer = _balancers(plan).get(name)
    at, of, is_at = (
        ("iap_web_backend_service_iam_member", "web_backend_service", balancer.values["name"])
        if balancer
        else ("iap_web_cloud_run_service_iam_member", "cloud_run_service_name", name)
    )
    return {
        each.values["member"]
        for each in plan.of(at)
        if each.values[of] == is_at and each.values["role"] == "roles/iap.httpsResourceAccessor"
    }


def _callers(plan: Plan) -> dict[str, set[str]]:
    """Who may call each function."""
    names = {each.values["name"]: name for name, each in functions(plan).items()}
    found: dict[str, set[str]] = {}
    for each in plan.of("cloud_run_v2_service_iam_member"):
        if each.values["role"] == "roles/run.invoker":
            found.setdefault(names[each.values["name"]], set()).add(each.values["member"])
    return found


# --- what accounts may do ------------------------------------------------------------------


def _grants(plan: Plan) -> list[Resource]:
    return [each for each in plan.resources if each.type.endswith("_iam_member")]


@rule
def no_role_is_primitive(plan: Plan) -> Iterator[str]:
    for each in _grants(plan):
        role = each.values["role"]
        if role in PRIMITIVE or role.rpartition(".")[2].lower() in ("admin", "owner"):
            yield f"{each.address} grants {role}"


@rule
def grants_are_added_not_replaced(plan: Plan) -> Iterator[str]:
    """A policy or binding of a project would take away what others have there."""
    for each in plan.resources:
        if each.type.endswith(("_iam_policy", "_iam_binding")):
            yield f"{each.address} replaces what others were granted"


@rule
def roles_on_the_project_are_few_and_limited(plan: Plan) -> Iterator[str]:
    for each in plan.of("project_iam_member"):
        role = each.values["role"]
        if role not in PROJECT_WIDE:
            yield f"{each.address} grants {role} on the whole project"
        elif role != "roles/logging.logWriter" and not each.values.get("condition"):
            yield f"{each.address} grants {role} without a condition"


@rule
def each_function_may_publish_what_it_publishes_and_no_more(plan: Plan) -> Iterator[str]:
    yield from _compared(
        plan,
        {each.name: {str(topic) for topic in each.publishes} for each in TABLE},
        _granted(plan, "pubsub_topic_iam_member", "roles/pubsub.publisher", "topic"),
        "publish to",
    )


@rule
def who_needs_the_database_may_use_it_and_nobody_else(plan: Plan) -> Iterator[str]:
    allowed = _granted(plan, "project_iam_member", "roles/datastore.user", "role")
    for each in TABLE:
        if each.needs_database != bool(allowed.get(each.name)):
            yield f"{each.name}: may use the database: {not each.needs_database}"


@rule
def who_has_a_secret_may_read_it_and_nobody_else(plan: Plan) -> Iterator[str]:
    wanted = {
        name: {each["secret"] for each in service(function)["secret_environment_variables"]}
        for name, function in functions(plan).items()
    }
    role = "roles/secretmanager.secretAccessor"
    yield from _compared(
        plan, wanted, _granted(plan, "secret_manager_secret_iam_member", role, "secret_id"), "read"
    )


def _granted(plan: Plan, type_: str, role: str, of: str) -> dict[str, set[str]]:
    """What each function's account was granted."""
    accounts = {
        f"serviceAccount:{service(each)['service_account_email']}": name
        for name, each in functions(plan).items()
    }
    found: dict[str, set[str]] = {}
    for each in plan.of(type_):
        name = accounts.get(each.values["member"])
        if each.values["role"] == role and name:
            found.setdefault(name, set()).add(each.values[of])
    return found


def _compared(
    plan: Plan, wanted: Mapping[str, set[str]], given: Mapping[str, set[str]], what: str
) -> Iterator[str]:
    for name in functions(plan):
        for missing in wanted.get(name, set()) - given.get(name, set()):
            yield f"{name} may not {what} {missing}"
        for more in given.get(name, set()) - wanted.get(name, set()):
            yield f"{name} may {what} {more}, and does not"
