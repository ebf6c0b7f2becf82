"""Every fault of the campaign. A new one is one module with ``run``, and one entry here."""

from collections.abc import Mapping
from functools import partial

from faults import (
    deliveries,
    kills,
    lost_answers,
    multiplied,
    network,
    old_facts,
    outage,
    poison,
    schedulers,
    told_to_end,
    two_deliveries,
    two_models,
    two_releases,
)
from faults.backends import Backend, SqliteBackend
from faults.gcp import GcpBackend
from faults.trial import Fault

BACKENDS: Mapping[str, Backend] = {b.name: b for b in (SqliteBackend(), GcpBackend())}

_ALL = (
    Fault(
        "kills",
        "SIGKILL at a named site, up to eight times a trial",
        kills.run,
        {"full": {"sqlite": 3_960, "gcp": 480}, "ci": {"sqlite": 20, "gcp": 6}},
    ),
    Fault(
        "lost-answers",
        "calls fail, or succeed while their answer is an error",
        lost_answers.run,
        {"full": {"gcp": 130}, "ci": {"gcp": 4}},
    ),
    Fault(
        "cut-off",
        "answers cut off on the network after the server has acted",
        partial(network.run, network.lost),
        {"full": {"gcp": 150}, "ci": {"gcp": 2}},
    ),
    Fault(
        "gone-and-slow",
        "Firestore and Pub/Sub refuse connections, or answer too late",
        partial(network.run, network.gone_and_slow),
        {"full": {"gcp": 30}, "ci": {"gcp": 2}},
    ),
    Fault(
        "aborted",
        "three in ten calls are aborted",
        partial(network.run, network.aborted),
        {"full": {"gcp": 30}, "ci": {"gcp": 2}},
    ),
    Fault(
        "multiplied",
        "every event delivered ten times, in any order, to two instances",
        multiplied.run,
        {"full": {"sqlite": 200, "gcp": 50}, "ci": {"sqlite": 4, "gcp": 2}},
    ),
    Fault(
        "two-models",
        "two deployments with two models on one store",
        two_models.run,
        {"full": {"sqlite": 200, "gcp": 50}, "ci": {"sqlite": 4, "gcp": 2}},
    ),
    Fault(
        "two-releases",
        "an upgrade, a roll-back and SIGKILL, with a newer release on the same store and bus",
        two_releases.run,
        {"full": {"sqlite": 300, "gcp": 30}, "ci": {"sqlite": 4, "gcp": 1}},
    ),
    Fault(
        "schedulers",
        "decay and followup are called six times at once",
        schedulers.run,
        {"full": {"sqlite": 30, "gcp": 12}, "ci": {"sqlite": 2, "gcp": 2}},
    ),
    Fault(
        "old-facts",
        "facts of weeks ago are learnt among live ones, in any order",
        old_facts.run,
        {"full": {"sqlite": 200}, "ci": {"sqlite": 3}},
    ),
    Fault(
        "poison",
        "one message among 1,000 fails whenever it is tried",
        poison.run,
        {"full": {"sqlite": 4, "gcp": 2}, "ci": {"sqlite": 1, "gcp": 1}},
    ),
    Fault(
        "outage",
        "Pub/Sub is gone for an hour and 5,000 crossings",
        outage.run,
        {"full": {"sqlite": 1, "gcp": 1}, "ci": {"sqlite": 1, "gcp": 1}},
    ),
    Fault(
        "deliveries",
        "messages handed to tools that fail, hang, limit or lose answers, and SIGKILL meanwhile",
        deliveries.killed,
        {"full": {"sqlite": 1_000, "gcp": 100}, "ci": {"sqlite": 8, "gcp": 2}},
    ),
    Fault(
        "deliveries-lost",
        "the same, and the store loses calls and answers instead",
        deliveries.losing,
        {"full": {"sqlite": 500, "gcp": 50}, "ci": {"sqlite": 6, "gcp": 2}},
    ),
    Fault(
        "two-deliveries",
        "messages handed to tools by two releases in turn, and SIGKILL",
        two_deliveries.run,
        {"full": {"sqlite": 200, "gcp": 20}, "ci": {"sqlite": 3}},
    ),
    Fault(
        "told-to-end",
        "SIGTERM, SIGSTOP and SIGCONT of real servers under load",
        told_to_end.run,
        {"full": {"sqlite": 6}, "ci": {"sqlite": 1}},
    ),
)

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
