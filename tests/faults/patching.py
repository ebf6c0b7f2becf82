"""Patches over the product: what its files say with them. Loads nothing of the product itself."""

import importlib.util
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path


class StalePatchError(Exception):
    """A patch does not fit the product any more."""


def product() -> Path:
    """The folder of the product that would be imported."""
    spec = importlib.util.find_spec("warmlead")
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def patched(patches: Sequence[str]) -> dict[str, str]:
    """The texts of the files that patches change, by path; raises ``StalePatchError``.

    Line numbers are not looked at: each hunk's old lines must be there exactly once.
    """
    changed: dict[str, str] = {}
    for file, old, new in (hunk for patch in patches for hunk in _hunks(patch)):
        path = product() / file
        text = changed.get(file) or (path.read_text(encoding="utf-8") if path.exists() else "")
        if text.count(old) != 1:
            raise StalePatchError(f"{file} has these lines {text.count(old)} times:\n{old}")
        changed[file] = text.replace(old, new)
    for file, text in changed.items():
        try:
            compile(text, file, "exec")
        except SyntaxError as error:
            raise StalePatchError(f"what comes out does not compile: {error}") from error
    return changed


def _hunks(patch: str) -> Iterator[tuple[str, str, str]]:
    """The file, old and new lines of each hunk."""
    file = ""
    old: list[str] = []
    new: list[str] = []
    flush = partial(_joined, old, new)
    for line in [*patch.splitlines(), "@@"]:
        if line.startswith(("@@", "--- ")) and (old or new):
            yield file, *flush()
            old.clear()
            new.clear()
        if line.startswith("+++ "):
            file = line.removeprefix("+++ b/shared/warmlead/").strip()
        elif file and not line.startswith(("--- ", "@@")):
            if line[:1] in (" ", "-", ""):
                old.append(line[1:])
            if line[:1] in (" ", "+", ""):
                new.append(line[1:])


def _joined(old: Sequence[str], new: Sequence[str]) -> tuple[str, str]:
    return "".join(f"{line}\n" for line in old), "".join(f"{line}\n" for line in new)
