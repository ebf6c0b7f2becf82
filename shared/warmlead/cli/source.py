"""``warmlead source``: shows what a captured post becomes, and begins a new sender."""

import asyncio
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape

from warmlead.application.explain import Shape
from warmlead.application.quarantine import entries
from warmlead.cli.new_sender import NEXT, begin
from warmlead.cli.output import EXIT_MISUSE, EXIT_WRONG, Json, console, fail, print_json
from warmlead.cli.quarantine import INSTEAD
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event, Trust
from warmlead.parsing.strict_json import loads
from warmlead.ports import RawRequest, Refused, Source, Translation
from warmlead.runtime import backends, functions
from warmlead.runtime.table import FORMS, names, public, public_named
from warmlead.senders.registry import (
    REGISTRY,
    Registration,
    by_name,
    functions_by_path,
    section_name,
)
from warmlead.senders.suggestions import as_settings, suggested, suggested_for
from warmlead.senders.webhooks import WebhookSender
from warmlead.settings import why_unreadable

app = typer.Typer(
    no_args_is_help=True,
    help="""Look at what tools post, and at what it becomes.

```text
warmlead source inspect captured.json
warmlead source inspect captured.http
```
""",
)

GENERIC = "generic"
MAX_FILE_BYTES = 1_000_000
_REQUEST_LINE = re.compile(rb"[A-Z]{3,10} (\S{1,4000}) HTTP/[0-9.]{1,3}\r?\n")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


class ItemView(Shape):
    """What one item of a request becomes: an event, or the reason why it is none.

    ``outcome`` is ``event``, ``refused`` (it would go to quarantine) or ``ignored``. ``event`` has
    the fields of an accepted event. ``settings`` are lines for the settings, in YAML.
    """

    index: int
    outcome: str
    event: dict[str, Any] | None = None
    code: str = ""
    message: str = ""
    settings: str = ""


class InspectedView(Shape):
    """What a request becomes. ``configured``: whether its sender is configured here."""

    sender: str
    function: str
    configured: bool
    items: list[ItemView]


@app.command()
def inspect(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A body, or a raw request with its head; the number of a quarantined post.",
        ),
    ],
    sender: Annotated[
        str, typer.Option(metavar="NAME", help="Who sent it; by default it is found out.")
    ] = "",
    form: Annotated[str, typer.Option(metavar="NAME", help="The name of the form.")] = "",
    as_json: Json = False,
) -> None:
    """Show what a captured post becomes, and suggest settings.

    Nothing is sent, stored or verified. FILE is a body as the tool sent it, or a whole request with
    its head (``POST /forms/typeform HTTP/1.1`` …). A number is that of a post in quarantine: see
    ``warmlead quarantine list``.

    ```text
    warmlead source inspect answer.json
    warmlead source inspect answer.json --sender typeform
    warmlead source inspect entry.txt --form contact
    warmlead source inspect 3
    ```
    """
    if file.isdecimal() and not Path(file).exists():
        seen = asyncio.run(_in_quarantine(int(file)))
    else:
        seen = _inspected(_request(_read(file), sender, form), sender)
    if as_json:
        print_json(seen)
    else:
        _print(seen, form)


def _read(file: str) -> bytes:
    try:
        with Path(file).open("rb") as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        hint = "Give a file, or the number of an entry of: warmlead quarantine list"
        raise fail(f"{file}: {why_unreadable(error)}.", hint=hint, code=EXIT_MISUSE) from error
    if len(content) > MAX_FILE_BYTES:
        text = f"{file} is larger than a request may be: {MAX_FILE_BYTES} bytes."
        raise fail(text, code=EXIT_MISUSE)
    return content


def _request(content: bytes, sender: str, form: str) -> RawRequest:
    """The request in a file: raw, or a body that is posted to the named sender."""
    now = datetime.now(UTC)
    raw = _REQUEST_LINE.match(content)
    if raw:
        head, _, body = _split(content)
        target, _, query = raw[1].decode("latin-1").partition("?")
        return RawRequest("POST", target, query, _headers(head), body, now, uuid.uuid4().hex)
    kind = "application/json" if content.lstrip()[:1] in (b"{", b"[") else _URLENCODED
    path = f"/{_registered(sender).path}/{form}".rstrip("/") if sender or form else ""
    headers = {"content-type": kind}
    return RawRequest("POST", path, "", headers, content, now, uuid.uuid4().hex)


_URLENCODED = "application/x-www-form-urlencoded"


def _split(content: bytes) -> tuple[bytes, bytes, bytes]:
    blank = _BLANK_LINE.search(content)
    if blank is None:
        return content, b"", b""
    return content[: blank.start()], blank[0], content[blank.end() :]


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").splitlines()[1:]
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _registered(name: str) -> Registration:
    try:
        return by_name(name or GENERIC)
    except LookupError as error:
        raise fail(str(error), code=EXIT_MISUSE) from error


def _inspected(request: RawRequest, named: str) -> InspectedView:
    """What a request becomes, by the sender that is named, or at its path, or that knows it."""
    registered = _registered(named) if named else _at(request.path)
    if registered:
        sender, is_configured = _sender(registered)
        paths = _paths(registered, sender) if request.path == f"/{registered.path}" else ()
        for path in paths:
            own = replace(request, path=path)
            seen = _seen(registered, sender, own, is_configured=is_configured)
            if _known(seen):
                return seen
        return _seen(registered, sender, request, is_configured=is_configured)
    found = _recognized(request)
    if found:
        return found
    generic = _registered(GENERIC)
    sender, is_configured = _sender(generic)
    own = replace(request, path=f"/{GENERIC}")
    return _seen(generic, sender, own, is_configured=is_configured)


def _paths(registered: Registration, sender: Source) -> Sequence[str]:
    """The addresses to try for a body alone: the sender's path, or all if that is not one."""
    own = f"/{registered.path}"
    if isinstance(sender, WebhookSender) and sender.is_known_by_body and own not in sender.paths:
        return sender.paths
    return (own,)


def _known(seen: InspectedView) -> list[str]:
    """What became of those items of which the sender knows something."""
    return [item.outcome for item in seen.items if item.code not in _OF_STRANGERS]


_OF_STRANGERS = (
    *("kind_unknown", "not_wanted", "test_mode"),
    *map(str, (Reason.EVENT_INVALID, Reason.JSON_INVALID, Reason.FORM_INVALID, Reason.NOT_FOUND)),
    *map(str, (Reason.MEDIA_TYPE_UNSUPPORTED, Reason.BODY_EMPTY)),
)
"""Why a sender refuses or ignores what another tool sent."""

_RANKS = ("event", "ignored", "refused")
"""What tells most that a post is of a sender: that it is an event, or that its word is known."""


def _recognized(request: RawRequest) -> InspectedView | None:
    """What the request becomes by the sender that understands most of it; ``None`` if none does.

    A sender that a body alone does not show, or that needs other settings than secrets and is not
    configured here, is not asked.
    """
    best: tuple[tuple[int, int], InspectedView] | None = None
    for each in REGISTRY:
        adapter = each.adapter_type()
        if not (issubclass(adapter, WebhookSender) and adapter.is_known_by_body):
            continue
        made = _sender_if_plain(each)
        if made is None:
            continue
        for path in _paths(each, made[0]):
            own = replace(request, path=path)
            found = _seen(each, made[0], own, is_configured=made[1])
            known = _known(found)
            if not known:
                continue
            rank = (min(map(_RANKS.index, known)), -_understood(found))
            if best is None or rank < best[0]:
                best = rank, found
    return best[1] if best else None


def _understood(found: InspectedView) -> int:
    """How much of a post its events hold: the more, the likelier its sender is the right one."""
    return sum(
        len(item.event) + len(item.event.get("traits", ())) for item in found.items if item.event
    )


def _at(path: str) -> Registration | None:
    """The sender at a path, with or without its function's name in front; ``None`` for no path."""
    parts = path.strip("/").split("/")
    if not parts[0]:
        return None
    function = parts[0] if parts[0] in names(public()) and len(parts) > 1 else ""
    own = parts[1] if function else parts[0]
    wanted = function or functions_by_path().get(own, "")
    return next((e for e in REGISTRY if (e.function, e.path) == (wanted, own)), None)


def _sender(registered: Registration) -> tuple[Source, bool]:
    """The sender as it is configured here, else with default settings; whether it is configured."""
    made = _sender_if_plain(registered)
    if made is None:
        hint = f"Its settings are described on its page: docs/senders.md ({registered.name})"
        raise fail(f"{registered.name} is not configured here.", hint=hint)
    return made


def _sender_if_plain(registered: Registration) -> tuple[Source, bool] | None:
    """The same; ``None`` if it is not configured, and needs other settings than secrets."""
    configured = functions.senders(public_named(registered.function), backends.settings())
    here = configured.by_path.get(registered.path) or configured.otherwise
    if here and here.name == registered.name:
        return here, True
    adapter = registered.adapter_type()
    try:
        plain = registered.settings_type()(secrets=("not configured",))
    except TypeError:
        return None
    sender: Source = adapter.from_settings(plain, backends.settings())
    return sender, False


def _seen(
    registered: Registration, sender: Source, request: RawRequest, *, is_configured: bool
) -> InspectedView:
    below = f"/{registered.function}/"  # /mailgun is not below /mail
    path = (
        f"/{request.path.removeprefix(below)}" if request.path.startswith(below) else request.path
    )
    own = replace(request, path=path)
    try:
        items = list(_items(sender.translate(own, Trust.SIGNED)))
    except RejectedError as error:
        items = [ItemView(index=0, outcome="refused", code=error.reason, message=error.message)]
    return InspectedView(
        sender=registered.name,
        function=registered.function,
        configured=is_configured,
        items=items,
    )


def _items(translation: Translation) -> Iterator[ItemView]:
    views = [_of_event(index, event) for index, event in translation.events]
    views += [_of_refused(one) for one in translation.refused]
    views += [
        ItemView(index=index, outcome="ignored", code=why.code, message=why.message)
        for index, why in translation.ignored
    ]
    yield from sorted(views, key=lambda view: view.index)


def _of_event(index: int, event: Event) -> ItemView:
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(event))
    for name in ("v", "source", "received_at"):
        fields.pop(name, None)
    lines = as_settings(suggested_for(event))
    return ItemView(index=index, outcome="event", event=fields, settings=lines)


def _of_refused(refused: Refused) -> ItemView:
    try:
        fields = loads(refused.raw)
    except RejectedError:
        fields = {}
    return ItemView(
        index=refused.index,
        outcome="refused",
        code=refused.error.reason,
        message=refused.error.message,
        settings=as_settings(suggested(fields)) if isinstance(fields, dict) else "",
    )


@app.command()
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Small letters, digits and _, such as typeform.")
    ],
    function: Annotated[
        str, typer.Option(metavar="FUNCTION", help="The function that takes its requests.")
    ] = FORMS.name,
) -> None:
    """Begin a sender in a checkout of Warmlead's source.

    Writes its folder, its page, a fixture and its row of the registry. Its tests fail until each
    of them is filled in; they say what is missing.

    ```text
    warmlead source new acme
    warmlead source new acme --function chat
    ```
    """
    try:
        written = begin(Path.cwd(), name, function)
    except ValueError as error:
        raise fail(str(error), code=EXIT_MISUSE) from error
    for path in written:
        console.print(path.as_posix())
    console.print(f"[dim]{NEXT.format(name=name)}[/]", soft_wrap=True)


async def _in_quarantine(number: int) -> InspectedView:
    """What a post in quarantine becomes under the present settings."""
    async with backends.embedded(instead=INSTEAD) as system:
        found = next((one for one in await entries(system.bus) if one.number == number), None)
    item = found.item if found else None
    if item is None or item.raw is None or item.path is None:
        hint = "To see what there is: warmlead quarantine list"
        raise fail(f"{number} is not the number of a post in quarantine.", hint=hint)
    registered = _registered(item.source)
    sender, is_configured = _sender(registered)
    path, body = sender.resend(item.path, item.raw.encode())
    headers = {"content-type": "application/json"}
    request = RawRequest("POST", path, "", headers, body, item.received_at, f"quarantine-{number}")
    return _seen(registered, sender, request, is_configured=is_configured)


def _print(seen: InspectedView, form: str) -> None:
    how = "as it is configured here" if seen.configured else "with default settings"
    console.print(f"Read as [bold]{escape(seen.sender)}[/] ({seen.function}), {how}.")
    for item in seen.items:
        console.print()
        if item.event:
            _print_event(item.event)
        else:
            word = "[yellow]ignored[/]" if item.outcome == "ignored" else "[red]refused[/]"
            console.print(f"{word}  {escape(item.message)} ({item.code})", soft_wrap=True)
        if item.settings:
            console.print("[dim]more of it would be understood with these settings:[/]")
            where = form if seen.sender == GENERIC else section_name(by_name(seen.sender))
            for line in ([f"{where}:"] if where else []) + [
                f"{'  ' if where else ''}{line}" for line in item.settings.splitlines()
            ]:
                console.print(escape(line), soft_wrap=True)
    if seen.items and all(item.outcome == "refused" for item in seen.items):
        raise typer.Exit(EXIT_WRONG)


_LABELS = {"traits": "trait", "properties": "property", "attribution": "origin"}


def _print_event(event: Mapping[str, Any]) -> None:
    console.print(f"[green]event[/]    [bold]{escape(event['name'])}[/] at {event['occurred_at']}")
    console.print(f"[dim]id[/]       {escape(event['id'])}", soft_wrap=True)
    for name in ("email", "user_id", "anonymous_id", "automated"):
        if event.get(name):
            console.print(f"[dim]{name:<8}[/] {escape(str(event[name]))}", soft_wrap=True)
    for group, label in _LABELS.items():
        for name, value in event.get(group, {}).items():
            console.print(f"[dim]{label:<8}[/] {escape(f'{name}: {value}')}", soft_wrap=True)
    for note in event.get("notes", ()):
        console.print(f"[dim]note[/]     {escape(note)}", soft_wrap=True)
