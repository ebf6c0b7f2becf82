"""The browser snippet as it is served: ``warmlead.js``, built from ``snippet.js``."""

from functools import cache
from hashlib import sha256
from importlib.resources import files

from warmlead.domain.errors import Reason, RejectedError
from warmlead.ports import RawRequest
from warmlead.web.answers import Answer

SCRIPT_PATH = "/warmlead.js"
_CACHED = "public, max-age=3600"


@cache
def snippet_js() -> bytes:
    """The minified script: JavaScript (ES2021) in ASCII, at most 2,047 bytes."""
    return files(__name__).joinpath("warmlead.js").read_bytes()


@cache
def snippet_etag() -> str:
    """The strong entity tag of the script, in quotes; it changes when the script does."""
    return f'"{sha256(snippet_js()).hexdigest()[:16]}"'


def script_answer(request: RawRequest) -> Answer:
    """The script, to be kept for an hour; raises ``RejectedError`` for other methods."""
    if request.method not in ("GET", "HEAD"):
        raise RejectedError(Reason.METHOD_NOT_ALLOWED, "Fetch the script with GET.")
    headers = {"ETag": snippet_etag(), "Cache-Control": _CACHED}
    if request.headers.get("if-none-match") == snippet_etag():
        return Answer(304, b"", "text/javascript", headers)
    return Answer(200, snippet_js(), "text/javascript", headers)
