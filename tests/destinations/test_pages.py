"""The page of destinations and each tool's own page agree with the registry."""

import re
from pathlib import Path

import pytest
import yaml

from warmlead.destinations.registry import TOOLS, Tool, destinations_in
from warmlead.settings import Settings
from warmlead.settings_file import STAND_IN

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/destinations.md").read_text(encoding="utf-8")


def readme(tool: Tool) -> str:
    folder = ROOT / "shared/warmlead/destinations" / tool.name.replace("-", "_")
    return (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_page_lists_the_tool_with_its_first_sentence(tool: Tool) -> None:
    text = readme(tool)
    title = re.match(r"# (.+)\n\nThis destination (.+?)(?:\.|:|,? which)(?: |\n)", text)
    assert title, "it begins with: # Name, an empty line, This destination …"
    row = next((line for line in PAGE.splitlines() if line.startswith(f"| `{tool.name}`")), "")
    assert f"[{title[1]}](../shared/warmlead/destinations/" in row, row


def sections(tool: Tool) -> list[dict[str, object]]:
    blocks = re.findall(r"```yaml\n(.*?)```", readme(tool), re.DOTALL)
    parsed = [yaml.safe_load(block) for block in blocks]
    return [each for each in parsed if any("to" in (s or {}) for s in each.values())]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_example_of_settings_is_good(tool: Tool) -> None:
    examples = sections(tool)
    assert examples
    for example in examples:
        made = destinations_in(with_secrets(example), Settings(env="production"))
        assert made.keys() == example.keys()


def with_secrets(value: object) -> object:
    if isinstance(value, dict):
        return {name: with_secrets(part) for name, part in value.items()}
    if isinstance(value, list):
        return [with_secrets(part) for part in value]
    return STAND_IN if isinstance(value, str) and value.startswith("env:") else value
