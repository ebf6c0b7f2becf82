"""``make deploy`` and ``make rollback``, with the real ``terraform`` and a stand-in for Google."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from infra.terraform import ROOT, copied
from warmlead.runtime.table import names
from warmlead.settings import MIN_SECRET_LENGTH, id_secrets, is_guessable

GIVEN = "of-the-form-builder-0815"


class Operator:
    """Somebody at a terminal, in a copy of the repository's ``infra``."""

    def __init__(self, folder: Path, reattach: str, staged: Path) -> None:
        self.folder = folder
        self.staged = folder / "staged"
        self.google = folder / "google"
        self.google.mkdir(parents=True)
        self.staged.mkdir()
        for each in staged.parent.glob("*.zip"):
            self.staged.joinpath(each.name).symlink_to(each)
        shutil.copyfile(staged, self.staged / "staged.json")
        (folder / "infra").mkdir()
        copied(folder / "infra")
        shutil.copyfile(ROOT / "infra/deploy.py", folder / "infra/deploy.py")
        self.tools = tools = folder / "bin"
        tools.mkdir()
        stand_in = Path(__file__).with_name("gcloud_stand_in.py")
        (tools / "gcloud").write_text(f'#!/bin/sh\nexec {sys.executable} {stand_in} "$@"\n')
        (tools / "gcloud").chmod(0o755)
        plain = {name: text for name, text in os.environ.items() if not name.startswith("TF_")}
        self.variables = {
            **plain,
            "PATH": f"{tools}:{plain['PATH']}",
            "GCLOUD_STAND_IN": str(self.google),
            "TF_REATTACH_PROVIDERS": reattach,
            "CHECKPOINT_DISABLE": "1",
        }

    def names_project(self) -> None:
        values = self.folder / "infra/environments/dev/terraform.tfvars"
        values.write_text(values.read_text().replace("your-project-dev", "acme-leads-dev"))

    def names_viewers(self) -> None:
        chosen = self.folder / "infra/environments/dev/main.tf"
        people = '  people = ["user:ada@example.com"]\n}'
        chosen.write_text(chosen.read_text().rstrip().removesuffix("}") + people)

    def switches_of_iap(self) -> list[str]:
        """What was done to the dashboard's service, in the order of the commands."""
        calls = (self.google / "calls").read_text().splitlines()
        update = "beta run services update warmlead-dashboard --region=europe-west1 "
        return [each.split()[-2] for each in calls if each.startswith(update)]

    def does(
        self, *words: str, answer: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(self.folder / "infra/deploy.py"), *words]
        return subprocess.run(
            command,
            input=answer,
            capture_output=True,
            text=True,
            check=False,
            env={**self.variables, **variables},
        )

    def deploys(self, **variables: str) -> subprocess.CompletedProcess[str]:
        done = self.does("deploy", "dev", "--yes", "--staged", str(self.staged), **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def stages(self, function: str, sha256: str) -> None:
        content = json.loads((self.staged / "staged.json").read_text())
        content["functions"][function]["sha256"] = sha256
        (self.staged / "staged.json").write_text(json.dumps(content))

    def deployed(self) -> dict[str, str]:
        """The object of each deployed function, as Terraform's state has it."""
        state = self.folder / "infra/environments/dev/terraform.tfstate"
        return {
            each["attributes"]["name"].removeprefix("warmlead-"): each["attributes"][
                "build_config"
            ][0]["source"][0]["storage_source"][0]["object"]
            for resource in json.loads(state.read_text())["resources"]
            if resource["type"] == "google_cloudfunctions2_function"
            for each in resource["instances"]
        }

    def secret(self, name: str) -> list[str]:
        kept = self.google / "secrets" / f"warmlead-{name}"
        return [each.read_text() for each in sorted(kept.glob("*"))]


@pytest.fixture
def operator(tmp_path: Path, reattach: Mapping[bool, str], staged: Path) -> Operator:
    return Operator(tmp_path, reattach[False], staged)


def test_a_deployment_a_rotated_secret_a_failed_upgrade_another_and_roll_backs(
    operator: Operator,
) -> None:
    """One story, since a deployment from nothing costs most of it."""
    operator.names_project()
    operator.names_viewers()
    first = operator.deploys(CONTACT_SECRET=GIVEN)
    at_first = operator.deployed()
    _is_deployed_whole(operator, first.stdout)

    added = operator.does("secret", "dev", "--name", "CONTACT_SECRET", CONTACT_SECRET="another")
    rotated = operator.deploys()
    assert added.returncode == 0, added.stderr
    assert operator.secret("CONTACT_SECRET") == [GIVEN, "another"]
    assert "0 added, 1 changed, 0 destroyed" in rotated.stdout
    assert operator.deployed() == at_first

    operator.stages("score", "1" * 64)
    operator.stages("forms", "2" * 64)
    _fails_halfway(operator)
    assert operator.deployed() == at_first

    second = operator.deploys()
    upgraded = operator.deployed()
    back = operator.does("rollback", "dev", "--yes")
    assert "0 added, 2 changed, 0 destroyed" in second.stdout
    assert upgraded["score"] == f"functions/score-{'1' * 64}.zip"
    assert back.returncode == 0, back.stderr
    assert operator.deployed() == at_first
    changed = [line for line in back.stdout.splitlines() if "function: Modifying" in line]
    assert [name for line in changed for name in ("forms", "score") if f'["{name}"]' in line] == [
        "forms",
        "score",
    ]
    assert GIVEN not in first.stdout + rotated.stdout + second.stdout
    applied = [first, rotated, "the way back from half an upgrade", second, back]
    assert operator.switches_of_iap() == ["--iap"] * len(applied)


def _is_deployed_whole(operator: Operator, said: str) -> None:
    """Everything was applied, each secret has its value, and the code is where it is read."""
    deployed = operator.deployed()
    assert set(deployed) == set(names())
    assert "Apply complete!" in said
    assert operator.secret("CONTACT_SECRET") == [GIVEN]
    (key,) = operator.secret("WARMLEAD_ID_SECRET")
    assert len(key) >= 32
    bucket = operator.google / "acme-leads-dev-warmlead-deploy"
    uploaded = {
        name: f"functions/{name}-{sha256((bucket / there).read_bytes()).hexdigest()}.zip"
        for name, there in deployed.items()
    }
    assert uploaded == deployed


def _fails_halfway(operator: Operator) -> None:
    """Deploys while Terraform cannot apply anything, and rolls back."""
    command = operator.tools / "terraform"
    real = shutil.which("terraform")
    command.write_text(f'#!/bin/sh\ncase "$*" in *apply*) exit 1;; esac\nexec {real} "$@"\n')
    command.chmod(0o755)

    failed = operator.does("deploy", "dev", "--yes", "--staged", str(operator.staged))
    command.unlink()
    back = operator.does("rollback", "dev", "--yes")

    assert failed.returncode == 1
    assert back.returncode == 0, back.stderr
    assert "This is release" in back.stdout


def test_nothing_is_applied_without_a_yes(operator: Operator) -> None:
    operator.names_project()

    done = operator.does(
        "deploy", "dev", "--staged", str(operator.staged), answer="n\n", CONTACT_SECRET=GIVEN
    )

    assert done.returncode == 1
    assert "Nothing was changed." in done.stderr
    assert operator.secret("WARMLEAD_ID_SECRET") == []


def test_the_secret_of_ids_is_rotated_with_the_one_before_until_that_is_forgotten(
    operator: Operator,
) -> None:
    kept = operator.google / "secrets/warmlead-WARMLEAD_ID_SECRET"
    kept.mkdir(parents=True)
    (kept / "1").write_text("the first secret, of 32 characters")
    operator.names_project()
    rotate = ("secret", "dev", "--name", "WARMLEAD_ID_SECRET")

    begun = operator.does(*rotate)
    again = operator.does(*rotate)
    ended = operator.does(*rotate, "--forget")
    twice = operator.does(*rotate, "--forget")

    first, both, last = operator.secret("WARMLEAD_ID_SECRET")
    new, former = id_secrets(both)
    assert (former, last) == (first, new)
    assert len(new) >= MIN_SECRET_LENGTH
    assert not is_guessable(new, MIN_SECRET_LENGTH)
    assert "respell --apply" in begun.stdout
    assert new not in begun.stdout + begun.stderr
    assert (again.returncode, "is being rotated" in again.stderr) == (1, True)
    assert (ended.returncode, twice.returncode) == (0, 1)


def test_what_cannot_be_deployed_is_said(operator: Operator) -> None:
    def said(*words: str, **variables: str) -> str:
        done = operator.does(*words, **variables)
        assert done.returncode == 1
        return done.stderr

    assert "Write your project into" in said("deploy", "dev")
    assert "There is no environment staging; there are all, dev, prod." in said("deploy", "staging")
    assert "terraform is not installed: https://" in said("deploy", "dev", PATH="/nowhere")
    operator.names_project()
    assert "The secret CONTACT_SECRET has no value" in said(
        "deploy", "dev", "--yes", "--staged", str(operator.staged)
    )
    assert "no such release" in said("rollback", "dev")
    assert "no secret before" in said("secret", "dev", "--name", "CONTACT_SECRET", "--forget")
