"""Writes docs/senders.md, the page of all senders, from the registry; run by ``make senders``."""

from collections.abc import Iterator
from pathlib import Path

from warmlead.runtime.table import Function, public
from warmlead.senders.base import Profile
from warmlead.senders.registry import REGISTRY, Registration, section_name

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/senders.md"
_HEAD = """# Senders

This page lists the tools that can post to Warmlead.
`make senders` writes it from the registry and each sender's page.
`HOST` is where [your Warmlead](../functions/README.md#addresses) is reached.

To connect a tool:

1. Open its page below. It says what to click at the tool, and shows its section of the settings.
2. Write the section into the file that the heading names. Forms and traits in it are examples; what stands behind `#` is off until you want it. Set [the variable of its secret](settings.md#in-production), and start or [deploy](deploy.md) Warmlead again.
3. Send a test from the tool, or a submission of your own. `warmlead lead list` shows who came. [`warmlead quarantine list`](cli.md#quarantine) shows what could not be used, and why.
"""

_MISSING = """## Not there yet, and why

A sender is written from requests that a vendor documents, or that somebody has captured. Of these tools none was found, or what was found names nobody:

| tool | why | meanwhile |
|---|---|---|
| SurveyMonkey | its webhook holds the ids of a response; the answers stand behind its API | [an automation tool](recipes.md) |
| HubSpot's forms and meetings | HubSpot has no webhook of its own for them | a workflow that begins with the form or the meeting, and *Send a webhook* with chosen properties to [any form](../shared/warmlead/senders/generic/README.md) |
| HubSpot's conversations | `conversation.newMessage` names a conversation and a message, but nobody who wrote it | the contact that the chat makes reaches [the sender of HubSpot](../shared/warmlead/senders/hubspot/README.md) |
| 6sense, Outfunnel | [no request of theirs is documented](recipes.md#tools-without-a-recipe) | your CRM |
| Resend's `email.received` | it holds no headers, so an answer in somebody's absence looks like a reply | [another tool's replies](mail.md#replies) |
| Svix | it is not a tool: it is how many tools sign, by Standard Webhooks | [any form](../shared/warmlead/senders/generic/README.md), with the tool's `whsec_…` as secret of its signature |
"""


def page() -> str:
    """The page as it has to be."""
    lines = [line for each in public() for line in _of_function(each)]
    return "\n".join([_HEAD, *lines, *_proofs(), _MISSING])


def _of_function(function: Function) -> Iterator[str]:
    file = f", configured in the file of `{function.files[0]}`" if function.files else ""
    yield f"## `{function.name}`{file}\n"
    yield "| sender | what it sends | address | section of the file |"
    yield "|---|---|---|---|"
    for each in REGISTRY:
        if each.function == function.name:
            yield _row(each)
    yield ""


def _proofs() -> Iterator[str]:
    """How the requests of each sender are proved and repeated, and what they become."""
    yield "## How requests are verified and counted once\n"
    yield "The events are those that a sender makes by itself; settings may name others.\n"
    yield "| sender | proof | tries the address first | events | counted once by | sends again |"
    yield "|---|---|---|---|---|---|"
    for each in REGISTRY:
        profile: Profile = each.adapter_type().profile
        events = ", ".join(f"`{name}`" for name in profile.events) or "-"
        cells = (profile.proof, profile.handshake or "-", events, profile.once, profile.retries)
        yield f"| `{each.name}` | {' | '.join(cells)} |"
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
