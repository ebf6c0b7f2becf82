"""The two designs as running processes: ours and the naive one, in the same shape."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from bench import traffic
from bench.cloud import Cloud
from bench.deployed import NAIVE_ACCEPT, NAIVE_SCORE, Function, Server, Staged, served
from bench.load import Load
from bench.run import Use
from warmlead.stores.codec import read_lead

Settings: TypeAlias = Callable[[str], Mapping[str, str]]
"""The environment of a function in the project of this name."""

Functions: TypeAlias = tuple[Function, Function]
"""One that accepts and one that applies."""


class Pair(NamedTuple):
    """A function that accepts and one that applies, in a project of their own."""

    project: str
    accept: Server
    score: Server


class Pairs(NamedTuple):
    """``pushed`` gets from Pub/Sub what it accepts, the others from the load generator.

    For ``far`` Google is a round trip away.
    """

    pushed: Pair
    direct: Pair
    far: Pair


@dataclass
class Design:
    """How the job is done, and what has been measured of it."""

    name: str
    pairs: Pairs
    push_requests: Callable[[str, int], list[bytes]]
    counted: Callable[[dict[str, Any]], int]
    use: Use
    events: dict[str, int] = field(default_factory=dict)
    """How many were accepted, by project."""

    accepted_alone: list[Load] = field(default_factory=list)
    through_pubsub: list[float] = field(default_factory=list)
    """Events a second, to the last commit."""

    directly: list[Load] = field(default_factory=list)
    from_afar: list[Load] = field(default_factory=list)
    in_batches: list[Load] = field(default_factory=list)


def designs(
    cloud: Cloud, far: Cloud, staged: Staged, uses: tuple[Use, Use], stack: ExitStack
) -> tuple[Design, Design]:
    """Starts everything; it ends with the stack."""

    def pair(functions: Functions, settings: Settings) -> Pair:
        project = cloud.project()
        accept, score = (
            stack.enter_context(served(function, settings(project))) for function in functions
        )
        return Pair(project, accept, score)

    def pairs(functions: Functions, here: Settings, there: Settings) -> Pairs:
        made = Pairs(pair(functions, here), pair(functions, here), pair(functions, there))
        cloud.push(made.pushed.project, made.pushed.score.address)
        return made

    ours = Design(
        "ours",
        pairs((staged["track"], staged["score"]), cloud.settings, far.settings),
        traffic.push_requests,
        lambda document: read_lead(document["document"]).lead.kept_events,
        uses[0],
    )
    naive = Design(
        "naive",
        pairs((NAIVE_ACCEPT, NAIVE_SCORE), cloud.naive_settings, far.naive_settings),
        traffic.naive_push_requests,
        lambda document: int(document["events"]),
        uses[1],
    )
    return ours, naive
