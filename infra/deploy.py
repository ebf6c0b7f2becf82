"""Deploys an environment: stages, uploads, plans, shows, asks, applies; and rolls back.

Run by ``make deploy ENV=dev``, ``make rollback ENV=dev`` and ``make secret ENV=dev NAME=…``. Needs
``terraform`` and ``gcloud`` with a login (``gcloud auth login --update-adc``). ``gcloud`` does what
Terraform cannot have in its state: the bucket of that state, and the values of secrets.

An environment is a folder of ``infra/environments``. Beside its Terraform files may lie the model
and the files of senders that it deploys: ``model.yaml``, ``forms.yaml``, ``sales.yaml`` and so on,
and in ``shadow.yaml`` a second model that runs beside the first.
"""

import argparse
import getpass
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
INVENTORY = ROOT / "infra/inventory.json"
NEEDED = {
    "terraform": "https://developer.hashicorp.com/terraform/install (1.9 or newer)",
    "gcloud": "https://cloud.google.com/sdk/docs/install",
}
FIRST_APIS = (
    "cloudresourcemanager",
    "iam",
    "iap",
    "pubsub",
    "secretmanager",
    "serviceusage",
    "storage",
)
"""APIs that have to be on before Terraform can turn on the others."""

AGENTS = ("iap", "pubsub", "secretmanager")
"""Services whose own accounts get grants; an account exists once it has been asked for."""

PREFIX = "warmlead"
FORMER = ";former="
"""What separates the secret of lead ids from the one before; as in ``settings.py``."""

CHANGES = 2
"""What ``terraform plan -detailed-exitcode`` answers if there is something to apply."""

_OBJECT = re.compile(r'"object": ?"functions/([a-z]+)-([0-9a-f]{64})\.zip"')
_VALUE = re.compile(r'^\s*(\w+)\s*=\s*(?:"([^"]*)"|(\d+))', re.MULTILINE)


class StopError(Exception):
    """Nothing can be deployed; the text says why, and what to do."""


@dataclass(slots=True)
class Environment:
    """One environment: its folder, its values, and the bucket of its state and releases."""

    name: str
    yes: bool
    values: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.folder / "terraform.tfvars").is_file():
            there = ", ".join(sorted(each.name for each in self.folder.parent.iterdir()))
            raise StopError(f"There is no environment {self.name}; there are {there}.")
        text = (self.folder / "terraform.tfvars").read_text(encoding="utf-8")
        self.values = {name: word or number for name, word, number in _VALUE.findall(text)}
        if self.project.startswith("your-project") or not self.project:
            raise StopError(
                f"Write your project into infra/environments/{self.name}/terraform.tfvars."
            )

    @property
    def folder(self) -> Path:
        """Its folder."""
        return ROOT / "infra/environments" / self.name

    @property
    def project(self) -> str:
        """The id of its project."""
        return self.values.get("project", "")

    @property
    def bucket(self) -> str:
        """The bucket of Terraform's state, of zips and of releases."""
        return f"gs://{self.project}-warmlead-deploy"

    @property
    def built(self) -> Path:
        """Where its functions are staged."""
        return ROOT / "build" / self.name


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what is asked; 1 if it cannot be done, with the reason."""
    options = _options(arguments)
    try:
        _check_tools()
        environment = Environment(options.environment, options.yes)
        if options.command == "deploy":
            deploy(environment, options.staged)
        elif options.command == "rollback":
            roll_back(environment, options.release)
        else:
            add_secret(environment, options.name, forget=options.forget)
    except StopError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"This failed: {' '.join(map(str, error.cmd[:4]))} …", file=sys.stderr)
        return 1
    return 0


def _check_tools() -> None:
    for tool, where in NEEDED.items():
        if not shutil.which(tool):
            raise StopError(f"{tool} is not installed: {where}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra/deploy.py", description=__doc__)
    parser.add_argument("command", choices=("deploy", "rollback", "secret"))
    parser.add_argument("environment", help="a folder of infra/environments")
    parser.add_argument("--yes", action="store_true", help="apply without asking")
    parser.add_argument("--staged", type=Path, help="deploy what was staged into this folder")
    parser.add_argument("--release", help="the release to go back to; default: the one before")
    parser.add_argument("--name", help="the variable of the secret that gets another value")
    parser.add_argument("--forget", action="store_true", help="forget the secret of ids before")
    return parser.parse_args(arguments)


# --- deploying -----------------------------------------------------------------------------


def deploy(environment: Environment, staged: Path | None) -> None:
    """Stages all functions, or takes those that were; then everything else."""
    if staged is None:
        staged = environment.built
        _say("Staging the functions")
        run(
            sys.executable,
            str(ROOT / "infra/stage.py"),
            "--into",
            str(staged),
            *_files(environment),
        )
    content = _read(staged / "staged.json")
    _say(f"Preparing the project {environment.project}")
    _prepare(environment)
    _upload(environment, staged, content)
    environment.built.mkdir(parents=True, exist_ok=True)
    _initialise(environment)
    _give_secrets(environment, content)
    _apply(environment, content, before=lambda: _record(environment, content))
    _stand_iap(environment)
    terraform(environment, "output", "warmlead")


def _files(environment: Environment) -> list[str]:
    """The model and the files of senders that lie in the folder of the environment."""
    found = sorted(environment.folder.glob("*.yaml"))
    return [part for path in found for part in (f"--{path.stem}", str(path))]


def _prepare(environment: Environment) -> None:
    """The first APIs, the bucket of the state, and Google's own accounts."""
    project = f"--project={environment.project}"
    gcloud("services", "enable", *(f"{api}.googleapis.com" for api in FIRST_APIS), project)
    if not gcloud_succeeds("storage", "buckets", "describe", environment.bucket, project):
        region = f"--location={environment.values['region']}"
        safe = ("--uniform-bucket-level-access", "--public-access-prevention")
        gcloud("storage", "buckets", "create", environment.bucket, project, region, *safe)
        gcloud("storage", "buckets", "update", environment.bucket, "--versioning")
    for agent in AGENTS:
        name = f"--service={agent}.googleapis.com"
        gcloud("beta", "services", "identity", "create", name, project)


def _upload(environment: Environment, staged: Path, content: Mapping[str, Any]) -> None:
    """Uploads each zip under its hash; what is there stays, so that a roll-back finds it."""
    for name, function in content["functions"].items():
        there = f"{environment.bucket}/functions/{name}-{function['sha256']}.zip"
        gcloud("storage", "cp", "--no-clobber", str(staged / f"{name}.zip"), there)


def _initialise(environment: Environment) -> None:
    """Finds modules, provider and state; an override file may name another backend."""
    bucket = f"-backend-config=bucket={environment.bucket.removeprefix('gs://')}"
    other = list(environment.folder.glob("*_override.tf"))
    terraform(environment, "init", "-input=false", *([] if other else [bucket]))


def _apply(
    environment: Environment,
    content: Mapping[str, Any],
    *targets: str,
    before: Callable[[], None] = lambda: None,
) -> None:
    """Plans, shows, asks, and applies; ``before`` is called once that is decided."""
    written = environment.built / "given.tfvars.json"
    listed = environment.built / "deployed.json"
    listed.write_text(json.dumps(content, indent=2), encoding="utf-8")
    versions = {} if targets else _versions(environment, content)
    given = {"staged": str(listed), "secret_versions": versions}
    written.write_text(json.dumps(given, indent=2), encoding="utf-8")
    plan = str(environment.built / "plan.bin")
    options = ("-input=false", f"-out={plan}", f"-var-file={written}", "-detailed-exitcode")
    code = terraform_code(environment, "plan", *options, *(f"-target={each}" for each in targets))
    if code == 1:
        raise StopError("Terraform cannot plan this.")
    if code == CHANGES and not (environment.yes or _agreed()):
        raise StopError("Nothing was changed.")
    before()
    if code == CHANGES:
        terraform(environment, "apply", "-input=false", plan)
    else:
        print("Nothing has to be changed.")


def _stand_iap(environment: Environment) -> None:
    """Switches IAP on at the services of private pages, or off where a load balancer has it.

    Each time, since nobody promises that it outlives a change of the function; until it is on
    again, the pages answer nobody. Terraform cannot do it for a function (decision record 0043).
    """
    told = json.loads(terraform_says(environment, "output", "-json", "warmlead"))
    where = (f"--region={environment.values['region']}", f"--project={environment.project}")
    for service, is_on in told.get("iap", {}).items():
        _say(f"Switching Identity-Aware Proxy {'on' if is_on else 'off'} at {service} itself")
        switch = "--iap" if is_on else "--no-iap"
        gcloud("beta", "run", "services", "update", service, *where, switch)


def _agreed() -> bool:
    try:
        return input("Apply this? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


# --- releases ------------------------------------------------------------------------------


def _record(environment: Environment, content: Mapping[str, Any]) -> None:
    """Keeps what will be deployed, unless the last release is the same.

    Before it is applied: if that fails halfway, a roll-back goes to the release before.
    """
    known = _releases(environment)
    if known and _release(environment, known[-1]) == content:
        _make_current(environment, known[-1])
        return
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    _put(environment, f"releases/{name}", content)
    _make_current(environment, name)
    print(f"This is release {name.removesuffix('.json')}.")


def roll_back(environment: Environment, wanted: str | None) -> None:
    """Deploys an earlier release again: first what writes messages, then what reads them."""
    known = _releases(environment)
    current = _read_there(environment, "current.json").get("release") if known else None
    before = [name for name in known if current and name < current]
    target = f"{wanted}.json" if wanted else before[-1] if before else None
    if target not in known:
        names = ", ".join(name.removesuffix(".json") for name in known) or "none"
        raise StopError(f"There is no such release to go back to; there are: {names}.")
    old = _release(environment, str(target))
    new = _release(environment, str(current))
    senders = {
        name
        for name, each in _read(INVENTORY)["functions"].items()
        if each["called_by"] == "senders"
    }
    environment.built.mkdir(parents=True, exist_ok=True)
    _initialise(environment)
    deployed = _deployed(environment)
    functions = {
        name: old["functions"].get(name, each)
        if name in senders
        else {**each, "sha256": deployed.get(name, each["sha256"])}
        for name, each in new["functions"].items()
    }
    _say("First the functions that accept events: what they write, the others can read")
    _apply(environment, {**new, "functions": functions})
    _say("Then all others")
    everything = {**old, "functions": {**new["functions"], **old["functions"]}}
    _apply(environment, everything, before=lambda: _make_current(environment, str(target)))
    _stand_iap(environment)
    print(f"This is release {str(target).removesuffix('.json')} again.")


def _deployed(environment: Environment) -> dict[str, str]:
    """The hash of each function that is deployed, by Terraform's state."""
    return dict(_OBJECT.findall(terraform_says(environment, "show", "-json")))


def _releases(environment: Environment) -> list[str]:
    """The names of the releases, the oldest first."""
    listed = gcloud_says("storage", "ls", f"{environment.bucket}/releases/", or_nothing=True)
    return sorted(Path(line).name for line in listed.split() if line.endswith(".json"))


def _release(environment: Environment, name: str) -> dict[str, Any]:
    return _read_there(environment, f"releases/{name}")


def _read_there(environment: Environment, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        gcloud_says("storage", "cat", f"{environment.bucket}/{name}")
    )
    return found


def _put(environment: Environment, name: str, content: Mapping[str, Any]) -> None:
    path = environment.built / "put.json"
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
    gcloud("storage", "cp", str(path), f"{environment.bucket}/{name}")


def _make_current(environment: Environment, name: str) -> None:
    _put(environment, "current.json", {"release": name})


# --- secrets -------------------------------------------------------------------------------


def _names(content: Mapping[str, Any]) -> dict[str, int]:
    """The variables that hold secrets, and how long ours have to be; 0: somebody else's."""
    inventory = _read(INVENTORY)
    ours = {name: each["least"] for name, each in inventory["secrets"].items()}
    given = {name: 0 for each in content["functions"].values() for name in each["secrets"]}
    return {**given, **ours}


def _versions(environment: Environment, content: Mapping[str, Any]) -> dict[str, str]:
    """The newest version of each secret: a deployed function keeps the one that is named."""
    found = {name: _newest(environment, name) for name in _names(content)}
    return {name: version for name, version in found.items() if version}


def _newest(environment: Environment, name: str) -> str:
    newest = (
        "--filter=state=ENABLED",
        "--sort-by=~createTime",
        "--limit=1",
        "--format=value(name)",
    )
    project = f"--project={environment.project}"
    secret = f"{PREFIX}-{name}"
    listed = gcloud_says("secrets", "versions", "list", secret, project, *newest, or_nothing=True)
    return listed.strip().rpartition("/")[2]


def _give_secrets(environment: Environment, content: Mapping[str, Any]) -> None:
    """Gives each secret without a value its first: one that we make, or that we are given."""
    names = _names(content)
    empty = [name for name in names if not _newest(environment, name)]
    if not empty:
        return
    values = {name: _first_value(name, names[name]) for name in empty}
    _say(f"Making the secrets {', '.join(empty)}")
    _apply(environment, content, "module.warmlead.module.secrets")
    for name, value in values.items():
        _add_version(environment, name, value)


def _first_value(name: str, least: int) -> str:
    return secrets.token_urlsafe(least) if least else _given(name)


def _given(name: str) -> str:
    """A value from the environment, or typed; never an argument, which others see."""
    if value := os.environ.get(name):
        return value
    if not sys.stdin.isatty():
        raise StopError(
            f"The secret {name} has no value: set the variable {name}, and run this again."
        )
    return getpass.getpass(f"The value of {name}: ")


def _add_version(environment: Environment, name: str, value: str) -> None:
    add = ("secrets", "versions", "add", f"{PREFIX}-{name}", "--data-file=-")
    gcloud(*add, f"--project={environment.project}", text=value)


def add_secret(environment: Environment, name: str | None, *, forget: bool) -> None:
    """Adds a version of a secret; the next deployment takes it. That of ids is drawn here."""
    inventory = _read(INVENTORY)
    if not name:
        raise StopError("Name the variable: make secret ENV=dev NAME=CONTACT_SECRET")
    ours = inventory["secrets"].get(name)
    of_ids = ours and not ours["rotates"]
    if forget and not of_ids:
        raise StopError(f"{name} has no secret before to forget.")
    value = _next_of_ids(environment, name, ours["least"], forget) if of_ids else _given(name)
    _add_version(environment, name, value)
    print(f"Deploy it now: make deploy ENV={environment.name}")
    if of_ids and not forget:
        print(
            "Then move the leads to their new ids: warmlead lead respell --apply (docs/operate.md)"
        )


def _next_of_ids(environment: Environment, name: str, least: int, forget: bool) -> str:
    """A fresh secret of lead ids with the one before, by whose ids leads are found until moved.

    With ``forget`` the present one alone.
    """
    which = ("latest", f"--secret={PREFIX}-{name}", f"--project={environment.project}")
    present, separator, _ = gcloud_says("secrets", "versions", "access", *which).partition(FORMER)
    if forget and not separator:
        raise StopError(f"{name} has no secret before to forget.")
    if separator and not forget:
        raise StopError(
            f"{name} is being rotated. End that first: warmlead lead respell --apply, and 31 days "
            f"later: make secret ENV={environment.name} NAME={name} FORGET=1"
        )
    return present if forget else f"{secrets.token_urlsafe(least)}{FORMER}{present}"


# --- the two tools -------------------------------------------------------------------------


def run(*command: str, text: str | None = None) -> None:
    """Runs a command; its output is the terminal's."""
    subprocess.run(command, check=True, input=text, text=True)


def gcloud(*arguments: str, text: str | None = None) -> None:
    """Runs ``gcloud``, which asks nothing."""
    run("gcloud", *arguments, "--quiet", text=text)


def gcloud_succeeds(*arguments: str) -> bool:
    """Whether ``gcloud`` succeeds, quietly."""
    command = ["gcloud", *arguments, "--quiet"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def gcloud_says(*arguments: str, or_nothing: bool = False) -> str:
    """What ``gcloud`` prints; with ``or_nothing`` a failure is an empty text."""
    command = ["gcloud", *arguments, "--quiet"]
    done = subprocess.run(command, check=not or_nothing, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


def terraform(environment: Environment, *arguments: str) -> None:
    """Runs ``terraform`` in the folder of the environment."""
    run("terraform", f"-chdir={environment.folder}", *arguments)


def terraform_code(environment: Environment, *arguments: str) -> int:
    """The same, for its exit code."""
    command = ["terraform", f"-chdir={environment.folder}", *arguments]
    return subprocess.run(command, check=False).returncode


def terraform_says(environment: Environment, *arguments: str) -> str:
    """The same, for what it prints."""
    command = ["terraform", f"-chdir={environment.folder}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _say(what: str) -> None:
    print(f"\n== {what} …", flush=True)


if __name__ == "__main__":
    sys.exit(main())
