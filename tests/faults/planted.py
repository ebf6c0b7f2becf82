"""Bugs that are planted into a copy of the product, to see that the campaign finds them.

Each is a patch in ``planted/`` whose first lines say what it is and who is to find it. A patch
that no longer applies is a failure too: then nobody knows whether the bug would be found.
"""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from faults.campaign import say
from faults.patching import StalePatchError, patched, product
from programs import ended

FOLDER = Path(__file__).with_name("planted")
TESTS = Path(__file__).parents[1]
LONGEST_S = 300
AT_ONCE = 2


class Bug(NamedTuple):
    """A patch, what is wrong with the product afterwards, and the trials that must show it."""

    name: str
    says: str
    fault: str
    backend: str
    trials: int
    patch: str


class Hunted(NamedTuple):
    """What came of a hunt: ``caught`` by which seed with which violation, or why not."""

    bug: Bug
    caught: bool
    told: str


def read_bugs() -> list[Bug]:
    """The planted bugs, in order of their names."""
    return [_read(path) for path in sorted(FOLDER.glob("*.patch"))]


def _read(path: Path) -> Bug:
    text = path.read_text(encoding="utf-8")
    fields = dict(re.findall(r"^(Bug|Fault|Backend|Trials): (.+)$", text, re.MULTILINE))
    return Bug(
        path.stem, fields["Bug"], fields["Fault"], fields["Backend"], int(fields["Trials"]), text
    )


def hunt(backends: Sequence[str]) -> int:
    """Plants each bug of these backends in turn and looks for it; how many were not caught."""
    bugs = [bug for bug in read_bugs() if bug.backend in backends]
    say(f"\nplanted bugs: {len(bugs)}")
    with ThreadPoolExecutor(AT_ONCE) as threads:
        hunted = []
        for each in threads.map(_hunt, bugs):
            hunted.append(each)
            mark = "caught" if each.caught else "NOT CAUGHT"
            say(f"  {mark} {each.bug.name}: {each.bug.says}\n      {each.told}")
    caught = sum(each.caught for each in hunted)
    say(f"{caught} of {len(bugs)} planted bugs caught")
    return len(bugs) - caught


def _hunt(bug: Bug) -> Hunted:
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        try:
            plant(bug.patch, Path(folder))
        except StalePatchError as error:
            return Hunted(bug, caught=False, told=f"the patch no longer applies: {error}")
        return _look_for(bug, Path(folder))


def _look_for(bug: Bug, copy: Path) -> Hunted:
    command = [
        *(sys.executable, "-m", "faults", "--only", bug.fault, "--backend", bug.backend),
        *("--slice", "ci", "--trials", str(bug.trials), "--until-violation"),
    ]
    environment = {**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{TESTS}"}
    done = ended(command, env=environment, longest_s=LONGEST_S, cwd=TESTS)
    seed = re.search(r"^VIOLATION of .*, seed (\d+)$", done.stdout, re.MULTILINE)
    broken = re.search(r"^ +(I[1-9]: .*)$", done.stdout, re.MULTILINE)
    if done.returncode == 1 and seed and broken:
        told = f"by {bug.fault} on {bug.backend}, seed {seed[1]}: {broken[1][:110]}"
        return Hunted(bug, caught=True, told=told)
    said = (done.stdout + done.stderr).strip().splitlines()[-4:]
    return Hunted(bug, caught=False, told=f"exit code {done.returncode}: {' | '.join(said)}")


# --- planting --------------------------------------------------------------------------------


def plant(patch: str, folder: Path) -> None:
    """Copies the product to a folder and applies a patch; raises ``StalePatchError``."""
    changed = patched([patch])
    copy = folder / "warmlead"
    shutil.copytree(product(), copy, ignore=shutil.ignore_patterns("__pycache__"))
    for file, text in changed.items():
        (copy / file).write_text(text, encoding="utf-8")
