"""Google as a function sees it in production: tokens from a metadata server, APIs behind TLS.

Both are emulated on loopback, so that a cold start can be measured with everything that it
imports and does when there is no emulator to be found in its environment: credentials, token,
TLS. A proxy (CONNECT) stands where ``pubsub.googleapis.com`` and ``firestore.googleapis.com``
would, with certificates of its own, and passes the bytes on to the emulators.
"""

import asyncio
import json
import ssl
import tempfile
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.cloud import Cloud

_HOSTS = ("pubsub.googleapis.com", "firestore.googleapis.com")
_ANSWERS = {
    "/computeMetadata/v1/universe/universe-domain": "googleapis.com",
    "/computeMetadata/v1/project/project-id": "bench",
    "/token": json.dumps({"access_token": "owner", "expires_in": 3600, "token_type": "Bearer"}),
    "/?recursive=true": json.dumps({"email": "bench@example.com", "scopes": [], "aliases": []}),
}


@contextmanager
def as_google(cloud: Cloud, settings: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """The settings of a function to which the emulators are Google itself."""
    with tempfile.TemporaryDirectory(prefix="warmlead-bench-") as folder:
        context = _certificate(Path(folder))
        emulators = dict(zip(_HOSTS, (cloud.pubsub, cloud.firestore), strict=True))
        with _serving(_Proxy(emulators, context)) as proxy, _serving(_metadata) as metadata:
            kept = {name: text for name, text in settings.items() if name not in cloud.hosts}
            yield {
                **kept,
                "GCE_METADATA_HOST": metadata,
                "GCE_METADATA_IP": metadata,
                "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": f"{folder}/certificate.pem",
                "CLOUDSDK_CONFIG": folder,  # no credentials of a developer
                "grpc_proxy": f"http://{proxy}",
                "no_proxy": "127.0.0.1",
            }


class _Proxy:
    """Answers CONNECT, then is the host that was asked for: TLS outside, the emulator inside."""

    def __init__(self, emulators: Mapping[str, str], context: ssl.SSLContext) -> None:
        self._emulators = emulators
        self._context = context

    async def __call__(self, client: StreamReader, to_client: StreamWriter) -> None:
        head = await client.readuntil(b"\r\n\r\n")
        host = head.split(b" ", 2)[1].decode().partition(":")[0]
        address, _, port = self._emulators[host].rpartition(":")
        to_client.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await to_client.drain()
        await to_client.start_tls(self._context)
        emulator, to_emulator = await asyncio.open_connection(address, int(port))
        await asyncio.gather(_pipe(client, to_emulator), _pipe(emulator, to_client))


async def _pipe(source: StreamReader, sink: StreamWriter) -> None:
    with suppress(OSError):  # either side may hang up
        while data := await source.read(64 * 1024):
            sink.write(data)
            await sink.drain()
    sink.close()


async def _metadata(client: StreamReader, to_client: StreamWriter) -> None:
    """The metadata server (https://cloud.google.com/run/docs/container-contract)."""
    with suppress(EOFError, OSError):
        while True:
            head = await client.readuntil(b"\r\n\r\n")
            target = head.split(b" ", 2)[1].decode()
            found = [
                text for end, text in _ANSWERS.items() if target.split("?scopes")[0].endswith(end)
            ]
            body = (found or [""])[0].encode()
            kind = b"application/json" if body.startswith(b"{") else b"text/plain"
            to_client.write(
                b"HTTP/1.1 200 OK\r\nMetadata-Flavor: Google\r\nContent-Type: %s\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (kind, len(body), body)
            )
            await to_client.drain()
    to_client.close()


@contextmanager
def _serving(handle: Callable[[StreamReader, StreamWriter], Awaitable[None]]) -> Iterator[str]:
    """The host:port of a server that runs on a thread of its own while the block runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(
        asyncio.start_server(handle, "127.0.0.1", 0), loop
    ).result()
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def _certificate(folder: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate that signs itself, written to a file of the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a benchmark")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(h) for h in _HOSTS]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    context.set_alpn_protocols(["h2"])
    return context
