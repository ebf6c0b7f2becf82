"""Requests to tools outside: to public addresses alone, with SNI kept, and bounded."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import product
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from receiver import BREAKS_OFF, HANGS, Receiver, receiving
from warmlead.ports.dispatching import UnansweredError, UnreachedError
from warmlead.web.outbound import MAX_ANSWER_BYTES, HttpOutbound, is_public, url_problem


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def names(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    """A resolver that has these addresses for every name, and nothing else."""

    async def resolve(_: str, __: int) -> Sequence[str]:
        return addresses

    return resolve


# --- which addresses -----------------------------------------------------------------------

PRIVATE = (
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254"),
    *("127.0.0.1", "127.1.2.3", "169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.1"),
    *("192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1"),
    *("198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
    *("100::1", "2001::1", "2001:0:4136:e378::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::"),
    *("3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1"),
    *("2001:10::1", "2001:20::1", "2001:2::1", "fd00:ec2::254"),
)
PUBLIC = ("8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.0.1.1", "198.20.0.1")
PUBLIC_6 = ("2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888", "2620:fe::fe")


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_none_of_the_internet(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", [*PUBLIC, *PUBLIC_6])
def test_addresses_of_the_internet(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses())
def test_nothing_is_public_that_python_takes_for_private(address: object) -> None:
    parsed = ip_address(str(address))
    if is_public(parsed):
        assert parsed.is_global
        assert not parsed.is_multicast


# --- 200 URLs that lead to this machine ----------------------------------------------------

HOSTS = (
    *("localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1"),
    *("0", "0.0.0.0", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "017700000001", "0177.0.0.1"),
    *("2130706433", "127.000.000.001", "0177.1", "0x7F.0x0.0x0.0x1", "127.255.255.254"),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
    *("[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "[0000::1]", "[::1%25lo]"),
    *("ip6-localhost", "169.254.169.254", "metadata.google.internal", "[fe80::1]", "10.0.0.1"),
)
FORMS = (
    "https://{host}:{port}/",
    "http://{host}:{port}/",
    "HTTPS://{host}:{port}/x?y=https://example.com",
    "https://example.com@{host}:{port}/",
    "https://user:secret@{host}:{port}/",
    "https://{host}:{port}#@example.com/",
)
ODD = (
    *("ftp://localhost:{port}/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x", "//{port}"),
    *(
        "https://",
        "https:///x",
        "https://:{port}/",
        "localhost:{port}",
        "https://[::1",
        "https://]",
    ),
    *("https://127.0.0.1:99999999/", "https://127.0.0.1:{port}x/", "https://a b/", "https://é/"),
    *("https://\t127.0.0.1:{port}/", "https://127.0.0.1\r\nHost: x:{port}/", "", " ", "https"),
    *("javascript:alert(1)", "https://127.0.0.1\\@example.com:{port}/", "http:127.0.0.1:{port}"),
)


def corpus(port: int) -> list[str]:
    urls = [form.format(host=host, port=port) for host, form in product(HOSTS, FORMS)]
    return [*urls, *(odd.replace("{port}", str(port)) for odd in ODD)]


async def test_no_url_of_the_corpus_reaches_this_machine(receiver: Receiver) -> None:
    urls = corpus(receiver.port)
    assert len(set(urls)) >= 200
    outbound = HttpOutbound(timeout_s=5)
    for url in urls:
        with pytest.raises(UnreachedError):
            await outbound.request("POST", url, {}, b"x")
    assert receiver.requests == []


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_public_name_with_a_private_address_is_not_asked(
    receiver: Receiver, address: str
) -> None:
    for addresses in ([address], ["8.8.8.8", address], [address, "8.8.8.8"]):
        outbound = HttpOutbound(timeout_s=2, resolve=names(*addresses))
        with pytest.raises(UnreachedError, match="not on the internet"):
            await outbound.request("POST", f"https://example.com:{receiver.port}/", {}, b"x")
    assert receiver.requests == []


async def test_a_name_is_resolved_once(receiver: Receiver) -> None:
    """DNS rebinding: the second answer would be this machine."""
    answers = [["192.0.2.1"], ["127.0.0.1"]]
    asked: list[str] = []

    async def rebinding(host: str, _: int) -> Sequence[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    outbound = HttpOutbound(timeout_s=2, resolve=rebinding)
    with pytest.raises(UnreachedError):
        await outbound.request("POST", f"https://example.com:{receiver.port}/", {}, b"x")
    assert asked == ["example.com"]
    assert receiver.requests == []


async def test_local_is_only_what_is_named_so(receiver: Receiver) -> None:
    local = HttpOutbound(allow_local=True)
    assert (await local.request("POST", receiver.url, {}, b"x")).status == 200
    for host in ("127.1", "0x7f.1", "127.0.0.2", "10.0.0.1", "[::ffff:127.0.0.1]", "example.com"):
        with pytest.raises(UnreachedError):
            await local.request("POST", f"http://{host}:{receiver.port}/", {}, b"x")
    rebound = HttpOutbound(allow_local=True, resolve=names("127.0.0.1"))
    with pytest.raises(UnreachedError):
        await rebound.request("POST", f"https://example.com:{receiver.port}/", {}, b"x")
    assert len(receiver.requests) == 1


async def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, receiver.url)
    with pytest.raises(UnreachedError):
        await HttpOutbound(timeout_s=2).request("POST", "https://nosuch.invalid/", {}, b"x")
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://hooks.example.com/in?a=b", ""),
        ("https://xn--bcher-kva.example/", ""),
        ("http://hooks.example.com/", "https://"),
        ("http://localhost:8080/", "allow_local"),
        ("https://u@example.com/", "name and password"),
        ("https://bücher.example/", "must be a URL"),
        (f"https://example.com/{'x' * 2_000}", "must be a URL"),
    ],
)
def test_what_is_wrong_with_a_url(url: str, problem: str) -> None:
    assert problem in url_problem(url, allow_local=False)
    assert bool(url_problem(url, allow_local=False)) == bool(problem)


def test_a_local_url_is_good_where_it_is_allowed() -> None:
    assert url_problem("http://localhost:8080/x", allow_local=True) == ""
    assert url_problem("http://example.com/x", allow_local=True)


# --- answers -------------------------------------------------------------------------------


async def test_a_redirect_is_the_answer(receiver: Receiver) -> None:
    for status in (301, 302, 303, 307, 308):
        receiver.answers = [(status, {"Location": f"{receiver.url}/elsewhere"})]
        answer = await HttpOutbound(allow_local=True).request("POST", receiver.url, {}, b"x")
        assert (answer.status, answer.headers["location"]) == (status, f"{receiver.url}/elsewhere")
    assert {request.path for request in receiver.requests} == {"/"}


async def test_an_answer_is_read_to_a_limit(receiver: Receiver) -> None:
    receiver.body = b"x" * (3 * MAX_ANSWER_BYTES)
    answer = await HttpOutbound(allow_local=True).request("POST", receiver.url, {}, b"x")
    assert len(answer.body) == MAX_ANSWER_BYTES


async def test_the_request_is_what_was_asked_for(receiver: Receiver) -> None:
    outbound = HttpOutbound(allow_local=True)
    body = "Zoë".encode()
    await outbound.request("PATCH", f"{receiver.url}/a/b?c=d%20e", {"X-Token": "t"}, body)
    await outbound.request("GET", f"{receiver.url}/", {})
    patch, get = receiver.requests
    assert (patch.method, patch.path, patch.body) == ("PATCH", "/a/b?c=d%20e", body)
    assert patch.headers["x-token"] == "t"
    assert patch.headers["host"] == f"localhost:{receiver.port}"
    assert (get.method, get.body) == ("GET", b"")


async def test_whether_something_was_sent_is_told_apart(receiver: Receiver) -> None:
    outbound = HttpOutbound(allow_local=True, timeout_s=1.5)
    receiver.answers = [BREAKS_OFF, HANGS]
    for _ in range(2):
        with pytest.raises(UnansweredError):
            await outbound.request("POST", receiver.url, {}, b"x")
    with pytest.raises(UnreachedError):
        await outbound.request("POST", "http://localhost:1/", {}, b"x")


@asynccontextmanager
async def dripping(part: bytes) -> AsyncIterator[int]:
    """A server that sends a little every tenth of a second, for good."""

    under_way: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way.add(asyncio.current_task())
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.1)
        except (ConnectionError, asyncio.CancelledError):
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    tasks = [each for each in under_way if each]
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.slow
@pytest.mark.parametrize("part", [b"X-Header: y\r\n", b"X", b"\r\n1\r\nx\r\n"])
async def test_an_answer_that_never_ends_takes_no_longer_than_the_limit(part: bytes) -> None:
    async with dripping(part) as port:
        async with asyncio.timeout(60):
            try:
                url = f"http://localhost:{port}/"
                await HttpOutbound(allow_local=True, timeout_s=1).request("POST", url, {}, b"x")
            except UnansweredError:
                pass


# --- TLS -----------------------------------------------------------------------------------


def certificates(folder: Path, host: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The contexts of a server for a host and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{host}.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(file)
    return serving, ssl.create_default_context(cafile=str(file))


@asynccontextmanager
async def over_tls(context: ssl.SSLContext, asked: list[str | None]) -> AsyncIterator[int]:
    """A server that answers over TLS; ``asked`` gets the names that clients ask for (SNI)."""

    def named(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        asked.append(name)

    context.sni_callback = named

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_tls_asks_for_the_name_and_checks_it(tmp_path: Path) -> None:
    serving, trusting = certificates(tmp_path, "localhost")
    asked: list[str | None] = []
    async with over_tls(serving, asked) as port:
        outbound = HttpOutbound(allow_local=True, context=trusting)
        answer = await outbound.request("POST", f"https://localhost:{port}/", {}, b"x")
        assert answer.body == b"ok"
        assert asked == ["localhost"]
        with pytest.raises(UnreachedError):  # the certificate is for another name
            await outbound.request("POST", f"https://127.0.0.1:{port}/", {}, b"x")
        with pytest.raises(UnreachedError, match="certificate"):  # nobody trusts it
            await HttpOutbound(allow_local=True).request("POST", f"https://localhost:{port}/", {})
