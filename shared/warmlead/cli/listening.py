"""The address on which a server listens, taken before it says that it does."""

import errno
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress

from warmlead.domain.errors import ConfigurationError

BACKLOG = 2_048
"""So many connections wait to be accepted; the system may allow fewer."""

_OF_ANOTHER_FAMILY = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def listen(host: str, port: int) -> Sequence[socket.socket]:
    """Sockets that listen there, one for each address that the host has, at least one.

    Raises ``ConfigurationError`` that says what to do if that is not possible.
    """
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    sockets: list[socket.socket] = []
    lacking: OSError | None = None
    try:
        for family, address in _addresses(host, port):
            try:
                sockets.append(_listening(family, address))
            except OSError as error:
                if error.errno not in _OF_ANOTHER_FAMILY:
                    raise
                lacking = error  # localhost has an address in IPv6, and not every machine has that
        if lacking and not sockets:
            raise lacking
    except OSError as error:
        for each in sockets:
            each.close()
        subject = f"Warmlead cannot listen on {where}:"
        raise ConfigurationError.one(subject, reason_of(error, port)) from error
    return sockets


def _addresses(host: str, port: int) -> Iterable[tuple[int, tuple[object, ...]]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return dict.fromkeys((family, address) for family, _, _, _, address in found)


def _listening(family: int, address: tuple[object, ...]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            with suppress(OSError):
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(BACKLOG)
        made.setblocking(False)
    except BaseException:
        made.close()
        raise
    return made


def reason_of(error: OSError, port: int) -> str:
    """Why a port cannot be listened on, and what to do."""
    if isinstance(error, socket.gaierror):
        return "this machine knows no such host; use 127.0.0.1, or 0.0.0.0 for all addresses"
    if error.errno == errno.EADDRINUSE:
        return f"the port is in use already; choose another, such as --port {_another(port)}"
    if error.errno == errno.EACCES:
        return (
            "this user may not take that port; choose one above 1023, such as --port 8080, and "
            "put a reverse proxy in front of it"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address; use 127.0.0.1, or 0.0.0.0 for all addresses"
    return error.strerror or str(error)


def _another(port: int) -> int:
    highest = 65_535
    return port + 1 if port < highest else port - 1
