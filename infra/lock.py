"""Writes the locks, with hashes: for development, to run a checkout, for each function.

Run by ``make lock``. With ``--check`` nothing is changed, and stale locks are named.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "shared"))  # the very first lock comes before any installation

from warmlead.runtime.table import TABLE  # noqa: E402  # from there

DEVELOPMENT = Path("infra/locks/dev.txt")
RUNTIME = Path("infra/locks/runtime.txt")
# uv is in the virtual environment or, for the very first lock, on the path
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def main() -> int:
    """Locks, or checks, all requirement files."""
    check = "--check" in sys.argv[1:]
    wanted = {DEVELOPMENT: ["--extra", "cli", "--extra", "parquet", "--group", "dev"]}
    same = ["--constraint", str(DEVELOPMENT)]  # so that `make test` changes nothing of it
    wanted |= {RUNTIME: ["--extra", "cli", "--group", "runtime", *same]}
    wanted |= {
        Path("functions", each.name, "requirements.txt"): ["--extra", each.extra] for each in TABLE
    }
    stale = [lock for lock, options in wanted.items() if not _lock(lock, options, check=check)]
    for lock in stale:
        print(f"{lock} does not match pyproject.toml: run `make lock` and commit it")
    return 1 if stale else 0


def _lock(lock: Path, options: list[str], *, check: bool) -> bool:
    """Compiles one lock. Pins that still satisfy pyproject.toml stay as they are."""
    present = ROOT / lock
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder, lock.name)
        if present.exists():
            shutil.copy(present, fresh)
        command = ["uv", "pip", "compile", "pyproject.toml", "--universal", "--generate-hashes"]
        command += ["--python-version", "3.11", "--custom-compile-command", "make lock"]
        command += ["--quiet", "--output-file", str(fresh), *options]
        subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "PATH": PATH})
        if check:
            return present.exists() and present.read_bytes() == fresh.read_bytes()
        present.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(fresh, present)
    return True


if __name__ == "__main__":
    sys.exit(main())
