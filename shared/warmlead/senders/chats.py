"""What senders of chats share: a visitor's words, whether they ask something, who wrote them. Pure.

Only what visitors do is theirs. Of what people of the team and their bots write, nothing is wanted.
"""

import re
from collections.abc import Mapping
from html import unescape
from itertools import pairwise
from typing import Any

from warmlead.senders.attribution import path_of
from warmlead.senders.webhooks import Said, text

MAX_WORDS = 1_000
"""The characters that are kept of a message."""

MAX_MARKUP = 4_000
"""The characters of a message with markup that are read."""

MOST_MESSAGES = 100
"""The visitor's first messages of a transcript that become events; a day counts no more than 20."""

WIDGET = "chat"
"""The channel of a chat on the website itself."""

_NOTHING = "nothing of the visitor"
OTHERS: Mapping[str, None] = {_NOTHING: None}
"""The meaning of what is not the visitor's, such as a message of an agent or a bot."""

_TAG = re.compile(r"<[^<>]*>")
_MARKS = frozenset("?\u037e\u055e\u061f\u1367\u2e2e\ufe56\uff1f")
"""Question marks: Latin, Greek, Armenian, Arabic, Ethiopic, reversed, small and full-width."""

_WORDS = """
    how what where which who why can could does is are would
    wie was wo welche welcher wer warum wieso kann können könnt gibt
    comment combien où quel quelle quels quelles qui pourquoi est-ce peut-on pouvez-vous avez-vous
    cómo como cuánto cuanto cuántos dónde donde cuál qué quién puedo pueden tienen
    quanto quanti dove quale perché chi posso potete avete
    hoe wat waar welke wie waarom hoeveel kan kunnen
    qual quais onde quando quem posso podem vocês
"""
_ASKING = frozenset(_WORDS.split())
"""Words with which questions begin in the languages of most chats."""

_OF_GREETING = 2
"""The words of a greeting, at most."""

_MADE_UP = re.compile(
    r"(?:visitor|guest)(?:[ _#-]?[0-9]+)?|v[0-9]{6,}|[a-z]+-[a-z]+-[0-9]{1,4}", re.IGNORECASE
)
"""Names that chat tools give to nameless visitors: ``V1561719148780935``, ``little-haze-776``."""


def nothing() -> Said:
    """What a message of the team, or of a bot, says of the visitor."""
    return Said(_NOTHING)


def id_of(*parts: object) -> str | None:
    """The id of a fact, of the tool's own ids; ``None`` if one of them is missing."""
    texts = [text(part) for part in parts]
    return "-".join(texts) if all(texts) else None


def plain(words: object) -> str:
    """A message as one line of text, up to 1,000 characters; empty if it is no text."""
    return " ".join(words[:MAX_MARKUP].split())[:MAX_WORDS] if isinstance(words, str) else ""


def from_html(body: object) -> str:
    """The same of a message with markup: without tags, and with its entities as characters."""
    if not isinstance(body, str):
        return ""
    return plain(unescape(_TAG.sub(" ", body[:MAX_MARKUP])))


def is_question(words: str) -> bool:
    """Whether a message asks something, as far as its form tells.

    It has a question mark, of any script, outside of an address; or a sentence of it begins as
    questions do. A greeting before a comma is no beginning: *Hi Grace, does it …*
    """
    parts = words.split()
    if any(not _MARKS.isdisjoint(part) for part in parts if not _is_address(part)):
        return True
    starts = (here for before, here in pairwise(["", *parts]) if _ends(before))
    greeted = next((at for at, part in enumerate(parts[:_OF_GREETING], 1) if part[-1] == ","), 0)
    begun = [*starts, *parts[greeted : greeted + 1]]
    return len(parts) > 1 and any(part.strip("¿¡\"'").casefold() in _ASKING for part in begun)


def _ends(part: str) -> bool:
    return not part or part[-1] in ".!:…"


def _is_address(part: str) -> bool:
    return "://" in part or part.startswith("www.")


def message(words: str, *, channel: str = WIDGET, first: bool | None = None) -> dict[str, Any]:
    """The properties of a visitor's message.

    ``first``: whether the visitor opens the chat with it; ``None`` if the tool does not tell.
    """
    told = {} if first is None else {"first": first}
    asks = {"is_question": is_question(words)} if words else {}
    return {"channel": channel, "message": words, **told, **asks}


def name_of(given: object) -> str:
    """A visitor's name; empty for one that the tool has made up, and for an address."""
    name = plain(given)
    return "" if "@" in name or _MADE_UP.fullmatch(name) else name


def seen_at(url: object) -> dict[str, Any]:
    """The page on which a chat begins as a field, of which path and origin are found."""
    return {"page_url": url} if isinstance(url, str) and url else {}


def on_page(url: object) -> dict[str, Any]:
    """The path of that page as a property of what comes later, which begins no visit."""
    path = path_of(url) if isinstance(url, str) and url.startswith(("https://", "http://")) else "/"
    return {} if path == "/" else {"path": path}


def rating(score: object, words: object = "", *, channel: str = WIDGET) -> dict[str, Any]:
    """The properties of a rating, from 1, bad, to 5, good, and what was said with it."""
    whole = isinstance(score, int) and not isinstance(score, bool)
    return {"channel": channel, "rating": score if whole else None, "message": plain(words)}
