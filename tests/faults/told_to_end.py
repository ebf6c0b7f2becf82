"""Two real servers on one data folder, under load: one is frozen and goes on, one is told to end.

Frozen for longer than a lease, a process finds that others have done what it was at.
"""

import json
import signal
import threading
from random import Random

from e2e.ledger import drain, events_by_email, sweep_later, triggers_sent
from e2e.load import Post, expected, send, visits
from faults.trial import Outcome, Trial
from faults.zygote import in_a_process
from served import Served, serving

RETRIES = 5
"""So often a client sends again what was not answered, or answered 503."""

CROSSED = "warmlead.lead.stage_entered.v1"
OFFERED = "warmlead.handoff.offered.v1"


def run(trial: Trial) -> Outcome:
    """One trial: SIGSTOP and SIGCONT of one server, SIGTERM of the other, then a third."""
    ended = in_a_process(lambda: _work(trial), longest_s=180)
    return Outcome([*(ended.result or []), *([ended.wrong] if ended.wrong else [])])


def _work(trial: Trial) -> list[str]:
    random = Random(f"signals {trial.seed}")
    visitors = [f"visitor-{i}@example.com" for i in range(trial.many(60, 25))]
    posts = visits(visitors, posts_each=6, random=random)
    data = trial.folder / "data"
    frozen_s = trial.many(12, 1) + random.random()
    freeze_at, end_at = sorted(random.sample(range(5, len(posts) // 2), 2))
    with serving(data) as one, serving(data) as other:
        acts = {freeze_at: lambda: _freeze(one, frozen_s), end_at: other.process.terminate}

        def on_answer(answers: int) -> None:
            for count in [count for count in list(acts) if count <= answers]:
                if act := acts.pop(count, None):
                    act()

        sent = send(posts, [one.base, other.base], on_answer=on_answer)
        one.signal_all(signal.SIGCONT)
    with serving(data) as server:
        # A frozen process may hold the file for longer than others wait: they answer 503.
        accepted, refused = set(sent.accepted), list(sent.refused)
        for _ in range(RETRIES):
            again = send([post for post in posts if post not in accepted], [server.base])
            accepted.update(again.accepted)
            refused += again.refused
        drain(server)
        sweep_later(server)
        lost = [f"I7: {len(posts) - len(accepted)} posts are not accepted"]
        found = _violations(server, posts, visitors, refused)
        return found if len(accepted) == len(posts) else [*lost, *found]


def _freeze(server: Served, seconds: float) -> None:
    server.signal_all(signal.SIGSTOP)
    timer = threading.Timer(seconds, server.signal_all, [signal.SIGCONT])
    timer.daemon = True
    timer.start()


def _violations(
    server: Served, posts: list[Post], visitors: list[str], refused: list[int]
) -> list[str]:
    found = [f"I6: a good request was answered {status}" for status in refused if status != 503]
    counted, wanted = events_by_email(server), expected(posts)
    found += [
        f"I1: {email} has {counted.get(email)}, sent was {wanted.get(email)}"
        for email in counted.keys() | wanted.keys()
        if counted.get(email) != wanted.get(email)
    ]
    told: dict[str, list[str]] = {CROSSED: [], OFFERED: []}
    for id_, repeats in triggers_sent(server).items():
        bodies = {published.message.body for published in repeats}
        if len(bodies) > 1:
            found.append(f"I5: trigger {id_} has several bodies")
        for each in map(json.loads, bodies):
            told.setdefault(each["type"], []).append(each["data"]["lead"]["email"])
    for what in (CROSSED, OFFERED):
        if sorted(told[what]) != sorted(visitors):
            found.append(f"I4: {len(visitors)} crossings, told {len(told[what])} times as {what}")
    return found
