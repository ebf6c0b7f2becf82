"""Rules about variables and secrets."""

import json
import re
from collections.abc import Iterator, Mapping

from infra.rules.base import functions, rule, service
from infra.terraform import Plan, Resource
from warmlead.domain.errors import ConfigurationError
from warmlead.runtime.table import TABLE, Function
from warmlead.settings import Settings, read_settings

OF_THE_PLATFORM = {"FUNCTION_USE_ASGI"}
"""Variables that the framework reads, not Warmlead."""

SECRET_LIKE = re.compile(r"AKIA[0-9A-Z]{16}|AIza[\w-]{35}|-----BEGIN|xox[bp]-|sk_live_|ghp_\w{36}")
CREDENTIAL_NAMED = re.compile(r"SECRET|TOKEN|PASSWORD|WRITE_KEYS|PRIVATE_KEY")


def given_to(function: Resource) -> dict[str, str]:
    """The variables of a function; a secret is a long random text."""
    config = service(function)
    secrets = {each["key"]: "" for each in config["secret_environment_variables"]}
    stand_ins = {name: f"Zq8-{name}-x7Rk2LmW9_tB4vYc1" for name in secrets}
    return {**config["environment_variables"], **stand_ins}


@rule
def every_function_starts_with_its_variables(plan: Plan) -> Iterator[str]:
    """The code's own check of what it reads, in production."""
    there = functions(plan)
    for each in TABLE:
        if each.name not in there:
            continue
        given = {**given_to(there[each.name]), "K_SERVICE": each.name}
        yield from (f"{each.name}: {fault}" for fault in _faults(each, given))


def _faults(function: Function, given: Mapping[str, str]) -> Iterator[str]:
    try:
        settings = read_settings(given)
        settings.demand(*function.demands)
    except ConfigurationError as error:
        yield str(error)
        return
    if not settings.production or settings.backend != "gcp":
        yield "not on Google Cloud in production"
    if function.needs_database and "WARMLEAD_DATABASE" not in given:
        yield "WARMLEAD_DATABASE is missing"
    if given.get("FUNCTION_USE_ASGI") != "1":
        yield "FUNCTION_USE_ASGI is missing"


@rule
def every_declared_variable_is_read(plan: Plan) -> Iterator[str]:
    known = {f"WARMLEAD_{name.upper()}" for name in Settings.__struct_fields__}
    demands = {each.name: set(each.demands) for each in TABLE}
    for name, each in functions(plan).items():
        for variable in service(each)["environment_variables"]:
            if variable not in known | OF_THE_PLATFORM:
                yield f"{name}: nobody reads {variable}"
        for secret in service(each)["secret_environment_variables"]:
            setting = secret["key"].removeprefix("WARMLEAD_").lower()
            if secret["key"] in known and setting not in demands.get(name, {setting}):
                yield f"{name} does not read {secret['key']}"


@rule
def no_secret_is_written_in_the_clear(plan: Plan) -> Iterator[str]:
    for each in plan.resources:
        if SECRET_LIKE.search(json.dumps(each.values)):
            yield f"{each.address} holds what looks like a key"
    for name, each in functions(plan).items():
        for variable in service(each)["environment_variables"]:
            if CREDENTIAL_NAMED.search(variable):
                yield f"{name}: {variable} is a secret, and stands in the clear"
    for type_ in ("secret_manager_secret_version", "service_account_key"):
        for each in plan.of(type_):
            yield f"{each.address} would stand in Terraform's state"


@rule
def secrets_are_rotated_and_somebody_is_told(plan: Plan) -> Iterator[str]:
    topics = {each.values["id"] for each in plan.of("pubsub_topic")}
    for each in plan.of("secret_manager_secret"):
        if each.values["secret_id"].endswith("WARMLEAD_ID_SECRET"):
            continue  # with another one no lead is found
        if not each.values["rotation"]:
            yield f"{each.address} is never due for rotation"
        if not {topic["name"] for topic in each.values["topics"]} & topics:
            yield f"{each.address} tells nobody when it is due"
