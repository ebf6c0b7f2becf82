"""Writes the files of a new sender into a checkout, to be filled in."""

import re
from pathlib import Path

from warmlead.runtime.table import names, public
from warmlead.senders.registry import REGISTRY

NEXT = """next: fill in source.py, README.md and the fixture, as CONTRIBUTING.md says, then
  make fixtures SENDER={name}
  .venv/bin/pytest -q tests/senders/test_family.py tests/senders/test_conformance.py -k {name}
  make senders"""
"""What to do with the files; the commands below the first line in this order."""

_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")
_PACKAGE = Path("shared/warmlead/senders")
_FIXTURES = Path("tests/senders")
_LINE = 100
_LAST_ROW = ')\n"""Every sender;'

_INIT = '''"""{title}: see README.md."""

from warmlead.senders.{name}.source import {title}Settings, {title}Source

__all__ = ["{title}Settings", "{title}Source"]
'''

_SOURCE = '''"""{title}'s webhooks."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.parsing.signatures import WebhookScheme
from warmlead.senders.proofs import Proof, Signed
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, WebhookSender, WebhookSettings, text


class {title}Settings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are those of the webhooks."""


class {title}Source(WebhookSender):
    """What it sends, and where its documentation is."""

    name = "{name}"
    path = "{path}"
    # is_known_by_body = False, if any tool might send such a body
    # or StandardWebhooks(), also of Svix; KeyInAddress(); KeyInBody("field")
    proof: ClassVar[Proof] = Signed(WebhookScheme(header="X-{title}-Signature"))
    meanings: ClassVar[Mapping[str, str | None]] = {{}}
    once = ""
    retries = ""

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What one item says."""
        yield Said(
            text(item.get("type")),
            Fact(id=text(item.get("id")) or None, time=item.get("time"), email=item.get("email")),
        )
'''

_README = """# {title}

This sender takes …

## At {title}

`HOST` is where [your Warmlead](../../../../functions/README.md#addresses) is reached.

1. Enter `https://HOST/{function}/{path}` …

## Settings

The section `{section}` of the file that `WARMLEAD_{settings}` names:

```yaml
{section}:
  secrets: [env:{upper}_SECRET]
```

[All settings of a mapping](../generic/README.md#settings) may stand in the section.

## What it sends

The request is signed with `…`.

| {title} says | event |
|---|---|

## Counting once

A … counts once by its `…`. Its time is `…`.

If Warmlead cannot use an item, it keeps it in [quarantine](../../../../docs/cli.md#quarantine) \
and answers 200, because {title} could not mend it. {title} sends again …
"""

_FIXTURE = """{{
  "modelled_on": "",
  "settings": {{"{section}": {{"secrets": ["a-secret-of-the-tests-{path}"]}}}},
  "method": "POST",
  "path": "/{path}",
  "query": "",
  "headers": {{"content-type": "application/json"}},
  "body": "{{}}",
  "expected": [],
  "refused": []
}}
"""


def begin(root: Path, name: str, function: str) -> list[Path]:
    """Writes a sender's files into the checkout at ``root``; returns their paths below it.

    Raises ``ValueError``, before anything is written, if ``root`` is no checkout, the name is
    taken or not usable, or the function takes no requests of senders.
    """
    registry = root / _PACKAGE / "registry.py"
    if not registry.is_file():
        raise ValueError("This is not a checkout of Warmlead's source: clone it, and work there.")
    if not _NAME.fullmatch(name):
        raise ValueError("A sender's name is small letters, digits and _, a letter first.")
    if name in {each.name for each in REGISTRY} or (root / _PACKAGE / name).exists():
        raise ValueError(f"There is a sender {name} already.")
    taking = names(public())
    if function not in taking:
        raise ValueError(f"{function} takes no requests of senders; {', '.join(taking)} do.")
    title = "".join(part.capitalize() for part in name.split("_"))
    path = name.replace("_", "-")
    named_by_forms = any(e.function == function and e.takes_rest and e.settings for e in REGISTRY)
    filled = {
        "name": name,
        "title": title,
        "path": path,
        "function": function,
        "section": f"/{path}" if named_by_forms else path,
        "upper": name.upper(),
        "settings": function.upper(),
    }
    files = {
        _PACKAGE / name / "__init__.py": _INIT,
        _PACKAGE / name / "source.py": _SOURCE,
        _PACKAGE / name / "README.md": _README,
        _FIXTURES / name / "fixtures" / "example__as_documented.json": _FIXTURE,
    }
    for place, template in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(template.format(**filled), encoding="utf-8")
    words = (name, function, path, f"{title}Source", f"{title}Settings")
    rows = registry.read_text(encoding="utf-8")
    row = _row([f'"{word}"' for word in words])
    registry.write_text(rows.replace(_LAST_ROW, row + _LAST_ROW, 1), encoding="utf-8")
    return [*files, _PACKAGE / "registry.py"]


def _row(quoted: list[str]) -> str:
    """The row of the registry, as ruff formats it."""
    row = f"    Registration({', '.join(quoted)}),\n"
    if len(row) <= _LINE + 1:
        return row
    return "\n".join(["    Registration(", *(f"        {word}," for word in quoted), "    ),\n"])
