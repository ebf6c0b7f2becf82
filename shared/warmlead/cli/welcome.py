"""What a server says when it begins: where it listens, and what to do with it."""

from rich.markup import escape

from warmlead import backends
from warmlead.cli.output import console
from warmlead.settings import LOCAL_WRITE_KEY

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def welcome(host: str, port: int, *, on: str, watch: str) -> None:
    """Tells a person the addresses, the model, and how to ``watch`` (in rich's markup)."""
    settings = backends.settings()
    base = f"http://{'[' + host + ']' if ':' in host else host}:{port}"
    console.print(f"[bold]Warmlead[/] serves [bold]{base}[/], {escape(on)}")
    console.print(f"  model      {escape(settings.model)}, version {backends.model().version}")
    console.print(f"  a form     POST {base}/forms/generic")
    is_local = LOCAL_WRITE_KEY in settings.write_keys
    keys = "write key: local" if is_local else "write keys: WARMLEAD_WRITE_KEYS"
    console.print(f"  tracking   {base}/v1/batch  ({keys})")
    script = f"<script async src={base}/track/warmlead.js data-key=…></script>"
    console.print(f"  a website  {script}", soft_wrap=True)
    console.print(f"  watch      {watch}")
    if not settings.production and host not in LOOPBACK:
        known = ": the key is known to all" if is_local else ""
        console.print(
            f"[yellow]Whoever can reach this address may send events{known}. "
            "For more than your own machine set WARMLEAD_ENV=production.[/]"
        )
