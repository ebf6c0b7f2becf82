"""What a server says when it begins."""

import pytest

from unit.cli.conftest import Workspace
from warmlead import backends
from warmlead.cli.welcome import welcome


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (None, "(write key: local)"),
        ("local,site-one:signed", "(write key: local)"),
        ("site-one,another:signed", "(write keys: WARMLEAD_WRITE_KEYS)"),
    ],
)
def test_it_names_the_key_that_works(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    keys: str | None,
    told: str,
) -> None:
    monkeypatch.setenv("WARMLEAD_DATA", str(workspace.data))
    if keys:
        monkeypatch.setenv("WARMLEAD_WRITE_KEYS", keys)
    backends.settings.cache_clear()
    welcome("0.0.0.0", 8080, on="data", watch="")  # nothing listens there
    out = " ".join(capsys.readouterr().out.split())
    assert told in out
    assert "site-one" not in out
    assert ("the key is known to all" in out) is (told == "(write key: local)")
