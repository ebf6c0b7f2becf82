"""The file ``.env``: what it sets, and that each line which says nothing is named."""

from pathlib import Path

import pytest

from unit.cli.conftest import command_in
from warmlead.cli.environment import variables
from warmlead.settings import read_settings

pytestmark = pytest.mark.slow

MODEL = "WARMLEAD_MODEL=ecommerce\n"


def shown(folder: Path, content: bytes) -> tuple[int, str, str]:
    """What a command does in a folder with this file: its exit code, output and errors."""
    (folder / ".env").write_bytes(content)
    done = command_in(folder, "model", "show", "--json")
    return done.returncode, done.stdout, " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f'{MODEL}\n\nWARMLEAD_ID_SECRET="opens\n', "line 4: must be NAME=value; quotes that"),
        (f"# mine\n{MODEL}WARMLEAD_DATA\n", "line 3: WARMLEAD_DATA has no value"),
        (f"warmlead_data\n{MODEL}", "line 1: warmlead_data has no value"),
        (f"{MODEL}WARMLEAD_DATA: there\n", "line 2: must be NAME=value"),
        ("WARMLEAD_DATA\nWARMLEAD_FORMS\n", "line 2: WARMLEAD_FORMS has no value"),
    ],
)
def test_a_broken_line_is_named_with_its_file(tmp_path: Path, text: str, told: str) -> None:
    code, out, err = shown(tmp_path, text.encode())
    assert (code, out) == (2, "")
    assert told in err
    assert str(tmp_path / ".env") in err.replace(" ", "")
    assert "opens" not in err


@pytest.mark.parametrize(
    "content",
    [
        MODEL.encode(),
        b"\xef\xbb\xbf" + MODEL.encode(),  # as Windows writes it
        f"OTHERS\nFOO=\n\n# a comment\nexport {MODEL}".encode(),
    ],
)
def test_what_is_sound_is_read(tmp_path: Path, content: bytes) -> None:
    code, out, _ = shown(tmp_path, content)
    assert code == 0
    assert '"name": "ecommerce"' in out


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert "is not UTF-8" in shown(tmp_path, MODEL.encode("utf-16"))[2]
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()
    assert "Is a directory" in command_in(tmp_path, "model", "show").stderr


def test_another_shell_is_told_the_second_model_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "next.yaml").write_text("signals: {}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WARMLEAD_SHADOW_MODEL", "next.yaml")
    told = variables(read_settings({"WARMLEAD_SHADOW_MODEL": "next.yaml"}))
    assert told["WARMLEAD_SHADOW_MODEL"] == str(tmp_path / "next.yaml")
