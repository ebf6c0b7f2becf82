"""Pages from templates, and the headers by which a browser keeps them to itself."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from warmlead.application.listing import shortened
from warmlead.dashboard import charts
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.sales import SalesStatus
from warmlead.web.answers import Answer

BASE = "/dashboard"
"""The beginning of all addresses of the pages; the function answers without it too."""

HTML = "text/html; charset=utf-8"

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",  # with `no-referrer` a form would have no origin
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Vary": "Cookie, Authorization",
    }
)
"""The headers of every answer. The edge says besides that nothing is kept, and no type guessed."""

_IN_CAPITALS = ("mql", "pql", "sql")

_FOLDER = Path(__file__).parent
_TYPES = {
    "style.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_FOR_A_YEAR = "private, max-age=31536000, immutable"
_HASH_LETTERS = 12


@cache
def asset(name: str) -> bytes:
    """The content of a file that pages load."""
    return (_FOLDER / "static" / name).read_bytes()


@cache
def asset_path(name: str) -> str:
    """The address of a file that pages load: another content has another address."""
    digest = hashlib.sha256(asset(name)).hexdigest()[:_HASH_LETTERS]
    return f"/static/{digest}/{name}"


def asset_at(path: str) -> Answer:
    """The file at an address; raises ``RejectedError`` if there is none."""
    for name, type_ in _TYPES.items():
        if path == asset_path(name):
            headers = {**HEADERS, "Cache-Control": _FOR_A_YEAR}
            return Answer(200, asset(name), type_, headers)
    raise RejectedError(Reason.NOT_FOUND, "There is no such file.")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "moment": moment,
        "day": lambda value: f"{value:%Y-%m-%d}",
        "number": number,
        "signed": lambda points: f"{points:+,d}".replace("-", "−").replace(",", "\u202f"),
        "short": shortened,
        "words": lambda text: str(text).replace("_", " "),
        "stage": stage_name,
        "answer": lambda said: said if said in set(SalesStatus) else "withdrawn",
    }
    environment.globals |= {
        "base": BASE,
        "asset": lambda name: f"{BASE}{asset_path(name)}",
        "charts": charts,
    }
    return environment


def page(template: str, *, status: int = 200, **values: Any) -> Answer:  # noqa: ANN401  # whatever a template shows
    """A page, with the headers of all pages."""
    text = _environment().get_template(template).render(**values)
    return Answer(status, text.encode(), HTML, HEADERS)


def redirect(to: str) -> Answer:
    """Sends a browser to a page of ours, by GET."""
    return Answer(303, b"", HTML, {**HEADERS, "Location": f"{BASE}{to}"})


def moment(at: datetime | None) -> Markup:
    """A time in UTC, which the page's script turns into the viewer's zone."""
    if at is None:
        return Markup("")
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(
        f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{utc:%Y-%m-%d %H:%M}"
    )


def stage_name(stage: str) -> str:
    """A stage as people write it."""
    return stage.upper() if stage in _IN_CAPITALS else stage.replace("_", " ")


def number(value: float) -> str:
    """A whole number with thin spaces between thousands."""
    return f"{value:,.0f}".replace(",", "\u202f").replace("-", "−")


def counted(count: int, thing: str) -> str:
    """``1 lead``, ``2 leads``."""
    return f"{number(count)} {thing}{'' if count == 1 else 's'}"
