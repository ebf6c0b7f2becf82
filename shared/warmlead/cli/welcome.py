"""What a server says when it begins: where it listens, and what to do with it."""

from rich.markup import escape

from warmlead import backends
from warmlead.cli.output import console

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def welcome(host: str, port: int, *, on: str, watch: str) -> None:
    """Tells a person the addresses, the model, and how to ``watch`` (in rich's markup)."""
    settings = backends.settings()
    base = f"http://{'[' + host + ']' if ':' in host else host}:{port}"
    console.print(f"[bold]Warmlead[/] serves [bold]{base}[/], {escape(on)}")
    console.print(f"  model      {escape(settings.model)}, version {backends.model().version}")
    console.print(f"  a form     POST {base}/forms/generic")
    console.print(
        f"  tracking   {base}/v1/batch" + ("" if settings.production else "  (write key: local)")
    )
    script = f"<script async src={base}/track/warmlead.js data-key=…></script>"
    console.print(f"  a website  {script}", soft_wrap=True)
    console.print(f"  watch      {watch}")
    if not settings.production and host not in LOOPBACK:
        console.print(
            "[yellow]Whoever can reach this address may send events: the key is known to all. "
            "For more than your own machine set WARMLEAD_ENV=production.[/]"
        )
