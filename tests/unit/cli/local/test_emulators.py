"""Google's emulators, where they cannot be started."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.lacking import skip_or_fail
from patience import PATIENCE_S
from warmlead.cli.local.emulators import emulators, missing
from warmlead.domain.errors import ConfigurationError

pytestmark = pytest.mark.slow


def test_a_machine_without_gcloud_and_java_is_told_what_to_install(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "warmlead.cli.main", "emulators"],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )

    assert done.returncode == 2
    said = " ".join(done.stderr.split())
    assert "gcloud and java cannot be found" in said
    assert "gcloud components install beta cloud-firestore-emulator pubsub-emulator" in said
    assert "apt-get install google-cloud-cli-firestore-emulator" in said


def test_a_port_on_which_somebody_listens_is_refused_at_once() -> None:
    if lacking := missing():
        skip_or_fail(lacking)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(ConfigurationError, match=f"something listens on port {port} already"),
            emulators({"pubsub": port}),
        ):
            pytest.fail("it was started")
