"""Stages every function as it is deployed: ``build/<function>/`` and ``build/<function>.zip``.

Run by ``make stage``. A staged function holds its entry point, the package, its locked
requirements and, where it reads them, the model (compiled), the forms and the senders of sales
(as JSON). The same sources give the same bytes, whenever and wherever they are staged.
Deploying is left to others.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from warmlead.domain.errors import ConfigurationError
from warmlead.model.plan import write_compiled
from warmlead.runtime.backends import STAGED, load_model
from warmlead.runtime.table import MODEL, TABLE, public
from warmlead.senders.registry import SECRETS, senders_in
from warmlead.settings import Settings

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "shared/warmlead"
LEFT_OUT = ("cli",)
"""Parts of the package that no function imports."""

DATA = ("model/ready/*.yaml", "senders/country_names.*", "web/snippet/warmlead.js")
"""What the package reads besides its modules."""

OF_SENDERS = {function.name: setting for function in public() for setting in function.files}
"""The setting that names a function's file of senders, by the function: an option here."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a zip: the earliest that the format knows."""

FILE_MODE = 0o100644 << 16
UNIX = 3
A_SECRET = "stands-for-a-secret-while-files-are-checked"  # noqa: S105  # it is none


@dataclass(frozen=True, slots=True)
class Staged:
    """One staged function, measured; ``content_bytes`` is the size unpacked."""

    function: str
    files: int
    content_bytes: int
    zip_bytes: int
    sha256: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Stages all functions and prints what came of it; 2 if something given cannot be used."""
    options = _options(arguments)
    try:
        beside = {MODEL: write_compiled(load_model(options.model).plan)} | {
            setting: _staged_file(function, getattr(options, function))
            for function, setting in OF_SENDERS.items()
        }
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    made = []
    for function in TABLE:
        print(f"Staging {function.name} …", flush=True)
        texts = {STAGED[name]: text for name in function.files if (text := beside[name])}
        made.append(stage(function.name, options.into, texts))
    _print_table(made, options.into)
    for name in OF_SENDERS:
        if getattr(options, name) is None:
            closed = "answers every post with 404, unless a setting names a file"
            print(f"\nWithout {name.upper()} the function {name} {closed}.")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make stage", description=__doc__)
    model = Settings().model
    parser.add_argument("--model", default=model, help="a model file or a ready-made model's name")
    for function in OF_SENDERS:
        parser.add_argument(f"--{function}", help=f"the YAML file of the senders of {function}")
    parser.add_argument("--into", type=Path, default=ROOT / "build", help="default: build/")
    return parser.parse_args(arguments)


# --- one function --------------------------------------------------------------------------


def stage(function: str, into: Path, beside: Mapping[str, str]) -> Staged:
    """Stages one function; what was staged of it before is replaced when all is there.

    ``beside`` are the names and texts of the files that are to lie beside ``main.py``.
    """
    fresh = into / f".{function}.fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    for target, source in _sources(function):
        copy = fresh / target
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    for name, text in beside.items():
        (fresh / name).write_text(text, encoding="utf-8")
    _compile(fresh)
    archive = into / f"{function}.zip"
    contents = _contents(fresh)
    _write_zip(archive, contents)
    final = into / function
    shutil.rmtree(final, ignore_errors=True)
    fresh.rename(final)
    return Staged(
        function,
        files=len(contents),
        content_bytes=sum(len(data) for data in contents.values()),
        zip_bytes=archive.stat().st_size,
        sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
    )


def _sources(function: str) -> Iterator[tuple[Path, Path]]:
    """Where each file of a staged function lies in it, and which file it is a copy of."""
    for name in ("main.py", "requirements.txt"):
        yield Path(name), ROOT / "functions" / function / name
    for pattern in ("**/*.py", *DATA):
        sources = list(PACKAGE.glob(pattern))
        if not sources:
            raise FileNotFoundError(f"nothing in the package is called {pattern}")
        for source in sources:
            inside = source.relative_to(PACKAGE)
            if inside.parts[0] not in LEFT_OUT:
                yield "warmlead" / inside, source


def _compile(folder: Path) -> None:
    """Writes ``__pycache__``, valid whatever times the files are given when they are unpacked.

    In a process of its own, with relative names and a fixed seed: what a compiled file's bytes
    depend on besides its source (PEP 552; order of sets, shared strings).
    """
    command = [sys.executable, "-s", "-S", "-P", "-m", "compileall", "-q"]
    command += ["--invalidation-mode", "unchecked-hash", "."]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run(command, cwd=folder, env={**plain, "PYTHONHASHSEED": "0"}, check=True)


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _write_zip(path: Path, contents: Mapping[str, bytes]) -> None:
    """A zip whose bytes follow from names and contents alone."""
    fresh = path.with_suffix(".zip.fresh")
    with zipfile.ZipFile(fresh, "w") as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = UNIX
            entry.external_attr = FILE_MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, contents[name], compresslevel=9)
    fresh.replace(path)


# --- what is given -------------------------------------------------------------------------


def _staged_file(function: str, path: str | None) -> str | None:
    """The checked file of a function's senders as JSON, if one is given.

    Raises ``ConfigurationError`` if it cannot be used, or if a secret is written in it.
    """
    if path is None:
        return None
    subject = f"The {function} file {path} cannot be staged:"
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError.one(subject, f"it cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError.one(subject, f"it cannot be read: {error}") from error
    if open_secrets := _open_secrets(content):
        problem = "a secret is written in it; name its variable instead: env:CONTACT_SECRET"
        raise ConfigurationError(subject, [f"{name}: {problem}" for name in open_secrets])
    variables: list[str] = []
    senders_in(function, _with_stand_ins(content, variables), Settings(env="production"))
    if variables:
        print(f"The {function} file needs these variables: {', '.join(sorted(set(variables)))}")
    return (
        json.dumps(_with_text_names(content), ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    )


def _with_text_names(value: object) -> object:
    """The content with names that JSON can have: YAML takes 3 for a number."""
    if isinstance(value, dict):
        return {str(name): _with_text_names(part) for name, part in value.items()}
    return value


def _with_stand_ins(value: object, variables: list[str]) -> object:
    """The content with a stand-in for each secret that a variable holds; collects the variables."""
    if isinstance(value, dict):
        return {name: _with_stand_ins(part, variables) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_stand_ins(part, variables) for part in value]
    if isinstance(value, str) and value.startswith("env:"):
        variables.append(value.removeprefix("env:"))
        return A_SECRET
    return value


def _open_secrets(content: object) -> list[str]:
    """The forms or senders in whose text a secret stands."""
    parts = content.items() if isinstance(content, dict) else ()
    return [str(name) for name, part in parts if _has_open_secret(part)]


def _has_open_secret(part: object) -> bool:
    if not isinstance(part, dict):
        return False
    given = [one for name in SECRETS for one in part.get(name) or ()]
    written = any(not str(one).startswith("env:") for one in given)
    return written or any(map(_has_open_secret, part.values()))


# --- what came of it -----------------------------------------------------------------------


def _print_table(made: Sequence[Staged], into: Path) -> None:
    version = ".".join(map(str, sys.version_info[:2]))
    print(f"\n{'function':<10} {'files':>5} {'unpacked':>10} {'zip':>10}  sha256 of the zip")
    for one in made:
        unpacked, packed = f"{one.content_bytes:,} B", f"{one.zip_bytes:,} B"
        print(f"{one.function:<10} {one.files:>5} {unpacked:>10} {packed:>10}  {one.sha256}")
    where = os.path.relpath(into)
    print(f"\nThey are in {where}/. The modules are compiled for Python {version}, on which they")
    print(f"start fastest: deploy them with the runtime python{version.replace('.', '')}.")


if __name__ == "__main__":
    sys.exit(main())
