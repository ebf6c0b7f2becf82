"""Writes the stores of earlier releases anew: ``python tests/upgrade/remake.py [RELEASE …]``.

Each release plays ``story.py`` in a worktree of its commit, on a SQLite file and on Firestore's
emulator. What it wrote is kept as text, beside what its own commands say of it.
"""

import json
import os
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from warmlead.cli.local.emulators import emulator

HERE = Path(__file__).parent
STORES = HERE / "stores"
AS_OF = "2026-02-20T12:00Z"
PROJECT = "an-earlier-release"
COLLECTIONS = ("leads", "transitions", "reports")

RELEASES = {
    "layout-1": "677b384",
    "layout-2": "aa63d48",
    "layout-3": "46649b5",
    "before-the-house": "b775af7",
    "before-alerts": "f530a12",
    "one-clock": "cbc904c",
    "layout-3-last": "a6ec7c6",
    "before-nurture": "5b6a47d",
    "before-search": "ff4cbbc",
}
"""The first commit of the main branch that wrote each layout of a lead and could be run, and the
last ones before the package was rebuilt (moves have no cause), before a lead kept its journey,
before a move had two times, before layout 4 left out what is empty, before it was recorded which
steps of sequences were sent, and before leads were found by words."""


def main() -> None:
    """Makes the stores of all releases, or of those that are named."""
    for name in sys.argv[1:] or RELEASES:
        with worktree(RELEASES[name]) as source, TemporaryDirectory() as folder:
            make(name, source, Path(folder))


def make(name: str, source: Path, data: Path) -> None:
    """Has the release play the story, and writes what it kept and says."""
    (data / "model.yaml").write_text(model_of(name), encoding="utf-8")
    with emulator("firestore") as address:
        script = str(HERE / "story.py")
        told = json.loads(run(source, data, script, str(data), address, PROJECT))
        documents = {each: list(documents_in(address, each)) for each in COLLECTIONS}
    told["said"] = said(source, data, told["sqlite"])
    written = STORES / name
    written.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(data / "warmlead.sqlite3", isolation_level=None)) as file:
        file.execute(FEW_TRIGGERS)
        (version,) = file.execute("PRAGMA user_version").fetchone()
        dump = [*file.iterdump(), f"PRAGMA user_version = {version};"]
    write(written / "warmlead.sql", "\n".join(dump))
    write(written / "told.json", json.dumps(told, indent=1))
    if "firestore" in told:
        write(written / "firestore.json", json.dumps(documents, indent=1))


def model_of(name: str) -> str:
    """The model under which a release plays; the first one knew neither sales nor sequences."""
    parts = ["model.yaml"] if name == "layout-1" else ["model.yaml", "model-handoff.yaml"]
    return "".join((HERE / part).read_text(encoding="utf-8") for part in parts)


SAY = """
import json, sys
from typer.testing import CliRunner
from warmlead.cli.main import app

def ask(*words):
    return json.loads(CliRunner().invoke(app, ["lead", *words, "--json"]).stdout)

as_of, *ids = sys.argv[1:]
print(json.dumps({i: [ask(c, i, "--as-of", as_of) for c in ("show", "explain")] for i in ids}))
"""
"""Asks the release's command about leads."""


def said(source: Path, data: Path, lead_ids: Iterable[str]) -> Mapping[str, Any]:
    """What the release's commands say of leads."""
    answers = json.loads(run(source, data, "-c", SAY, AS_OF, *lead_ids))
    return {id_: summary(*answers[id_]) for id_ in answers}


def summary(shown: Mapping[str, Any], explained: Mapping[str, Any]) -> Mapping[str, Any]:
    """The numbers of a lead, and the lines of which its score is made."""
    numbers = {name: shown[name] for name in ("stage", "score", "engagement", "fit")}
    lines = [[each["kind"], each["name"], each["points"]] for each in explained["contributions"]]
    return {**numbers, "contributions": lines}


FEW_TRIGGERS = """
DELETE FROM messages WHERE topic NOT IN ('lead-events', 'quarantine') AND rowid NOT IN (
    SELECT rowid FROM messages WHERE topic NOT IN ('lead-events', 'quarantine')
    ORDER BY rowid DESC LIMIT 5
)
"""
"""Of the triggers that were published the last are enough; the fixture stays small."""


def run(source: Path, data: Path, *arguments: str) -> str:
    """What a Python program prints that has the release's package, and the data folder."""
    environment = {name: text for name, text in os.environ.items() if "WARMLEAD" not in name}
    environment |= {"PYTHONPATH": str(source / "shared"), "WARMLEAD_DATA": str(data)}
    environment |= {"WARMLEAD_MODEL": str(data / "model.yaml"), "FIRESTORE_EMULATOR_HOST": ""}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=data, env=environment, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return done.stdout.decode()


def documents_in(address: str, collection: str) -> Iterator[Mapping[str, Any]]:
    """The documents of a collection, as Firestore's REST API has them."""
    path = f"v1/projects/{PROJECT}/databases/(default)/documents/{collection}?pageSize=1000"
    with urllib.request.urlopen(f"http://{address}/{path}", timeout=60) as answer:
        found = json.load(answer).get("documents", [])
    for each in found:
        yield {"id": each["name"].rpartition("/")[2], "fields": each["fields"]}


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """The repository as it was, in a folder of its own."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "release")
        git = ["git", "-C", str(HERE), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(path), commit], check=True)
        try:
            yield path
        finally:
            subprocess.run([*git, "remove", "--force", str(path)], check=True)


def write(path: Path, text: str) -> None:
    """Writes a text that ends with a line's end."""
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
