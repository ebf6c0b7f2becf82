"""Odd pushes to ``deliver``, with every tool configured: what it answers, costs, and sends where.

``python -m fuzz.delivered --pushes 2000 --seed 1``. The real function with the real adapters; in
the place of HTTP there is a record of what would be sent. CRMs and AWS are left out: what they are
sent depends on what they have answered. Exit code 1: a promise was broken.
"""

import argparse
import asyncio
import base64
import json
import logging
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from time import process_time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml
from functions_framework.aio import create_asgi_app

from fuzz.budget import budget_s, in_words, repeated
from fuzz.functions import FUNCTIONS, _Log, _over_asgi
from fuzz.in_bytes import with_mutated_bytes
from fuzz.in_json import with_mutated_json
from fuzz.long import a_text
from fuzz.sent import Sent, headers_of
from warmlead.application import deliver
from warmlead.destinations import registry, selection
from warmlead.destinations.webhook.destination import WebhookDestination
from warmlead.domain.errors import Reason, RejectedError
from warmlead.ports.dispatching import OutboundAnswer, OutgoingMessage
from warmlead.runtime import backends
from warmlead.runtime.table import DELIVER
from warmlead.settings_file import STAND_IN

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "docs/messages").glob("warmlead.*.example.json"))
PAGES = sorted((ROOT / "shared/warmlead/destinations").glob("*/README.md"))
MOST_BYTES = 400_000
BODIES = 10
"""A message is made into the bodies of so many tools: so much more work than bytes of the push."""

LEAST_S = 0.15
"""Processor seconds for the writes of so many dispatches, however small the message is."""

INTERNAL, UNAVAILABLE = 500, 503
A_GOOD_ONE_EVERY = 25
CANARY = {
    "to": "webhook",
    "url": "https://canary.example.com/in",
    "secrets": ["whsec_c2VjcmV0IG9mIHRoZSBjYW1wYWlnbiBvZiBmYXVsdHM="],
}
ONE_WAY = ("webhook", "slack", "sendgrid", "postmark", "mailgun", "mailchimp", "brevo")
"""Tools that are sent a message in one request, whatever they have answered before."""

CANARY_HOST = "canary.example.com"
CONDITIONS = (
    'score >= 40 && traits.country == "US"',
    'email.endsWith("example.com") || consent.status == "subscribed"',
    'changed.exists(each, each == "score") || traits.tags.exists(tag, tag == "a")',
)

_ANSWER = {
    "ok": True,
    "ErrorCode": 0,
    "MessageID": "1",
    "messageId": "1",
    "id": "1",
    "success": True,
    "access_token": "t",
    "instance_url": "https://acme.my.salesforce.com",
    "results": [],
    "data": {"id": 1, "items": []},
    "items": [],
    "records": [],
    "FailedEntryCount": 0,
}


class Recorder:
    """Stands in for HTTP: remembers what would be sent, and says that it was taken."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, bytes]] = []

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> OutboundAnswer:
        """What a tool that takes everything answers."""
        del method
        for name, value in headers.items():
            if not (name.isascii() and value.isprintable()):
                raise ValueError(f"a header {name} that HTTP cannot carry")
        self.sent.append((url, headers.get("webhook-id", ""), body))
        return OutboundAnswer(200, {}, json.dumps(_ANSWER).encode())

    def taken(self) -> list[tuple[str, str, bytes]]:
        """What was sent since the last time."""
        sent, self.sent = self.sent, []
        return sent


class Fault(NamedTuple):
    """A promise that was broken, and the push."""

    what: str
    details: str
    data: bytes


class Delivering:
    """The function in this process, with all tools, and what it is judged by."""

    def __init__(self, data: Path) -> None:
        for name in [name for name in os.environ if name.startswith("WARMLEAD_")]:
            del os.environ[name]
        file = data / "destinations.json"
        file.write_text(json.dumps(sections()))
        os.environ |= {"WARMLEAD_DATA": str(data), "WARMLEAD_DESTINATIONS": str(file)}
        self.recorder = Recorder()
        vars(registry)["HttpOutbound"] = lambda **_: self.recorder
        app = create_asgi_app(DELIVER.name, str(FUNCTIONS / DELIVER.name / "main.py"))  # type: ignore[no-untyped-call]  # it has no types
        self._app = app
        self._log = _Log()
        logging.getLogger().handlers = [self._log]
        self._runner = asyncio.Runner()
        self.statuses: Counter[int] = Counter()
        self.hosts: set[str] = set()

    def learn_hosts(self) -> None:
        """The hosts to which the published examples go are those that the file names."""
        for number, example in enumerate(examples()):
            self._push({**example, "id": f"clean-{number}"})
        self.hosts = {_place(url) for url, _, _ in self.recorder.taken()} | {
            f"https://{CANARY_HOST}"
        }
        self._log.taken()

    def _push(self, event: Mapping[str, Any]) -> int:
        return self.answer(push_of(json.dumps(event).encode()))

    def answer(self, sent: Sent) -> int:
        """The status of an answer."""
        status = self._runner.run(_over_asgi(self._app, sent)).status
        self.statuses[status] += 1
        return status

    def judge(self, data: bytes, sent: Sent) -> Iterator[Fault]:
        """What is wrong with what came of a push."""
        began = process_time()
        status = self.answer(sent)
        cost_s = process_time() - began
        waits = status == UNAVAILABLE and _is_newer(data)
        if status >= INTERNAL and not waits:
            yield Fault(f"answered with {status}", "", data)
        logged = self._log.taken().values()
        yield from (Fault("logged", line, data) for lines in logged for line in lines if not waits)
        for url, _, _ in self.recorder.taken():
            if _place(url) not in self.hosts or not re.fullmatch(r"[!-~]+", url):
                yield Fault("sent to where the file does not say", url[:300], data)
        yield from self._judge_cost(data, sent, cost_s)

    def _judge_cost(self, data: bytes, sent: Sent, cost_s: float) -> Iterator[Fault]:
        """What seems to cost too much is tried again, under ids that nobody has seen."""
        allowed_s = LEAST_S + budget_s(len(sent.body) * BODIES)
        if cost_s <= allowed_s:
            return
        fresh = _with_fresh_ids(data)
        cost_s = repeated(lambda: self.answer(push_of(next(fresh))), tries=3)
        self.recorder.taken()
        self._log.taken()
        if cost_s > allowed_s:
            yield Fault("costs too much", in_words(cost_s, allowed_s, len(sent.body)), data)

    def neighbour(self, number: int) -> Iterator[Fault]:
        """A good message gets where it should, once, whatever came before."""
        self._runner.run(self._rest())
        good = json.dumps({**examples()[0], "id": f"good-{number}"}).encode()
        for _ in range(2):
            self.answer(push_of(good))
        got = [id_ for url, id_, _ in self.recorder.taken() if url == CANARY["url"]]
        if got != [f"good-{number}"]:
            yield Fault("a good message did not arrive once", str(got), good)
        self._log.taken()

    async def _rest(self) -> None:
        """No destination rests: the campaign is about messages, not about tools that fail."""
        store = backends.dispatches()
        for name in sections():
            await store.change_circuit(name, lambda circuit: circuit.enabled())


def sections() -> dict[str, Any]:
    """The examples of all tools' pages, a webhook that takes all, and some with conditions."""
    made: dict[str, Any] = {"canary": CANARY}
    for page in PAGES:
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            example = yaml.safe_load(block) or {}
            for section in example.values():
                if isinstance(section, dict) and section.get("to") in ONE_WAY:
                    made[f"tool-{len(made)}"] = _with_secrets(section)
    for condition in CONDITIONS:
        asked = {"url": f"https://{CANARY_HOST}/when", "when": condition}
        made[f"when-{len(made)}"] = {**CANARY, **asked}
    return made


def _with_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_secrets(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_secrets(part) for part in value]
    return STAND_IN if isinstance(value, str) and value.startswith("env:") else value


def examples() -> list[dict[str, Any]]:
    """The published example of each message."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in EXAMPLES]


def push_of(data: bytes, attributes: Mapping[str, str] | None = None) -> Sent:
    """A message as Pub/Sub pushes it to ``deliver``."""
    encoded = base64.b64encode(data).decode()
    message = {"data": encoded, "attributes": attributes or {}, "messageId": "1"}
    pushed = {"message": message, "subscription": "projects/p/subscriptions/s"}
    headers = headers_of({"content-type": "application/json"})
    return Sent(DELIVER.name, "POST", b"/", headers, (json.dumps(pushed).encode(),))


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_newer(data: bytes) -> bool:
    try:
        return deliver.is_newer(json.loads(data)["type"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _with_fresh_ids(data: bytes) -> Iterator[bytes]:
    """The message under another id each time, if it has one: nobody has seen it."""
    for number in range(1_000):
        try:
            event = json.loads(data)
            fresh = {**event, "id": f"fresh-{hash(data) & 0xFFFFFF:x}-{number}"}
            yield json.dumps(fresh).encode()
        except (ValueError, TypeError, RecursionError):
            yield data


# --- odd messages ------------------------------------------------------------------------------


def messages(seed: int, count: int) -> Iterator[tuple[bytes, Sent]]:
    """Odd messages, each with its push: the same ones for the same seed."""
    clean = [Sent(DELIVER.name, "POST", b"/", (), (json.dumps(e).encode(),)) for e in examples()]
    for number in range(count):
        random = Random(f"{seed} {number}")
        if number < len(_ENVELOPES):  # each of them at least once
            yield _with(random, clean[:1], _ENVELOPES[number])
            continue
        data = _odd(random, clean)[:MOST_BYTES]
        sent = push_of(data, _lies(random))
        if random.random() < 0.15:
            sent = random.choice((with_mutated_bytes, with_mutated_json))(sent, random, [sent])
        yield data, sent


def _with(random: Random, clean: Sequence[Sent], envelope: Mapping[str, Any]) -> tuple[bytes, Sent]:
    """A clean message with another envelope."""
    event = {**json.loads(random.choice(clean).body), "id": f"odd-{random.random()}", **envelope}
    data = json.dumps(event).encode()
    return data, push_of(data)


def _odd(random: Random, clean: Sequence[Sent]) -> bytes:
    sent = random.choice(clean)
    what = random.random()
    if what < 0.45:
        return with_mutated_json(sent, random, clean).body
    if what < 0.6:
        return with_mutated_bytes(sent, random, clean).body
    event = json.loads(sent.body)
    if what < 0.7:
        return _with(random, clean, random.choice(_ENVELOPES))[0]
    return _long(random, event)


_ENVELOPES: Sequence[Mapping[str, Any]] = (
    {"type": "warmlead.lead.stage_entered.v2"},
    {"type": "com.example.other.v1"},
    {"type": "warmlead." + "a." * 4_000 + "v1"},
    {"specversion": "0.3"},
    {"subject": "../../etc"},
    {"subject": "__proto__"},
    {"subject": "\0"},
    {"id": "a/b"},
    {"id": "x" * 100_000},
    {"time": "0001-01-01T00:00:00+23:59"},
    {"time": "2026-03-10T12:00:00"},
    {"source": "https://evil.example/"},
    {"data": None},
    {"data": []},
    {"data": {}},
    {"data": {"lead": None}},
    {"data": {"lead": ["ada@example.com"], "score": 60}},
    {"data": {"lead": {"traits": ["US"], "consent": 1}, "score": 60}},
    {"data": {"lead": {"email": "a@b.example\r\nBcc: c@d.example"}}},
    {"data": {"lead": {}, "score": 60, "reason": "a" * 150_000}},
    {"dataschema": "file:///etc/passwd"},
    {"dataschema": "https://evil.example/"},
)


def _long(random: Random, event: dict[str, Any]) -> bytes:
    """A long text, many values or deep nesting at any place of the data."""
    size = random.choice((2_000, 20_000, 200_000))
    places = list(_places(event["data"]))
    container, place = random.choice(places)
    text = a_text(random)
    deep: Any = 1
    for _ in range(random.choice((20, 400))):
        deep = {"a": deep} if random.random() < 0.5 else [deep]
    container[place] = random.choice(
        (
            text(size),
            [text(20) for _ in range(size // 40)],
            {f"k{i}": text(10) for i in range(size // 40)},
            deep,
        )
    )
    return json.dumps(event).encode("utf-8", "surrogatepass")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for place in list(value if isinstance(value, dict) else range(len(value))):
        yield value, place
        if isinstance(value[place], dict | list):
            yield from _places(value[place])


def _lies(random: Random) -> Mapping[str, str]:
    """Attributes that say something else than the message."""
    return random.choice(
        (
            {},
            {"type": "warmlead.lead.stage_entered.v1", "lead_id": "another"},
            {"type": "\r\nhost: evil.example", "url": "https://evil.example/"},
            {f"a{i}": "b" * 200 for i in range(100)},
        )
    )


# --- planted -----------------------------------------------------------------------------------


def _slow(original: Any) -> Any:
    """What a message says is looked through once more for each of its parts: quadratic."""

    def facts_of(message: OutgoingMessage) -> Any:
        text = json.dumps(dict(message.data))
        for start in range(0, len(text), 6):
            text[start:].count("a")
        return original(message)

    return facts_of


def _led(original: Any) -> Any:
    """A webhook also posts to an address that the message names."""

    async def send(self: Any, message: OutgoingMessage, now: datetime) -> Any:
        where = json.loads(message.body).get("dataschema")
        if isinstance(where, str) and where.startswith("https:"):
            await self._outbound.request("POST", where, {}, message.body)
        return await original(self, message, now)

    return send


def _losing(original: Any) -> Any:
    """A message whose id ends with a zero is taken for one of somebody else's."""

    def outgoing_of(body: bytes) -> OutgoingMessage:
        message: OutgoingMessage = original(body)
        if message.id.endswith("0"):
            raise RejectedError(Reason.MESSAGE_INVALID, "it is not one of ours")
        return message

    return outgoing_of


PLANTED: Mapping[str, tuple[object, str, Callable[[Any], Any]]] = {
    "facts-told-again": (selection, "facts_of", _slow),
    "address-of-the-message": (WebhookDestination, "send", _led),
    "one-in-ten-lost": (deliver, "outgoing_of", _losing),
    "lead-taken-as-it-is": (deliver, "_About", lambda _: Any),
}
"""Where each is planted, and what it makes of what is there."""


def plant(name: str) -> None:
    """Plants a bug into this process."""
    holder, attribute, made = PLANTED[name]
    setattr(holder, attribute, made(getattr(holder, attribute)))


# --- the campaign ------------------------------------------------------------------------------


def campaign(
    data: Path, *, pushes: int, seed: int, until_finding: bool, said: Callable[[str], None]
) -> tuple[list[Fault], Counter[int]]:
    """Pushes and judges; what was wrong, and how often each status was answered."""
    delivering = Delivering(data)
    delivering.learn_hosts()
    faults: list[Fault] = []
    for number, (body, sent) in enumerate(messages(seed, pushes)):
        faults += delivering.judge(body, sent)
        if number % A_GOOD_ONE_EVERY == 0:
            faults += delivering.neighbour(number)
        if faults and until_finding:
            break
        if number and number % 500 == 0:
            said(f"  {number} of {pushes} pushes, {len(faults)} findings")
    return faults, delivering.statuses


def main(arguments: Sequence[str]) -> int:
    """Runs the campaign and tells of it; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.delivered", description=__doc__)
    parser.add_argument("--pushes", type=int, default=2_000, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all of them (%(default)s)")
    parser.add_argument("--planted", default="", choices=PLANTED, help="a bug of this file")
    parser.add_argument("--until-finding", action="store_true", help="stop at the first")
    options = parser.parse_args(arguments)
    if options.planted:
        plant(options.planted)
    with tempfile.TemporaryDirectory(prefix="delivered-") as folder:
        faults, statuses = campaign(
            Path(folder),
            pushes=options.pushes,
            seed=options.seed,
            until_finding=options.until_finding,
            said=_say,
        )
    for fault in faults[:20]:
        _say(f"FINDING {fault.what}: {fault.details[:1_500]}\n    {fault.data[:300]!r}")
    told = ", ".join(f"{status} {count}" for status, count in sorted(statuses.items()))
    _say(f"{options.pushes} pushes to deliver: {told}; {len(faults)} findings")
    return 1 if faults else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
