"""The page that a visitor sees after a form was sent, where there is no page to go on to.

A few sentences in the visitor's language: no script, nothing to load, nothing of what was sent.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from urllib.parse import urlsplit

from warmlead.domain.errors import Reason
from warmlead.web.answer import JSON, Answer
from warmlead.web.browsers import is_web_url
from warmlead.web.page_texts import TEXTS, Texts

HTML = "text/html; charset=utf-8"
DEFAULT_LANGUAGE = "en"
MAX_LANGUAGES = 10
"""So many languages of a request's header are looked at."""

_ADDRESS = (Reason.IDENTITY_MISSING, Reason.EMAIL_INVALID, Reason.IDENTITY_INVALID)
_LATER = (Reason.BODY_TIMEOUT, Reason.BODY_INCOMPLETE)
_NORWEGIAN = ("no", "nn")  # as a whole, and its other form
_TRADITIONAL = ("hant", "tw", "hk", "mo")

_STYLE = (
    "body{font:1.125rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:32rem;padding:0 1.5rem;"
    "color:#1a1a1a;background:#fff}h1{font-size:1.6rem;margin:0 0 1rem}p{margin:0 0 1rem}"
    "a{color:#0b57d0}@media(prefers-color-scheme:dark){body{color:#eee;background:#111}"
    "a{color:#8ab4f8}}"
)
_PAGE = (
    '<!DOCTYPE html>\n<html lang="{language}" dir="{direction}">\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
    '<meta name="robots" content="noindex">\n<title>{title}</title>\n<style>{style}</style>\n'
    "<main>\n<h1>{title}</h1>\n{paragraphs}\n</main>\n</html>\n"
)


def page(headers: Mapping[str, str], answer: Answer) -> Answer:
    """A JSON answer of a form as a page; any other answer as it is."""
    if answer.content_type != JSON or 300 <= answer.status < 400:  # noqa: PLR2004  # a redirect
        return answer
    language = language_of(headers.get("accept-language", ""))
    texts = TEXTS[language]
    failed = answer.status >= 400  # noqa: PLR2004  # any failure
    told = [_why(answer, texts), texts.back] if failed else [texts.received]
    paragraphs = [f"<p>{escape(text)}</p>" for text in told]
    if not failed and (target := _page_of_the_form(headers)):
        link = escape(texts.link)
        paragraphs.append(f'<p><a href="{escape(target)}" rel="noreferrer">{link}</a></p>')
    body = _PAGE.format(
        language="zh-Hant" if language == "zh-hant" else language,
        direction=texts.direction,
        title=escape(texts.failed if failed else texts.sent),
        style=_STYLE,
        paragraphs="\n".join(paragraphs),
    )
    return replace(
        answer,
        body=body.encode(),
        content_type=HTML,
        headers={**answer.headers, **_policies(), "Content-Language": language},
    )


def language_of(header: str) -> str:
    """The language that a visitor likes best of those there are, by ``Accept-Language``."""
    ranked = []
    for nth, item in enumerate(header[:500].split(",")[:MAX_LANGUAGES]):
        tag, _, weight = item.partition(";")
        if (known := _known(tag.strip().lower())) and (quality := _quality(weight)) > 0:
            ranked.append((-quality, nth, known))
    return min(ranked)[2] if ranked else DEFAULT_LANGUAGE


def _known(tag: str) -> str | None:
    primary, *others = tag.replace("_", "-").split("-")
    if primary == "zh" and any(part in _TRADITIONAL for part in others):
        return "zh-hant"
    if primary in _NORWEGIAN:
        return "nb"
    return primary if primary in TEXTS else None


def _quality(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def _why(answer: Answer, texts: Texts) -> str:
    reason = answer.facts.get("reason")
    if reason in _ADDRESS:
        return texts.address
    if reason == Reason.BODY_TOO_LARGE:
        return texts.size
    if answer.status >= 500 or reason in _LATER:  # noqa: PLR2004  # a failure of ours
        return texts.later
    return texts.other


def _page_of_the_form(headers: Mapping[str, str]) -> str:
    """Where the visitor came from, if the browser says the same in both of its ways."""
    referer, origin = headers.get("referer", ""), headers.get("origin", "")
    if not is_web_url(referer):
        return ""
    parts = urlsplit(referer)
    return referer if origin == f"{parts.scheme}://{parts.netloc}" else ""


def _policies() -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Language, Origin",
    }
