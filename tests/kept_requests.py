"""The place of the internet for destinations: requests are kept, and all are answered alike."""

from collections.abc import Mapping
from dataclasses import dataclass

from warmlead.ports.dispatching import Outbound, OutboundAnswer


@dataclass(frozen=True)
class KeptRequest:
    """A request that a destination made; header names are in lower case."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class KeptRequests(Outbound):
    """Keeps what is sent, and answers with one status."""

    def __init__(self, status: int = 200) -> None:
        self.sent: list[KeptRequest] = []
        self._status = status

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> OutboundAnswer:
        assert method == "POST"
        lower = {name.lower(): value for name, value in headers.items()}
        self.sent.append(KeptRequest(url, lower, body))
        return OutboundAnswer(self._status, {}, b"")
