"""An environment is applied, applied again, upgraded and rolled back, by the real ``terraform``."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from infra.terraform import Workspace
from warmlead.runtime.table import TABLE, public

CREATED = re.compile(r'module\.(consumer|acceptor)\["(\w+)"\]\.google_cloudfunctions2_function')


pytestmark = pytest.mark.xdist_group("applied")  # they share one application from nothing


class Applied(NamedTuple):
    """``dev`` as it was applied from nothing, and what was said then. Not to be changed."""

    folder: Path
    said: str


@pytest.fixture(scope="module")
def applied(
    prepared: Workspace, tmp_path_factory: pytest.TempPathFactory, reattach: Mapping[bool, str]
) -> Applied:
    folder = tmp_path_factory.mktemp("applied") / "infra"
    shutil.copytree(prepared.folder, folder, symlinks=True)
    return Applied(folder, apply(Workspace(folder, reattach, prepared.staged)))


@pytest.fixture
def there(applied: Applied, workspace: Workspace) -> Workspace:
    """A copy of it, state and all, to be changed."""
    shutil.copytree(applied.folder, workspace.folder, symlinks=True, dirs_exist_ok=True)
    return workspace


def apply(workspace: Workspace) -> str:
    assert (ran := workspace.plan()).code == 0, ran.output
    applied = workspace.run("apply", "-input=false", "-no-color", "plan.bin")
    assert applied.code == 0, applied.output
    return applied.output


def changes(workspace: Workspace) -> dict[str, list[str]]:
    """What a plan would do, by address; nothing that stays as it is."""
    assert (ran := workspace.plan()).code == 0, ran.output
    shown: dict[str, Any] = json.loads(workspace.run("show", "-json", "plan.bin").output)
    return {
        each["address"]: each["change"]["actions"]
        for each in shown["resource_changes"]
        if each["change"]["actions"] not in (["no-op"], ["read"])
    }


def stage(workspace: Workspace, sha256: str, *functions: str) -> None:
    """Stages other content of some functions."""
    staged = json.loads(workspace.staged.read_text())
    for name in functions or staged["functions"]:
        staged["functions"][name]["sha256"] = sha256
    workspace.staged = workspace.folder / "staged.json"
    workspace.staged.write_text(json.dumps(staged))


def test_what_is_applied_stays_as_it_is(there: Workspace) -> None:
    assert changes(there) == {}


def test_a_changed_function_is_deployed_alone_and_a_roll_back_too(there: Workspace) -> None:
    before = there.staged
    stage(there, "1" * 64, "score")

    upgrade = changes(there)
    apply(there)
    there.staged = before
    roll_back = changes(there)

    score = 'module.warmlead.module.consumer["score"].google_cloudfunctions2_function.function'
    assert upgrade == roll_back == {score: ["update"]}


def test_functions_that_read_messages_come_before_those_that_write_them(
    applied: Applied, there: Workspace
) -> None:
    stage(there, "1" * 64)
    upgraded = apply(there)

    for output, word in ((applied.said, "Creation"), (upgraded, "Modifications")):
        done = [CREATED.search(line) for line in output.splitlines() if f"{word} complete" in line]
        kinds = [each[1] for each in done if each]
        assert kinds == ["consumer"] * (len(TABLE) - len(public())) + ["acceptor"] * len(public())


@pytest.mark.parametrize("environment", ["prod", "all"])
def test_the_other_environments_are_applied_too(environment: str, workspace: Workspace) -> None:
    workspace.environment = environment
    apply(workspace)

    assert changes(workspace) == {}


def test_leads_keep_the_key_of_their_ids_whatever_is_taken_down(there: Workspace) -> None:
    destroy = ("destroy", "-auto-approve", f"-var=staged={there.staged}", "-no-color")

    refused = there.run(*destroy)
    key = "module.warmlead.module.secrets.google_secret_manager_secret.permanent"
    left_out = there.run("state", "rm", key)
    done = there.run(*destroy)

    assert refused.code == 1
    assert "prevent_destroy" in refused.output
    assert 'secret.permanent["WARMLEAD_ID_SECRET"]' in refused.output
    assert left_out.code == 0, left_out.output
    assert done.code == 0, done.output
    assert "Destroy complete!" in done.output


def test_a_secret_of_senders_may_go(there: Workspace, tmp_path: Path) -> None:
    staged = json.loads(there.staged.read_text())
    assert staged["functions"]["forms"]["secrets"] == ["CONTACT_SECRET"]
    staged["functions"]["forms"]["secrets"] = []
    there.staged = tmp_path / "staged.json"
    there.staged.write_text(json.dumps(staged))

    gone = [address for address, actions in changes(there).items() if actions == ["delete"]]

    assert (
        'module.warmlead.module.secrets.google_secret_manager_secret.rotated["CONTACT_SECRET"]'
        in gone
    )


def test_the_modules_own_tests_pass(workspace: Workspace) -> None:
    module = workspace.folder / "modules/warmlead"
    for arguments in (("init", "-input=false", "-no-color"), ("test", "-no-color")):
        ran = workspace.run(f"-chdir={module}", *arguments)
        assert ran.code == 0, ran.output

    assert "11 passed, 0 failed" in ran.output
