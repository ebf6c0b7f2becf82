"""Running the real ``terraform`` on a copy of ``infra``, against the provider of this folder."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
MISSING = (
    "terraform, 1.9 or newer, is not installed: https://developer.hashicorp.com/terraform/install"
)

EVERYTHING = """
provider "google" {
  project = "your-project-all"
}

module "warmlead" {
  source = "../../modules/warmlead"

  environment        = "all"
  project            = "your-project-all"
  region             = "europe-west1"
  alerts_to          = "you@example.com"
  billing_account    = "012345-6789AB-CDEF01"
  monthly_budget     = 50
  staged             = jsondecode(file(var.staged))
  secret_versions    = { WARMLEAD_ID_SECRET = "3" }
  create_database    = false
  database           = "leads"
  firestore_location = "eur3"
  domain             = "hooks.example.com"
  dashboard_domain   = "leads.example.com"
  people             = ["user:ada@example.com", "domain:example.org", "group:sales@example.com"]
  settings           = { WARMLEAD_OWN_HOSTS = "example.com" }
  sizing             = { score = { memory = "2Gi" } }
}

variable "staged" {
  type = string
}
"""
"""An environment with all that may be chosen."""

VALUES = """
project         = "your-project-{environment}"
region          = "europe-west1"
alerts_to       = "you@example.com"
billing_account = ""
monthly_budget  = 50
"""
"""The five values, whatever somebody has written into theirs."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource, or a source of data, as it is planned."""

    address: str
    type: str
    key: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is planned."""

    resources: Sequence[Resource]

    def of(self, type_: str) -> list[Resource]:
        """The resources of a type, without ``google_``."""
        return [each for each in self.resources if each.type == f"google_{type_}"]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command said; ``code`` 0 is success."""

    code: int
    output: str


class Workspace:
    """A copy of ``infra`` with one environment in use; its state is a file."""

    def __init__(self, folder: Path, reattach: Mapping[bool, str], staged: Path) -> None:
        self.folder = folder
        self._reattach = reattach
        self.staged = staged
        self.environment = "dev"

    @property
    def root(self) -> Path:
        """The folder of the environment."""
        return self.folder / "environments" / self.environment

    def run(self, *arguments: str, foreseeing: bool = False) -> Ran:
        """Runs ``terraform`` in the environment."""
        environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("TF_")},
            "TF_REATTACH_PROVIDERS": self._reattach[foreseeing],
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout)

    def init(self) -> Ran:
        """Finds the modules."""
        return self.run("init", "-input=false", "-no-color")

    def plan(self, *, foreseeing: bool = False) -> Ran:
        """Plans; the plan is in ``plan.bin``."""
        staged = f"-var=staged={self.staged}"
        options = ("-input=false", "-no-color", "-out=plan.bin", "-refresh=false", staged)
        return self.run("plan", *options, foreseeing=foreseeing)

    def planned(self) -> Plan:
        """The plan of ``plan.bin``."""
        shown = self.run("show", "-json", "plan.bin", foreseeing=True)
        whole = json.loads(shown.output)
        root = whole["planned_values"]["root_module"]
        return Plan(list(_resources(root)))


def present() -> bool:
    """Whether the command is installed."""
    return shutil.which("terraform") is not None


def copied(folder: Path) -> None:
    """Copies what Terraform reads, and makes each environment keep its state in a file."""
    for part in ("modules", "environments"):
        shutil.copytree(
            INFRA / part, folder / part, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*")
        )
    for name in ("inventory.json", "firestore.indexes.json"):
        shutil.copyfile(INFRA / name, folder / name)
    everything = folder / "environments/all"
    everything.mkdir()
    (everything / "main.tf").write_text(EVERYTHING)
    shutil.copyfile(INFRA / "modules/warmlead/versions.tf", everything / "versions.tf")
    for environment in (folder / "environments").iterdir():
        values = environment / "terraform.tfvars"
        if values.exists():
            values.write_text(VALUES.format(environment=environment.name).lstrip())
        (environment / "state_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')


def _resources(module: Mapping[str, Any]) -> Iterator[Resource]:
    for each in module.get("resources", ()):
        yield Resource(each["address"], each["type"], str(each.get("index", "")), each["values"])
    for inner in module.get("child_modules", ()):
        yield from _resources(inner)
