"""What a server says when it begins: where it listens, and what to do with it."""

from collections.abc import Iterator, Mapping, Sequence

from rich.markup import escape

from warmlead import backends, wiring
from warmlead.cli.another_shell import as_exports, variables
from warmlead.cli.output import console
from warmlead.settings import LOCAL_WRITE_KEY, Settings

MOST_FORMS = 5
"""So many forms are named at most."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def welcome(
    host: str, port: int, *, on: str, watch: Sequence[str], there: Mapping[str, str]
) -> None:
    """Tells a person the addresses, the model, and how to ``watch``: the commands.

    ``there`` are variables, besides those of the settings, with which they find it.
    """
    settings = backends.settings()
    base = f"http://{'[' + host + ']' if ':' in host else host}:{port}"
    console.print(f"[bold]Warmlead[/] serves [bold]{base}[/], {escape(on)}", soft_wrap=True)
    console.print(f"  model      {escape(settings.model)}, version {backends.model().version}")
    for line in _addresses(settings, base):
        console.print(line, soft_wrap=True)
    commands = ", ".join(f"[bold]{command}[/]" for command in watch)
    console.print(f"  watch      {commands}; in another terminal, after:")
    for line in as_exports({**there, **variables(settings)}):
        console.print(f"    {escape(line)}", soft_wrap=True)
    if not settings.production and host not in LOOPBACK:
        known = ": the key is known to all" if LOCAL_WRITE_KEY in settings.write_keys else ""
        console.print(
            f"[yellow]Whoever can reach this address may send events{known}. "
            "For more than your own machine set WARMLEAD_ENV=production.[/]"
        )


def _addresses(settings: Settings, base: str) -> Iterator[str]:
    """Where what can be sent: only what is configured in production, and any form elsewhere."""
    forms = sorted(wiring.form_settings(settings)) or ([] if settings.production else ["generic"])
    for name in forms[:MOST_FORMS]:
        yield f"  a form     POST {base}/forms/generic{'' if name == 'generic' else f'/{name}'}"
    if len(forms) > MOST_FORMS:
        yield f"             and {len(forms) - MOST_FORMS} more forms"
    if not forms:
        yield "  a form     none: in production each is named in the file of WARMLEAD_FORMS"
    for sender in wiring.sales_senders(settings):
        yield f"  sales      POST {base}/sales{sender.path}"
    is_local = LOCAL_WRITE_KEY in settings.write_keys
    keys = "write key: local" if is_local else "write keys: WARMLEAD_WRITE_KEYS"
    yield f"  tracking   {base}/v1/batch  ({keys})"
    yield f"  a website  <script async src={base}/track/warmlead.js data-key=…></script>"
