"""Cross-origin answers for browsers. Authority never rests on ``Origin``: anyone can send one.

``*`` would lose the JSON that ``navigator.sendBeacon`` sends, since beacons carry credentials;
and a client that cannot read ``Retry-After`` tries again at once. So the origin is echoed and
that header is exposed.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from warmlead.web.answer import Answer

_ORIGIN = re.compile(r"null|[a-z][a-z0-9+.-]{0,30}://[A-Za-z0-9.:\[\]_-]{1,255}")
_HEADER_LIST = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1024}")
_METHODS = "GET, POST, OPTIONS"


class Cors(Struct, frozen=True):
    """Which origins' pages may read our answers; ``None`` means all."""

    allowed_origins: frozenset[str] | None = None

    def headers(self, request_headers: Mapping[str, str]) -> dict[str, str]:
        """The headers that an answer to this request carries."""
        origin = request_headers.get("origin", "")
        if not _ORIGIN.fullmatch(origin):
            return {"Vary": "Origin"}
        if self.allowed_origins is not None and origin not in self.allowed_origins:
            return {"Vary": "Origin"}
        return {
            "Vary": "Origin",
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": "Retry-After",
        }

    def preflight(self, request_headers: Mapping[str, str]) -> Answer:
        """The answer to ``OPTIONS``, whether or not a browser asks before it posts."""
        headers = {"Allow": _METHODS, **self.headers(request_headers)}
        if "Access-Control-Allow-Origin" in headers:
            headers["Access-Control-Allow-Methods"] = _METHODS
            headers["Access-Control-Max-Age"] = "7200"
            wanted = request_headers.get("access-control-request-headers", "")
            if _HEADER_LIST.fullmatch(wanted):
                headers["Access-Control-Allow-Headers"] = wanted
        return Answer(204, headers=headers)
