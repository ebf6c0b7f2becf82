"""What gets a vendor's data, against a server on this machine."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from warmlead.domain.errors import UnavailableError
from warmlead.ports import Fetcher
from warmlead.web.fetching import MAX_BYTES, HttpFetcher

TOKEN = {"Authorization": "Bearer secret"}


class Vendor(BaseHTTPRequestHandler):
    """Answers by the path: a status, with the token that it was given."""

    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        if self.path == "/hangs-up":
            return
        status = int(self.path.strip("/").partition("/")[0])
        body = b"x" * (MAX_BYTES + 5) if self.path.endswith("/large") else b'{"id": "1"}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Location", "/200/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a test is quiet."""


@pytest.fixture
def vendor() -> Iterator[str]:
    Vendor.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Vendor) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def fetcher() -> Fetcher:
    return HttpFetcher(timeout_s=2)


@pytest.mark.parametrize("status", [200, 400, 404, 429, 500])
async def test_an_answer_is_handed_on_whatever_its_status(
    fetcher: Fetcher, vendor: str, status: int
) -> None:
    found = await fetcher.get(f"{vendor}/{status}", TOKEN)

    assert (found.status, found.body) == (status, b'{"id": "1"}')
    assert Vendor.asked == [(f"/{status}", "Bearer secret")]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(fetcher: Fetcher, vendor: str, status: int) -> None:
    found = await fetcher.get(f"{vendor}/{status}", TOKEN)

    assert found.status == status
    assert [path for path, _ in Vendor.asked] == [f"/{status}"]


async def test_a_long_answer_is_cut(fetcher: Fetcher, vendor: str) -> None:
    assert len((await fetcher.get(f"{vendor}/200/large", {})).body) == MAX_BYTES


async def test_several_are_fetched_at_once(fetcher: Fetcher, vendor: str) -> None:
    found = await asyncio.gather(*(fetcher.get(f"{vendor}/{s}", {}) for s in (200, 404, 200)))

    assert [one.status for one in found] == [200, 404, 200]


async def test_no_answer_is_told_without_the_token(fetcher: Fetcher, vendor: str) -> None:
    for address in (f"{vendor}/hangs-up", "http://127.0.0.1:1/200"):
        with pytest.raises(UnavailableError) as error:
            await fetcher.get(address, TOKEN)
        assert "secret" not in error.value.message
