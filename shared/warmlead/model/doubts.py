"""Looks for what is allowed, but seldom meant: the warnings of ``model check``."""

from datetime import timedelta

from warmlead.model.compiling import Contexts, stage_conditions
from warmlead.model.report import Report
from warmlead.model.schema import ModelFile, Sequence, Suppression
from warmlead.model.structure import Sound

LONGEST = timedelta(weeks=8)
MOST_MESSAGES = 10
SHORTEST_PAUSE = timedelta(days=1)
"""Beyond these a sequence is doubted; five to seven messages over two to four weeks are usual."""


def check_doubts(sound: Sound, contexts: Contexts, report: Report) -> None:
    """Warns of points that never fade or never count, and of things that nothing uses."""
    file = sound.file
    named = {name for text in stage_conditions(file) for name in contexts.stage.names(text)}
    named |= {name.partition(".")[2] for name in named if "." in name}
    named |= {signal for stage in file.stages.values() for signal in stage.bypass}
    _doubt_signals(file, named, report)
    if sound.is_whole("fit"):
        _doubt_fit(file, report)
    _doubt_stages(file, report)
    for name, sequence in file.sequences.items():
        _doubt_sequence(name, sequence, report)
    _doubt_declared(file, contexts, named, report)
    if sound.is_whole("suppression"):
        _doubt_suppression(file.suppression, report)


def _doubt_signals(file: ModelFile, named: set[str], report: Report) -> None:
    for name, signal in file.signals.items():
        path = ("signals", name)
        if not (signal.half_life or signal.expires_after or signal.decay):
            report.warn(
                path,
                "does not say how it fades, so it never does",
                "add half_life: 30d, or decay: never if that is meant",
                key=True,
            )
        if not signal.points and name not in named:
            report.warn((*path, "points"), "is worth nothing, and no condition names the signal")


def _doubt_fit(file: ModelFile, report: Report) -> None:
    points = [rule.points for rule in file.fit.values()]
    if points and max(points) <= 0:
        report.warn(("fit",), "no fit rule speaks for a lead: fit is never above 0", key=True)
    for name in sorted(file.fit.keys() & file.signals.keys()):
        report.warn(("fit", name), "a signal has the same name: reasons will read alike", key=True)


def _doubt_stages(file: ModelFile, report: Report) -> None:
    if not file.stages:
        report.warn((), "there are no stages: no lead will ever qualify", "add stages: with mql")
    for name, stage in file.stages.items():
        if stage.leave is None:
            report.warn(
                ("stages", name),
                "has no leave condition: a lead that has entered stays until sales decides",
                "add leave with a lower threshold than enter",
                key=True,
            )


def _doubt_sequence(name: str, sequence: Sequence, report: Report) -> None:
    path, steps = ("sequences", name), sequence.steps
    if steps and steps[-1].after > LONGEST:
        message = f"runs for {steps[-1].after.days} days: most sequences take two to four weeks"
        report.warn((*path, "steps", len(steps) - 1, "after"), message)
    if len(steps) > MOST_MESSAGES:
        message = f"sends {len(steps)} messages: most sequences have five to seven"
        report.warn((*path, "steps"), message, key=True)
    if sequence.again_after and sequence.again_after < SHORTEST_PAUSE:
        message = "starts anew on the day of its end, and so on as long as start holds"
        report.warn((*path, "again_after"), message, "leave a pause of days")


def _doubt_declared(file: ModelFile, contexts: Contexts, named: set[str], report: Report) -> None:
    fit_names = {n for rule in file.fit.values() for n in contexts.fit.names(rule.when)}
    asked = {n for s in file.signals.values() for n in contexts.event.names(s.when or "")}
    for name in file.traits:
        if name not in named | fit_names:
            report.warn(("traits", name), "no condition uses this trait", key=True)
    for name in file.properties:
        if name not in asked:
            report.warn(("properties", name), "no signal uses this property", key=True)


def _doubt_suppression(written: Suppression, report: Report) -> None:
    def doubt(key: str, message: str, suggestion: str = "") -> None:
        report.warn(("suppression", key), message, suggestion)

    silenced = "lets anybody who reads the public key silence a lead"
    if written.complained == "anyone":
        doubt("complained", silenced, "write signed")
    if written.hard_bounce == "anyone":
        doubt("hard_bounce", silenced, "write signed")
    if written.unsubscribed == "signed":
        message = "whoever unsubscribes on a page with the public key is still written to"
        doubt("unsubscribed", message, "write anyone")
    if written.resubscribed == "anyone":
        message = "lets anybody who reads the public key lift what a signed sender was told"
        doubt("resubscribed", message, "write equal")
    if written.hard_bounce == "never" and written.soft_bounces:
        message = "soft bounces suppress, and hard ones do not"
        doubt("hard_bounce", message, "write soft_bounces: 0 if no bounce is to suppress")
    if written.soft_bounces == 1:
        doubt("soft_bounces", "a single full mailbox suppresses the lead", "write 3 or more")
