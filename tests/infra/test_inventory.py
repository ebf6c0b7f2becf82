"""What Terraform reads is what the code says today."""

import json
import runpy

import pytest

from infra.terraform import INFRA, ROOT
from warmlead.runtime.table import TABLE, names
from warmlead.settings import PREFIX, Settings

INVENTORY = runpy.run_path(str(INFRA / "inventory.py"))


def test_the_inventory_is_fresh() -> None:
    written = (INFRA / "inventory.json").read_text(encoding="utf-8")

    assert written == INVENTORY["text"](), "run make inventory"


def test_it_has_every_function_of_the_table() -> None:
    assert tuple(json.loads((INFRA / "inventory.json").read_text())["functions"]) == names()


def test_every_setting_is_deployed_chosen_or_left_out_for_a_reason() -> None:
    files = {name.removeprefix(PREFIX).lower() for each in TABLE for name in each.files}
    deployed = {*INVENTORY["EVERYWHERE"], *INVENTORY["OF_THE_DATABASE"], *INVENTORY["SECRETS"]}
    deployed |= {name for named in INVENTORY["ANSWERS"].values() for name in named}
    groups = [deployed, {*INVENTORY["CHOICE"]}, {*INVENTORY["NOT_DEPLOYED"]}, files]

    assert set.union(*groups) == set(Settings.__struct_fields__)
    assert sum(map(len, groups)) == len(Settings.__struct_fields__)


def test_an_unknown_setting_is_not_written() -> None:
    with pytest.raises(KeyError):
        INVENTORY["_variable"]("push_autth")


def test_the_stored_schema_has_every_type_in_use() -> None:
    schema = json.loads((ROOT / "tests/infra/google_schema.json").read_text())
    script = runpy.run_path(str(INFRA / "provider_schema.py"))
    texts = [path.read_text() for path in INFRA.rglob("*.tf")]
    used = {found for text in texts for found in script["MANAGED"].findall(text)}

    assert used | {*script["IN_TESTS"]} == {
        (kind, name) for kind in ("resource", "data") for name in schema[kind]
    }
