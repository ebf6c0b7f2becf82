"""Many visitors at once: each thing that they do has a name of its own, so that it can be found.

A visitor does half of it before anybody knows who they are, so that merges are under way too.
"""

import http.client
import json
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any, NamedTuple

from patience import PATIENCE_S

HEADERS = {"Authorization": "Basic bG9jYWw6", "Content-Type": "application/json"}  # local:
THREADS = 8


class Post(NamedTuple):
    """A batch of calls, and whose events they are: the email and name of each."""

    body: bytes
    events: tuple[tuple[str, str], ...]


class Sent(NamedTuple):
    """What became of posts: answered with 200, with something else, or not at all."""

    accepted: list[Post]
    refused: list[int]
    unanswered: list[Post]


def visits(emails: Sequence[str], *, posts_each: int, random: Random) -> list[Post]:
    """Posts of three calls of anybody, in any order; all visitors ask for a demo and are named."""
    calls = [_call(email, i) for email in emails for i in range(3 * posts_each)]
    calls += [_identify(email) for email in emails]
    random.shuffle(calls)
    return [_post(calls[i : i + 3]) for i in range(0, len(calls), 3)]


def hot_visits(email: str, count: int) -> list[Post]:
    """Posts of one call each, and one that says who it is, all of one visitor."""
    return [_post([_identify(email)]), *(_post([_call(email, i)]) for i in range(count))]


def expected(posts: Sequence[Post]) -> dict[str, Counter[str]]:
    """What is to be on each lead when the posts have been counted, each once."""
    counts: dict[str, Counter[str]] = {}
    for email, name in {event for post in posts for event in post.events}:
        counts.setdefault(email, Counter())[name] += 1
    return counts


def send(
    posts: Sequence[Post], bases: Sequence[str], *, on_answer: Callable[[int], None] | None = None
) -> Sent:
    """Sends posts from several threads, in turn to each server.

    ``on_answer`` is told how many answers have come. Once a server is gone, the rest stays unsent.
    """
    waiting = deque(posts)
    sent = Sent([], [], [])

    def work(base: str) -> None:
        connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=PATIENCE_S)
        while waiting:
            try:
                post = waiting.popleft()
            except IndexError:  # another thread was faster
                break
            status = _ask(connection, post)
            if status is None:
                sent.unanswered.append(post)
            elif status == http.client.OK:
                sent.accepted.append(post)
            else:
                sent.refused.append(status)
            if status and on_answer:
                on_answer(len(sent.accepted))
        connection.close()

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(work, [bases[i % len(bases)] for i in range(THREADS)]))
    return sent


def _ask(connection: http.client.HTTPConnection, post: Post) -> int | None:
    try:
        connection.request("POST", "/v1/batch", post.body, HEADERS)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return None
    return answer.status


def _post(calls: Sequence[dict[str, Any]]) -> Post:
    body = json.dumps({"batch": [call["sent"] for call in calls]}).encode()
    return Post(body, tuple((call["email"], call["name"]) for call in calls))


def _call(email: str, i: int) -> dict[str, Any]:
    """The first is a demo request, which qualifies at once; every other one is anonymous."""
    name = "Demo Requested" if i == 0 else f"Did {i}"
    who = {"userId": email} if i % 2 else {"anonymousId": f"browser of {email}"}
    sent = {"type": "track", "event": name, "messageId": f"{email} {i}", **who}
    return {"email": email, "name": name.lower().replace(" ", "_"), "sent": sent}


def _identify(email: str) -> dict[str, Any]:
    sent = {
        "type": "identify",
        "messageId": f"{email} known",
        "anonymousId": f"browser of {email}",
        "userId": email,
        "traits": {"email": email, "company": {"employees": 120}},
    }
    return {"email": email, "name": "identified", "sent": sent}
