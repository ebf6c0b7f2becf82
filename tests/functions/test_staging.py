"""What is staged for a deployment: these files, these bytes, whenever and wherever."""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from patience import PATIENCE_S
from warmlead.model.loading import ready_model
from warmlead.model.plan import write_compiled
from warmlead.runtime import table
from warmlead.runtime.backends import STAGED
from warmlead.runtime.table import TABLE, Function, files_of_senders, names
from warmlead.senders.registry import REGISTRY, section_name

ROOT = Path(__file__).parents[2]
FUNCTIONS = names()
TAG = sys.implementation.cache_tag

FORMS = """
contact: {signature: {secrets: [env:CONTACT_SECRET]}, honeypot: größe 😀}
open: {allow_unsigned: true}
"""

TRACK = "ga4: {secrets: [env:GA4_SECRET]}\n"
SALES = """
pipedrive:
  user: warmlead
  passwords: [env:PIPEDRIVE_PASSWORD]
  companies: [1]
  stages: {stage_id: {3: won}}
"""

TO_TOOLS = """
zapier: {to: webhook, url: https://hooks.example.com/in, secrets: [env:ZAPIER_SECRET]}
"""

TEXTS = {table.FORMS.name: FORMS, table.TRACK.name: TRACK, table.SALES.name: SALES}
"""Files of senders that a test looks into."""

MODELS = ("--model", "ecommerce", "--shadow", "product-led")

pytestmark = pytest.mark.xdist_group("staged")


def write_files(folder: Path) -> list[str]:
    """Writes a file of senders for each function that has one; the options that name them."""
    options: list[str] = []
    for function in files_of_senders().values():
        text = TEXTS.get(function.name) or file_of_one(function.name)
        (folder / f"{function.name}.yaml").write_text(text)
        options += [f"--{function.name}", f"{function.name}.yaml"]
    (folder / "destinations.yaml").write_text(TO_TOOLS)
    return [*options, "--destinations", "destinations.yaml"]


def file_of_one(function: str) -> str:
    """A file with the function's first sender, whose secret is ``<FUNCTION>_SECRET``."""
    first = next(each for each in REGISTRY if each.function == function)
    return f"{section_name(first)}: {{secrets: [env:{function.upper()}_SECRET]}}\n"


def stage(into: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "infra/stage.py"), "--into", str(into), *options]
    return subprocess.run(
        command,
        cwd=into.parent,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every function, staged with a model and forms."""
    folder = tmp_path_factory.mktemp("staged")
    done = stage(folder / "build", *MODELS, *write_files(folder))
    assert done.returncode == 0, done.stderr
    assert "The forms file needs these variables: CONTACT_SECRET" in done.stdout
    assert "The track file needs these variables: GA4_SECRET" in done.stdout
    assert "The sales file needs these variables: PIPEDRIVE_PASSWORD" in done.stdout
    return folder / "build"


def zipped(build: Path, function: str) -> dict[str, bytes]:
    with zipfile.ZipFile(build / f"{function}.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def unzipped(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def modules() -> Iterator[str]:
    """The modules that a staged function has to hold, as files of a zip."""
    package = ROOT / "shared/warmlead"
    for path in package.rglob("*.py"):
        if (inside := path.relative_to(package)).parts[0] != "cli":
            yield (Path("warmlead") / inside).as_posix()


def compiled(module: str) -> str:
    return str(Path(module).parent / "__pycache__" / f"{Path(module).stem}.{TAG}.pyc")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_zip_holds_the_function_and_nothing_else(staged: Path, function: str) -> None:
    sources = {"main.py", *modules()}
    texts = [f"warmlead/model/ready/{name}.yaml" for name in ("b2b-saas", "ecommerce")]
    texts += ["warmlead/model/ready/product-led.yaml", "warmlead/web/snippet/warmlead.js"]
    texts.append("warmlead/model/ready/stories/golden-month.yaml")
    texts += [f"warmlead/senders/country_names.{suffix}" for suffix in ("txt", "LICENSE")]
    for folder in ("templates", "static"):
        files = (ROOT / "shared/warmlead/dashboard" / folder).iterdir()
        texts += [f"warmlead/dashboard/{folder}/{file.name}" for file in files]
    (given,) = (each.files for each in TABLE if each.name == function)

    contents = zipped(staged, function)

    expected = {
        *sources,
        *map(compiled, sources),
        "requirements.txt",
        *texts,
        *(STAGED[name] for name in given),
    }
    assert set(contents) == expected
    assert contents == unzipped(staged / function)
    for name in ("main.py", "requirements.txt"):
        assert contents[name] == (ROOT / "functions" / function / name).read_bytes()
    assert f"def {function}(".encode() in contents["main.py"]


def test_staging_fails_where_the_package_lacks_a_file_that_it_reads(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "infra", tmp_path / "infra")
    shutil.copytree(ROOT / "functions", tmp_path / "functions")
    left_out = shutil.ignore_patterns("__pycache__", "country_names.*")
    shutil.copytree(ROOT / "shared", tmp_path / "shared", ignore=left_out)
    command = [sys.executable, str(tmp_path / "infra/stage.py"), "--into", "build"]

    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )

    assert done.returncode != 0
    assert "nothing in the package is called senders/country_names.*" in done.stderr
    assert not list(tmp_path.glob("build/*.zip"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_zip_is_plain_in_order_and_without_times(staged: Path, function: str) -> None:
    with zipfile.ZipFile(staged / f"{function}.zip") as archive:
        entries = archive.infolist()

    names = [entry.filename for entry in entries]  # what all functions share, and then its own
    assert names == sorted(names, key=lambda name: (not name.startswith("warmlead/"), name))
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {oct(entry.external_attr >> 16) for entry in entries} == {"0o100644"}


def test_the_same_sources_give_the_same_bytes_elsewhere_and_later(
    staged: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "a copy" / "of the sources"
    for part in ("functions", "shared", "infra"):
        for name, content in unzipped(ROOT / part).items():
            if "__pycache__" not in name:
                file = copy / part / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                os.utime(file, (1_000_000_000, 1_000_000_000))
    command = [sys.executable, "-B", str(copy / "infra/stage.py"), "--into", "build"]
    command += [*MODELS, *write_files(tmp_path)]
    other = {
        **os.environ,
        "PYTHONPATH": str(copy / "shared"),
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Tokyo",
    }

    subprocess.run(command, cwd=tmp_path, env=other, check=True, timeout=PATIENCE_S)

    for function in FUNCTIONS:
        there, here = tmp_path / "build" / f"{function}.zip", staged / f"{function}.zip"
        assert there.read_bytes() == here.read_bytes(), function


def test_staging_again_leaves_nothing_of_the_time_before(tmp_path: Path) -> None:
    build = tmp_path / "build"
    assert stage(build, "--model", "ecommerce").returncode == 0
    (build / "score" / "stray.py").write_text("left behind")
    before = (build / "forms.zip").read_bytes()

    assert stage(build).returncode == 0

    assert "stray.py" not in unzipped(build / "score")
    assert (
        zipped(build, "score")["model.json"]
        == write_compiled(ready_model("b2b-saas").plan).encode()
    )
    assert (build / "forms.zip").read_bytes() == before
    kept = {"staged.json", *FUNCTIONS, *(f"{function}.zip" for function in FUNCTIONS)}
    assert {path.name for path in build.iterdir()} == kept


def test_compiled_modules_are_used_regardless_of_file_times(staged: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(staged / "forms.zip") as archive:
        archive.extractall(tmp_path)  # with the times of now
    (tmp_path / "warmlead/domain/errors.py").write_text("raise SystemExit('read again')")

    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            "import warmlead.domain.errors as m; print(m.__file__, m.__cached__)",
        ],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    cached = tmp_path / "warmlead/domain/__pycache__" / f"errors.{TAG}.pyc"
    assert done.stdout.split() == [str(tmp_path / "warmlead/domain/errors.py"), str(cached)]


NOT_IN = {
    table.FORMS.extra: ("google-cloud-firestore", "cel-expr-python"),
    table.TRACK.extra: ("google-cloud-firestore", "cel-expr-python", "python-multipart"),
    table.SALES.extra: ("google-cloud-firestore", "cel-expr-python", "python-multipart"),
    table.MAIL.extra: ("google-cloud-firestore", "cel-expr-python"),
    table.SCORE.extra: ("python-multipart", "boto3"),
    table.DELIVER.extra: ("python-multipart",),
    table.DASHBOARD.extra: ("python-multipart", "boto3"),
}
"""What an extra does not install."""


@pytest.mark.parametrize("function", TABLE, ids=names())
def test_a_function_requires_only_what_it_needs(staged: Path, function: Function) -> None:
    text = (staged / function.name / "requirements.txt").read_text()
    required = set(re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE))

    assert "functions-framework" in required
    for name in (*NOT_IN[function.extra], "typer", "rich", "python-dotenv", "pytest", "warmlead"):
        assert name not in required
    assert text.count("--hash=sha256:") >= len(required)


def test_the_list_for_terraform_has_hashes_and_the_secrets_of_the_files(staged: Path) -> None:
    listed = json.loads((staged / "staged.json").read_text())

    assert listed["runtime"] == f"python{sys.version_info.major}{sys.version_info.minor}"
    assert list(listed["functions"]) == list(FUNCTIONS)
    for function, one in listed["functions"].items():
        content = (staged / f"{function}.zip").read_bytes()
        assert one["sha256"] == hashlib.sha256(content).hexdigest()
    assert listed["functions"]["forms"]["secrets"] == ["CONTACT_SECRET"]
    assert listed["functions"]["score"]["secrets"] == []


def test_the_functions_that_score_have_the_model_beside_the_one_in_force(staged: Path) -> None:
    second = write_compiled(ready_model("product-led").plan).encode()

    found = {function: zipped(staged, function).get("shadow_model.json") for function in FUNCTIONS}

    scoring = {each.name for each in (table.SCORE, table.DECAY, table.FOLLOWUP)}
    assert found == {name: second if name in scoring else None for name in FUNCTIONS}


def test_the_table_tells_sizes_and_hashes(tmp_path: Path) -> None:
    done = stage(tmp_path / "build")

    told = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    for function in FUNCTIONS:
        zip_bytes = (tmp_path / "build" / f"{function}.zip").stat().st_size
        assert f"{zip_bytes:,} B" in told[function]
        assert len(told[function].split()[-1]) == 64
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in done.stdout


def test_staging_names_functions_without_a_settings_file(tmp_path: Path) -> None:
    (tmp_path / "forms.yaml").write_text(FORMS)
    none = stage(tmp_path / "build").stdout
    for name in sorted({*names(files_of_senders().values())} - {table.TRACK.name}):
        assert f"Without {name.upper()} the function {name} answers every post with 404" in none
    assert "Without TRACK" not in none  # tracking clients need no file
    one = stage(tmp_path / "build", "--forms", "forms.yaml").stdout
    assert ("Without FORMS" in one, "Without SALES" in one) == (False, True)


def test_make_hands_on_the_files_of_its_own_command_line_and_none_of_the_shell() -> None:
    files = {name.upper(): f"{name} of a test.yaml" for name in names(files_of_senders().values())}
    given = [f"{name}={file}" for name, file in files.items()]

    def handed_on(*given: str) -> set[str]:
        done = subprocess.run(
            ["make", "-n", "--no-print-directory", "stage", *given],
            cwd=ROOT,
            env={**os.environ, **files, "MODEL": "of-the-shell"},
            capture_output=True,
            text=True,
            check=True,
        )
        _, *options = shlex.split(done.stdout.splitlines()[-1].partition("infra/")[2])
        return set(options)

    assert handed_on("PYTHON=python3") == set()
    models = ["MODEL=ecommerce", "SHADOW=next.yaml"]
    assert handed_on(*models, *given) == {f"--{each}" for each in (*models, *given)}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--model", "no-such"], "There is no model no-such"),
        (["--model", "broken.yaml"], "broken.yaml is not a valid model"),
        (["--shadow", "broken.yaml"], "broken.yaml is not a valid model"),
        (["--forms", "no-such.yaml"], "it cannot be read"),
        (["--forms", "broken.yaml"], "These senders of forms cannot be used"),
        (["--forms", "secret.yaml"], "a: a secret is written in it"),
        (["--sales", "no-such.yaml"], "it cannot be read"),
        (["--sales", "broken.yaml"], "These senders of sales cannot be used"),
        (["--sales", "none.yaml"], "it cannot be read: No such file or directory\n"),
        (["--sales", "password.yaml"], "pipedrive: a secret is written in it"),
        (["--sales", "open.yaml"], "generic.allow_unsigned: is only for one's own machine"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_staged(
    tmp_path: Path, options: list[str], complaint: str
) -> None:
    (tmp_path / "broken.yaml").write_text("signals: {}\nfit: 3\n")
    (tmp_path / "secret.yaml").write_text("a: {signature: {secrets: [hunter2hunter2]}}")
    (tmp_path / "password.yaml").write_text(SALES.replace("env:PIPEDRIVE_PASSWORD", "hunter2"))
    (tmp_path / "open.yaml").write_text("generic: {allow_unsigned: true}")

    done = stage(tmp_path / "build", *options)

    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr
    assert not (tmp_path / "build").exists()
