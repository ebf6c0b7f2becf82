"""Writes docs/senders.md, the page of all senders, from the registry; run by ``make senders``."""

from collections.abc import Iterator
from pathlib import Path

from warmlead.runtime.table import Function, public
from warmlead.senders.registry import REGISTRY, Registration, section_name

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/senders.md"
_HEAD = """# Senders

This page lists the tools that can post to Warmlead.
`make senders` writes it from the registry and each sender's page.
`HOST` is where [your Warmlead](../functions/README.md#addresses) is reached.
"""


def page() -> str:
    """The page as it has to be."""
    return "\n".join([_HEAD, *(line for each in public() for line in _of_function(each))])


def _of_function(function: Function) -> Iterator[str]:
    file = f", configured in the file of `{function.files[0]}`" if function.files else ""
    yield f"## `{function.name}`{file}\n"
    yield "| sender | what it sends | address | section of the file |"
    yield "|---|---|---|---|"
    for each in REGISTRY:
        if each.function == function.name:
            yield _row(each)
    yield ""


def _row(sender: Registration) -> str:
    readme = Path("shared/warmlead/senders", sender.name, "README.md")
    title, what = _summary((ROOT / readme).read_text(encoding="utf-8"))
    below = f"{sender.path}/<form>" if sender.takes_rest and sender.path else sender.path
    address = f"`https://HOST/{sender.function}/{below or 'v1/batch'}`"
    return f"| [{title}](../{readme.as_posix()}) | {what} | {address} | {_section(sender)} |"


def _section(sender: Registration) -> str:
    if not sender.settings:
        return "–"
    return "the form's name" if sender.takes_rest else f"`{section_name(sender)}`"


def _summary(readme: str) -> tuple[str, str]:
    """A sender's name, and what it takes: the first sentence of its page."""
    head, first, *_ = readme.split("\n\n")
    sentence = first.replace("\n", " ").partition(". ")[0]
    what = sentence.removeprefix("This sender takes ").removesuffix(".")
    return head.removeprefix("# "), what[:1].upper() + what[1:]


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(ROOT))


if __name__ == "__main__":
    main()
