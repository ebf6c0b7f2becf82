"""Stands in for ``gcloud``, which does nothing without an account: keeps what it is told in files.

It knows the commands of ``infra/deploy.py`` and no others, and writes each into ``calls``.
"""

import os
import shutil
import sys
from pathlib import Path

FOLDER = Path(os.environ["GCLOUD_STAND_IN"])


def main(words: list[str]) -> int:  # noqa: C901, PLR0911, PLR0912  # one case for each command
    """Does one command; 1 if what it asks about is not there, 2 if it is not known."""
    with (FOLDER / "calls").open("a") as calls:
        calls.write(" ".join(words) + "\n")
    plain = [word for word in words if not word.startswith("--")]
    match plain:
        case ["services", "enable", *_] | ["beta", "services", "identity", "create"]:
            return 0
        case ["beta", "run", "services", "update", _] if {"--iap", "--no-iap"} & {*words}:
            return 0
        case ["storage", "buckets", "describe", bucket]:
            return 0 if local(bucket).is_dir() else 1
        case ["storage", "buckets", "create", bucket]:
            local(bucket).mkdir(parents=True)
            return 0
        case ["storage", "buckets", "update", bucket]:
            return 0 if local(bucket).is_dir() else 1
        case ["storage", "cp", source, target]:
            if not local(target).exists() or "--no-clobber" not in words:
                local(target).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, local(target))
            return 0
        case ["storage", "ls", target]:
            if not local(target).is_dir():
                return 1
            print(*(f"{target}{each.name}" for each in local(target).iterdir()), sep="\n")
            return 0
        case ["storage", "cat", target]:
            print(local(target).read_text())
            return 0
        case ["secrets", "versions", "list", secret]:
            versions = sorted((FOLDER / "secrets" / secret).glob("*"), reverse=True)
            print(*(f"projects/1/secrets/{secret}/versions/{each.name}" for each in versions[:1]))
            return 0 if versions else 1
        case ["secrets", "versions", "access", "latest"]:
            [named] = [word for word in words if word.startswith("--secret=")]
            versions = sorted((FOLDER / "secrets" / named.removeprefix("--secret=")).glob("*"))
            print(versions[-1].read_text() if versions else "", end="")
            return 0 if versions else 1
        case ["secrets", "versions", "add", secret]:
            kept = FOLDER / "secrets" / secret
            kept.mkdir(parents=True, exist_ok=True)
            (kept / str(len(list(kept.glob("*"))) + 1)).write_text(sys.stdin.read())
            return 0
    return 2


def local(address: str) -> Path:
    """The file that stands for what is in a bucket."""
    return FOLDER / address.removeprefix("gs://")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
