"""Two deployments with two models on one store, as during every release of a model.

What is promised meanwhile: every event counts once, a crossing is whichever model saw it, and is
announced once. Afterwards the score is that of either model for the same events.
"""

from faults.deployment import MODEL, campaign_model
from faults.multiplied import run_in_two_instances
from faults.trial import Outcome, Trial

OTHER = campaign_model({"points: 20, per_day: 2": "points: 5, per_day: 1", ">= 25 &&": ">= 45 &&"})


def run(trial: Trial) -> Outcome:
    """One trial: each message goes to one model or the other, ten times."""
    return run_in_two_instances(trial, [MODEL, OTHER])
