"""Writes what is published of messages and of the API into docs; run by ``make schemas``.

For each type its JSON Schema and an example, and the examples that README.md shows whole.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from example_story import example_messages

from warmlead.dashboard.api import openapi_text
from warmlead.messages.contract import MESSAGES, example_name, file_name, message_schema

FOLDER = Path(__file__).parent.parent / "docs/messages"
PAGE = FOLDER / "README.md"


def published() -> Iterator[tuple[Path, str]]:
    """Each file, with the text that it should have."""
    examples = example_messages()
    for kind in MESSAGES:
        yield FOLDER / file_name(kind), _json(message_schema(kind))
        yield FOLDER / example_name(kind), _json(examples[kind])
    yield FOLDER.parent / "dashboard.openapi.json", openapi_text()
    page = PAGE.read_text(encoding="utf-8")
    shown = re.sub(
        r"(?<=```json\n).*?(?=```)",
        lambda block: _json(examples[json.loads(block[0])["type"]]),
        page,
        flags=re.DOTALL,
    )
    yield PAGE, shown


def _json(document: Mapping[str, Any]) -> str:
    return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the files, or checks them; 1 if some are not up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say which are not up to date")
    is_check = parser.parse_args(arguments).check
    stale = [
        (path, text)
        for path, text in published()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        if is_check:
            print(f"{path} is not up to date: run make schemas", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(FOLDER.parent.parent))
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
