"""The clients that npm installs, as their lock says: installed when first needed."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from e2e.lacking import skip_or_fail

CLIENTS = Path(__file__).parent / "clients"
_LOCK = CLIENTS / "package-lock.json"
_INSTALLED = CLIENTS / "node_modules" / ".installed"


def install_node_clients() -> Path:
    """The folder that holds ``node_modules``; skips if there is no npm, but fails in CI."""
    if not (shutil.which("node") and shutil.which("npm")):
        skip_or_fail("there is no node and npm on the PATH")
    with _LOCK.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of a parallel run would install at once
        wanted = hashlib.sha256(lock.read()).hexdigest()
        if not (_INSTALLED.exists() and _INSTALLED.read_text() == wanted):
            _install()
            _INSTALLED.write_text(wanted)
    return CLIENTS


def _install() -> None:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(
        command, cwd=CLIENTS, capture_output=True, text=True, check=False, timeout=180
    )
    if done.returncode:
        skip_or_fail(f"npm could not install the clients: {done.stderr.strip()[-300:]}")
