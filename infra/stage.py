"""Stages every function as it is deployed: ``build/<function>/`` and ``build/<function>.zip``.

Run by ``make stage``. A staged function holds its entry point, the package, its locked
requirements and, where it reads them, the model (compiled) and the file of its senders (as JSON).
The same sources give the same bytes, whenever and wherever they are staged.
``staged.json`` lists what was staged, for Terraform.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from warmlead.destinations.registry import destinations_in
from warmlead.domain.errors import ConfigurationError
from warmlead.model.plan import write_compiled
from warmlead.runtime.backends import STAGED, load_model
from warmlead.runtime.table import DESTINATIONS, MODEL, SHADOW_MODEL, TABLE, files_of_senders
from warmlead.senders.registry import REGISTRY, senders_in
from warmlead.settings import PREFIX, Settings
from warmlead.settings_file import SECRETS, STAND_IN

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "shared/warmlead"
LEFT_OUT = ("cli",)
"""Parts of the package that no function imports."""

DATA = (
    *("model/ready/*.yaml", "model/ready/stories/*.yaml"),
    *("senders/country_names.*", "web/snippet/warmlead.js"),
    *("dashboard/templates/*.html", "dashboard/static/*"),
)
"""What the package reads besides its modules."""

FILES = {
    setting.removeprefix(PREFIX).lower(): setting for setting in (*files_of_senders(), DESTINATIONS)
}
"""The settings that name files of senders or destinations, each by its option here."""

OPEN = {each.function for each in REGISTRY if not each.settings}
"""Functions that somebody may send to whether there is a file or not."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a zip: the earliest that the format knows."""

FILE_MODE = 0o100644 << 16
UNIX = 3


@dataclass(frozen=True, slots=True)
class Staged:
    """One staged function, measured; ``content_bytes`` is the size unpacked."""

    function: str
    files: int
    content_bytes: int
    zip_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Package:
    """What all functions share, as a folder and as a zip; ``content_bytes`` is unpacked."""

    folder: Path
    archive: Path
    files: int
    content_bytes: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Stages all functions and prints what came of it; 2 if something given cannot be used."""
    options = _options(arguments)
    try:
        models = {MODEL: options.model, SHADOW_MODEL: options.shadow}
        beside = {
            setting: write_compiled(load_model(name).plan) if name else None
            for setting, name in models.items()
        } | {setting: _staged_file(name, getattr(options, name)) for name, setting in FILES.items()}
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    made = []
    with compiled_package() as package:
        for function in TABLE:
            print(f"Staging {function.name} …", flush=True)
            texts = {STAGED[name]: text for name in function.files if (text := beside[name])}
            made.append(stage(function.name, package, options.into, texts))
    _write_list(made, beside, options.into)
    _print_table(made, options.into)
    for name in (each.name for each in files_of_senders().values()):
        if getattr(options, name) is None and name not in OPEN:
            closed = "answers every post with 404, unless a setting names a file"
            print(f"\nWithout {name.upper()} the function {name} {closed}.")
    if options.destinations is None:
        print("\nWithout DESTINATIONS no message is delivered: tools subscribe to the topics.")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make stage", description=__doc__)
    model = Settings().model
    of_model = "a model file or a ready-made model's name"
    parser.add_argument("--model", "--MODEL", default=model, help=of_model)
    of_shadow = "a second model, which runs beside it and of which nobody is told"
    parser.add_argument("--shadow", "--SHADOW", help=of_shadow)
    for name in FILES:
        whose = "destinations" if name == "destinations" else f"the senders of {name}"
        options = (f"--{name}", f"--{name.upper()}")
        parser.add_argument(*options, help=f"the YAML file of {whose}")
    parser.add_argument("--into", type=Path, default=ROOT / "build", help="default: build/")
    return parser.parse_args(arguments)


# --- one function --------------------------------------------------------------------------


def stage(function: str, package: Package, into: Path, beside: Mapping[str, str]) -> Staged:
    """Stages one function; what was staged of it before is replaced when all is there.

    ``beside`` are the names and texts of the files that are to lie beside ``main.py``. Its zip is
    the package's, with these files added: what all functions share is compressed once.
    """
    fresh = into / f".{function}.fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name in ("main.py", "requirements.txt"):
        shutil.copyfile(ROOT / "functions" / function / name, fresh / name)
    for name, text in beside.items():
        (fresh / name).write_text(text, encoding="utf-8")
    _compile(fresh)
    own = _contents(fresh)
    shutil.copytree(package.folder, fresh, dirs_exist_ok=True)
    archive = into / f"{function}.zip"
    unready = archive.with_suffix(".zip.fresh")
    shutil.copyfile(package.archive, unready)
    _add_to_zip(unready, own)
    unready.replace(archive)
    final = into / function
    shutil.rmtree(final, ignore_errors=True)
    fresh.rename(final)
    return Staged(
        function,
        files=package.files + len(own),
        content_bytes=package.content_bytes + sum(map(len, own.values())),
        zip_bytes=archive.stat().st_size,
        sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
    )


@contextmanager
def compiled_package() -> Iterator[Package]:
    """The package as every function has it: its modules compiled, and its data."""
    with tempfile.TemporaryDirectory() as made:
        folder, archive = Path(made) / "package", Path(made) / "package.zip"
        for target, source in _sources():
            copy = folder / target
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        _compile(folder)
        contents = _contents(folder)
        _add_to_zip(archive, contents)
        yield Package(folder, archive, len(contents), sum(map(len, contents.values())))


def _sources() -> Iterator[tuple[Path, Path]]:
    """Where each file of the package lies in a staged function, and which file it is a copy of."""
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


def _add_to_zip(path: Path, contents: Mapping[str, bytes]) -> None:
    """Adds files to a zip, or makes it; its bytes follow from names and contents alone."""
    with zipfile.ZipFile(path, "a") as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = UNIX
            entry.external_attr = FILE_MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, contents[name], compresslevel=9)


# --- what is given -------------------------------------------------------------------------


def _staged_file(name: str, path: str | None) -> str | None:
    """The checked file of a function's senders, or of destinations, as JSON, if one is given.

    Raises ``ConfigurationError`` if it cannot be used, or if a secret is written in it.
    """
    if path is None:
        return None
    subject = f"The {name} file {path} cannot be staged:"
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError.one(subject, f"it cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError.one(subject, f"it cannot be read: {error}") from error
    if open_secrets := _open_secrets(content):
        problem = "a secret is written in it; name its variable instead: env:CONTACT_SECRET"
        raise ConfigurationError(subject, [f"{section}: {problem}" for section in open_secrets])
    variables: list[str] = []
    checked, production = _with_stand_ins(content, variables), Settings(env="production")
    if name == "destinations":
        destinations_in(checked, production)
    else:
        senders_in(name, checked, production)
    if variables:
        print(f"The {name} file needs these variables: {', '.join(sorted(set(variables)))}")
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
        return STAND_IN
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


def _write_list(made: Sequence[Staged], beside: Mapping[str, str | None], into: Path) -> None:
    """Writes ``staged.json``: each function's hash, and the secrets that its files name."""
    hashes = {one.function: one.sha256 for one in made}
    files = {setting: text for setting, text in beside.items() if setting in FILES.values()}
    named = {setting: _named_in(text) for setting, text in files.items()}
    staged = {
        "runtime": f"python{sys.version_info.major}{sys.version_info.minor}",
        "functions": {
            function.name: {
                "sha256": hashes[function.name],
                "secrets": sorted(
                    {name for file in function.files for name in named.get(file, ())}
                ),
            }
            for function in TABLE
        },
    }
    text = json.dumps(staged, indent=2) + "\n"
    (into / "staged.json").write_text(text, encoding="utf-8")


def _named_in(text: str | None) -> list[str]:
    """The variables that a staged file names."""
    variables: list[str] = []
    if text is not None:
        _with_stand_ins(json.loads(text), variables)
    return variables


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
