"""Who may open the dashboard: whoever has the link of one machine, or those whom Google names.

Everything else is refused: without a link, a signed token or the token of a reader nobody sees
anything.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from warmlead.domain.errors import ConfigurationError, Reason, RejectedError
from warmlead.settings import Settings

IAP_KEYS = "https://www.gstatic.com/iap/verify/public_key"
"""Where Google publishes the keys of IAP: https://cloud.google.com/iap/docs/signed-headers-howto"""

IAP_ISSUER = "https://cloud.google.com/iap"
GOOGLE = ("https://accounts.google.com", "accounts.google.com")
TOKEN_FILE = "dashboard-token"  # noqa: S105  # the name of a file
TOKEN_BYTES = 32
COOKIE_S = 30 * 86_400
"""Seconds for which a browser that has opened the link may open the pages."""

MOST_COOKIES = 65_536
"""The longest header of cookies that is read, in characters."""

_LONGEST_TOKEN = 8_192


class Viewer(Struct, frozen=True):
    """Somebody who may look: ``name`` is an address, or what is known of a token.

    ``may_state``: may also say what sales did with a lead.
    """

    name: str
    may_state: bool = True


class Access(Protocol):
    """How viewers prove who they are; ``secret`` signs our own forms, and nobody else has it."""

    @property
    def secret(self) -> bytes:
        """The secret."""
        ...

    async def viewer(self, headers: Mapping[str, str]) -> Viewer:
        """Who sends the request; raises ``RejectedError`` if nobody may look who sends these."""
        ...


def access_of(using: Settings) -> Access:
    """The access that the settings choose."""
    if using.dashboard_auth == "link":
        return LinkAccess(local_token(using.data))
    from warmlead.web.push import Certificates  # noqa: PLC0415  # google.auth costs 40 ms

    if using.dashboard_auth == "iap":
        return SignedAccess(Certificates(IAP_KEYS), using, header="x-goog-iap-jwt-assertion")
    return SignedAccess(Certificates(using.push_certs), using, header="authorization")


# --- one machine: a link -------------------------------------------------------------------


def local_token(folder: Path) -> str:
    """The token of this machine's dashboard: made at its first use, readable by this user alone.

    Raises ``ConfigurationError`` if the folder cannot be written.
    """
    path = folder / TOKEN_FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _read(path)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(TOKEN_BYTES))
        return _read(path)
    except OSError as error:
        problem = f"the dashboard's token cannot be kept there: {error.strerror}"
        raise ConfigurationError.one(f"WARMLEAD_DATA {path}", problem) from error


def _read(path: Path) -> str:
    token = path.read_text(encoding="ascii", errors="replace").strip()
    if len(token) < TOKEN_BYTES:
        problem = "it is too short to be the dashboard's token; delete it, and start again"
        raise ConfigurationError.one(str(path), problem)
    return token


def opening_link(using: Settings, base: str) -> str:
    """The address to open in a browser; with the token only where a token opens the dashboard."""
    if using.dashboard_auth != "link":
        return f"{base}/dashboard/"
    return f"{base}/dashboard/open?token={local_token(using.data)}"


class LinkAccess:
    """Lets a browser in that has opened the link: it then holds a cookie that no script can read.

    The cookie is made of the token, and is not the token: whoever sees it cannot make the link.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        digest = hashlib.sha256(token.encode()).hexdigest()
        self._cookie = f"warmlead_{digest[:8]}"  # servers at other ports share a browser's cookies
        self.secret = token.encode()
        self._session = hmac.new(token.encode(), b"dashboard session", hashlib.sha256).hexdigest()

    async def viewer(self, headers: Mapping[str, str]) -> Viewer:
        """See ``Access``."""
        given = _cookies(headers.get("cookie", ""), self._cookie)
        if not any(hmac.compare_digest(one.encode(), self._session.encode()) for one in given):
            raise RejectedError(Reason.UNAUTHORIZED, "Open the link that `warmlead serve` prints.")
        return Viewer("local")

    def opened(self, token: str, *, is_secure: bool) -> str:
        """The cookie for a browser that opened the link; ``RejectedError`` for another token."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            raise RejectedError(Reason.UNAUTHORIZED, "This link is not the one of this server.")
        secure = "; Secure" if is_secure else ""
        return (
            f"{self._cookie}={self._session}; Path=/; Max-Age={COOKIE_S}; HttpOnly; "
            f"SameSite=Strict{secure}"
        )


def _cookies(header: str, name: str) -> Iterator[str]:
    """The values of the cookies of a name.

    Whatever else listens on this machine writes cookies for the same browser, also such as are
    against the rules: these are passed over.
    """
    for pair in header[:MOST_COOKIES].split(";"):
        its, _, value = pair.strip().partition("=")
        if its == name:
            yield value


# --- the cloud: a signed token -------------------------------------------------------------


class SignedAccess:
    """Lets in whom Google's token names, if the token is for this dashboard and names the people.

    ``iap``: the assertion of Identity-Aware Proxy, which no client can set past it. ``oidc``: an
    identity token in ``Authorization``.
    """

    def __init__(self, certificates: object, using: Settings, *, header: str) -> None:
        self._certificates = certificates
        self._header = header
        self._audience = using.dashboard_audience
        self._people = using.dashboard_people
        self._is_iap = using.dashboard_auth == "iap"
        self.secret = using.id_secret.encode()

    async def viewer(self, headers: Mapping[str, str]) -> Viewer:
        """See ``Access``; raises ``UnavailableError`` if Google's keys cannot be fetched."""
        from warmlead.web.push import Certificates, bearer_token, claims_of  # noqa: PLC0415  # see above

        assert isinstance(self._certificates, Certificates)  # noqa: S101  # for mypy: a late import
        given = headers.get(self._header, "")[:_LONGEST_TOKEN]
        token = given if self._is_iap else bearer_token(headers)
        algorithm = "ES256" if self._is_iap else "RS256"
        claims = await claims_of(token, self._certificates, algorithm)
        issuers = (IAP_ISSUER,) if self._is_iap else GOOGLE
        email = str(claims.get("email") or "").lower()
        is_known = self._is_iap or claims.get("email_verified") is True
        if claims.get("iss") not in issuers or not self._is_for_us(claims.get("aud")):
            raise RejectedError(Reason.UNAUTHORIZED, "The token is not for this dashboard.")
        if not is_known or not is_one_of(email, self._people):
            text = "You are signed in, but you may not look here. Ask whoever runs Warmlead."
            raise RejectedError(Reason.FORBIDDEN, text)
        return Viewer(email)

    def _is_for_us(self, audience: object) -> bool:
        return bool(self._audience) and audience == self._audience


def is_one_of(email: str, people: frozenset[str]) -> bool:
    """Whether an address is among the people: itself, or all addresses at its host."""
    name, _, host = email.rpartition("@")
    return bool(name and host) and (email in people or f"@{host}" in people)


# --- readers of the API --------------------------------------------------------------------

_BEARER = re.compile(r"[Bb]earer +([!-~]{1,500})")


class TokenAccess:
    """Lets readers of the API in by their own tokens, and all others as the pages do."""

    def __init__(self, tokens: Mapping[str, str], otherwise: Access) -> None:
        self._tokens = tokens
        self._otherwise = otherwise
        self.secret = otherwise.secret

    async def viewer(self, headers: Mapping[str, str]) -> Viewer:
        """See ``Access``; a reader may state nothing."""
        bearer = _BEARER.fullmatch(headers.get("authorization", ""))
        found = ""
        for name, token in self._tokens.items():  # all are compared, whichever it is
            if bearer and hmac.compare_digest(bearer[1].encode(), token.encode()):
                found = name
        return Viewer(found, may_state=False) if found else await self._otherwise.viewer(headers)
