"""Signs a sender's fixtures as of the moment of the tests, and prints what each of them means.

``make fixtures SENDER=name``. A header that proves the origin is written into the file if it is
missing or wrong, and a body that stands there as JSON becomes its text. The events are printed as
``expected`` holds them: read them before you copy them.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from senders.configured import FIXTURES, configured_senders, meant, request_in, sender_of
from warmlead.domain.errors import RejectedError
from warmlead.ports import RawRequest
from warmlead.senders.base import Sender


def main(name: str) -> int:
    """Signs and prints; 2 if there is no such sender, or it has no fixture."""
    paths = [path for path in FIXTURES if sender_of(path) == name]
    if not paths:
        print(f"There is no tests/senders/{name}/fixtures/*.json.")
        return 2
    sender = configured_senders()[name]
    for path in paths:
        written = json.loads(path.read_text(encoding="utf-8"))
        said = {**written, "body": _as_text(written["body"])}
        request = _signed(sender, request_in(said))
        said["headers"] = dict(request.headers)
        if said != written:
            path.write_text(json.dumps(said, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            print(f"signed {path.name}")
        _print(path, said, sender, request)
    return 0


def _as_text(body: object) -> str:
    """A body as it is sent: JSON may stand in the file as it is, until it is signed."""
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)


def _signed(sender: Sender, request: RawRequest) -> RawRequest:
    """The request as it is, if its proof is valid; else with another one."""
    try:
        sender.verify(request)
    except RejectedError:
        proof = {header.lower(): value for header, value in sender.sign(request).items()}
        return replace(request, headers={**request.headers, **proof})
    return request


def _print(path: Path, said: Mapping[str, Any], sender: Sender, request: RawRequest) -> None:
    try:
        translation = sender.translate(request, sender.verify(request))
    except RejectedError as error:
        print(f"{path.name}: {error.reason}: {error.message}")
        return
    found = meant(translation)
    as_said = "as expected" if found == said["expected"] else "not as expected"
    print(f"{path.name}: {as_said}\n{json.dumps(found, ensure_ascii=False, indent=2)}")
    for one in translation.refused:
        print(f"refused {one.index}: {one.error.reason}: {one.error.message}")
    for index, why in translation.ignored:
        print(f"ignored {index}: {why.code}: {why.message}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
