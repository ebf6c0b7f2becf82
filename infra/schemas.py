"""Writes the JSON Schemas of all messages into docs/messages; run by ``make schemas``."""

import json
from pathlib import Path

from warmlead.messages.contract import MESSAGES, file_name, message_schema

FOLDER = Path(__file__).parent.parent / "docs/messages"


def main() -> None:
    """Writes each schema as it is published."""
    for kind in MESSAGES:
        text = json.dumps(message_schema(kind), indent=2, ensure_ascii=False)
        (FOLDER / file_name(kind)).write_text(f"{text}\n", encoding="utf-8")
        print(f"docs/messages/{file_name(kind)}")


if __name__ == "__main__":
    main()
