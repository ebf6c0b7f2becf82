"""What the tests of Terraform need: the command, the provider, staged functions, a workspace."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from e2e.lacking import skip_or_fail
from infra.provider import serving
from infra.terraform import MISSING, ROOT, Plan, Workspace, copied, present

FORMS = "contact: {signature: {secrets: [env:CONTACT_SECRET]}}\n"


@pytest.fixture(scope="session")
def reattach() -> Iterator[Mapping[bool, str]]:
    """The provider, as it is and foreseeing; skips without ``terraform``, in CI it fails."""
    if not present():
        skip_or_fail(MISSING)
    with serving() as usual, serving(foreseeing=True) as foreseeing:
        yield {False: usual, True: foreseeing}


@pytest.fixture(scope="session")
def staged(emulators_folder: Path) -> Path:
    """``staged.json`` of functions that were really staged, once for all workers of a run."""
    folder = emulators_folder / "staged-for-terraform"
    with (emulators_folder / "staged-for-terraform.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "staged.json").exists():
            folder.mkdir(exist_ok=True)
            (folder / "forms.yaml").write_text(FORMS)
            command = [sys.executable, str(ROOT / "infra/stage.py"), "--into", str(folder)]
            command += ["--forms", str(folder / "forms.yaml")]
            subprocess.run(command, check=True, capture_output=True, env={**os.environ})
    return folder / "staged.json"


@pytest.fixture(scope="session")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, reattach: Mapping[bool, str], staged: Path
) -> Workspace:
    """A workspace whose environments are initialised; copy it before anything is changed."""
    folder = tmp_path_factory.mktemp("infra")
    copied(folder)
    workspace = Workspace(folder, reattach, staged)
    for environment in ("dev", "prod", "all"):
        workspace.environment = environment
        ran = workspace.init()
        assert ran.code == 0, ran.output
    return workspace


@pytest.fixture
def workspace(prepared: Workspace, tmp_path: Path, reattach: Mapping[bool, str]) -> Workspace:
    """A copy of it, to be changed."""
    folder = tmp_path / "infra"
    shutil.copytree(prepared.folder, folder, symlinks=True)
    return Workspace(folder, reattach, prepared.staged)


@pytest.fixture(scope="session")
def plan_of(prepared: Workspace) -> Callable[[str], Plan]:
    """The plan of an environment, made once."""
    made: dict[str, Plan] = {}

    def plan(environment: str) -> Plan:
        if environment not in made:
            prepared.environment = environment
            ran = prepared.plan(foreseeing=True)
            assert ran.code == 0, ran.output
            made[environment] = prepared.planned()
        return made[environment]

    return plan
