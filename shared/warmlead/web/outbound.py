"""HTTP requests to tools outside: to checked addresses only, bounded in time and size.

An owner's file names the tools, and still their names are not trusted: a name is resolved once,
every address that it has is checked, and the connection is made to a checked one, with the name
kept for TLS. No redirect is followed and no proxy of the environment is used.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, TypeAlias
from urllib.parse import SplitResult, urlsplit

import httpcore

from warmlead.ports.dispatching import OutboundAnswer, UnansweredError, UnreachedError

TIMEOUT_S = 15.0
"""Seconds for a request with everything that it does: Standard Webhooks advises 15 to 30."""

MAX_ANSWER_BYTES = 65_536

MAX_URL = 2_000

LOCAL_HOSTS = frozenset(("localhost", "127.0.0.1", "::1"))

Address: TypeAlias = IPv4Address | IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, for a port. Raises ``OSError``."""

_CLOSED_4 = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24"),
            *("192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("224.0.0.0/4", "240.0.0.0/4"),
        ),
    )
)
"""https://www.iana.org/assignments/iana-ipv4-special-registry and multicast."""

_OPEN_6 = ip_network("2000::/3")
"""All that is assigned to hosts so far: not mapped, NAT64, link-local, unique local, multicast."""

_CLOSED_6 = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""https://www.iana.org/assignments/iana-ipv6-special-registry: Teredo, 6to4, documentation …"""


def is_public(address: Address) -> bool:
    """Whether an address is one of a host on the internet, and of nothing else."""
    if isinstance(address, IPv4Address):
        return not any(address in closed for closed in _CLOSED_4)
    return address in _OPEN_6 and not any(address in closed for closed in _CLOSED_6)


def url_problem(url: str, *, allow_local: bool) -> str:
    """Why a tool's URL cannot be used; empty if it can.

    ``allow_local``: http is good too, to a name of this machine.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "must be a URL, such as https://hooks.example.com/in"
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or not host:
        return "must be a URL, such as https://hooks.example.com/in"
    if parts.username is not None or parts.password is not None:
        return "must have no name and password in it"
    if allow_local and host in LOCAL_HOSTS and parts.scheme in ("http", "https"):
        return ""
    if parts.scheme != "https":
        local = " (allow_local: true lets http://localhost through, on one's own machine)"
        return f"must begin with https://{local if host in LOCAL_HOSTS else ''}"
    return ""


class HttpOutbound:
    """``Outbound`` over HTTP 1.1, each request on a connection of its own.

    ``allow_local`` lets requests to this machine through, by its own names. ``resolve`` and
    ``context`` stand in for the system's names and certificates.
    """

    def __init__(
        self,
        *,
        timeout_s: float = TIMEOUT_S,
        allow_local: bool = False,
        resolve: Resolve | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._allow_local = allow_local
        self._resolve = resolve or _resolved
        self._context = context

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> OutboundAnswer:
        """See ``Outbound``."""
        if problem := url_problem(url, allow_local=self._allow_local):
            raise UnreachedError(f"the URL {problem}")
        host = urlsplit(url).hostname or ""
        begun = _Begun()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._answer(method, urlsplit(url), headers, body, begun)
        except TimeoutError as error:
            raise begun.failed(f"{host} gave no answer in {self._timeout_s:g} s") from error
        except (OSError, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise begun.failed(f"{host}: {_in_words(error)}") from error
        except httpcore.TimeoutException as error:
            raise begun.failed(f"{host} gave no answer") from error

    async def _answer(
        self,
        method: str,
        url: SplitResult,
        headers: Mapping[str, str],
        body: bytes,
        begun: "_Begun",
    ) -> OutboundAnswer:
        host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        addresses = await self._allowed(host, port)
        connection = httpcore.AsyncHTTPConnection(
            httpcore.Origin(url.scheme.encode(), host.encode(), port),
            ssl_context=self._context or _system_certificates(),
            network_backend=_Checked(addresses),
        )
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        request = httpcore.Request(
            method.encode(),
            httpcore.URL(
                scheme=url.scheme.encode(), host=host.encode(), port=port, target=target.encode()
            ),
            headers=[
                (b"Host", url.netloc.encode()),
                (b"Connection", b"close"),
                *((name.encode(), value.encode()) for name, value in headers.items()),
                *(((b"Content-Length", str(len(body)).encode()),) if body else ()),
            ],
            content=body,
            extensions={"trace": begun.trace},
        )
        try:
            response = await connection.handle_async_request(request)
            read = bytearray()
            async for part in response.aiter_stream():
                read += part
                if len(read) >= MAX_ANSWER_BYTES:
                    break
        finally:
            await connection.aclose()
        named = {name.decode("latin-1").lower(): value for name, value in response.headers}
        answered = {name: value.decode("latin-1") for name, value in named.items()}
        return OutboundAnswer(response.status, answered, bytes(read[:MAX_ANSWER_BYTES]))

    async def _allowed(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host; raises ``UnreachedError`` unless every one is allowed."""
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise UnreachedError(f"{host} has no address") from error
        if not found:
            raise UnreachedError(f"{host} has no address")
        if not (self._allow_local and host in LOCAL_HOSTS):
            _demand_public(host, found)
        return found


def _demand_public(host: str, addresses: Iterable[str]) -> None:
    for each in addresses:
        if not is_public(ip_address(each.partition("%")[0])):
            raise UnreachedError(f"{host} has an address that is not on the internet")


class _Begun:
    """Whether a request has begun to be sent: before that a failure is certain to be one."""

    def __init__(self) -> None:
        self.sending = False

    async def trace(self, event: str, _: Mapping[str, Any]) -> None:
        """Is told of each step."""
        if event == "http11.send_request_headers.started":
            self.sending = True

    def failed(self, why: str) -> UnreachedError | UnansweredError:
        """The error of a failure."""
        return UnansweredError(why) if self.sending else UnreachedError(why)


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked, whatever name is asked for."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connects to the first address that answers."""
        last: Exception | None = None
        for address in self._addresses:
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError as error:
                last = error
        raise last or httpcore.ConnectError(f"{host} has no address")


async def _resolved(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


@cache
def _system_certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def _in_words(error: Exception) -> str:
    """What went wrong, in a few words without what the tool sent."""
    if isinstance(error.__cause__ or error, ssl.SSLError) or "CERTIFICATE" in str(error):
        return "its certificate is not valid"
    if isinstance(error, httpcore.ConnectError):
        return "no connection"
    return (
        "the connection broke"
        if isinstance(error, httpcore.NetworkError | OSError)
        else ("the connection ended without a whole answer")
    )
