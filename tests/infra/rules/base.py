"""What all rules share: the list of them, and how a plan is read.

A rule yields what is wrong with a plan, in words. The lists that a plan is compared with are those
of the code: the table of functions, topology, settings, and ``firestore.indexes.json``.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infra.terraform import Plan, Resource

Rule = Callable[[Plan], Iterator[str]]
RULES: list[Rule] = []


def rule(check: Rule) -> Rule:
    """Marks a rule."""
    RULES.append(check)
    return check


def functions(plan: Plan) -> dict[str, Resource]:
    """The planned functions, by their name in the code."""
    return {
        each.values["build_config"][0]["entry_point"]: each
        for each in plan.of("cloudfunctions2_function")
    }


def service(function: Resource) -> Mapping[str, Any]:
    found: Mapping[str, Any] = function.values["service_config"][0]
    return found


def is_agent(grant: Resource) -> bool:
    """Whether something is granted to Pub/Sub's own account."""
    member: str = grant.values["member"]
    return member.endswith("@gcp-sa-pubsub.iam.gserviceaccount.com")


def is_behind_iap(backend: Resource) -> bool:
    """Whether a load balancer lets through only whom IAP knows."""
    return any(each["enabled"] for each in backend.values["iap"] or ())


def seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))
