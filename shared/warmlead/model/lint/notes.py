"""Notes: what is right as it stands, and perhaps not what its author thinks. They count as nothing.

A note needs no answer: it is neither a fault nor a doubt, and a model with notes alone is clean.
"""

from warmlead.domain.event_names import our_name
from warmlead.domain.stages import SQL
from warmlead.model.conditions import Contexts, stage_conditions
from warmlead.model.document import did_you_mean
from warmlead.model.measuring import label_in
from warmlead.model.schema import ModelFile
from warmlead.model.structure import Report, Sound
from warmlead.model.vocabulary import STANDARD_EVENTS


def check_notes(sound: Sound, contexts: Contexts, report: Report) -> None:
    """Notes events that only their author knows, and what stages and alerts leave out."""
    file = sound.file
    _note_events(file, report)
    if sound.is_whole("stages", "handoff", "alerts"):
        _note_alerts(file, report)
    if sound.is_whole("signals", "stages"):
        _note_signals(file, contexts, report)


def _note_events(file: ModelFile, report: Report) -> None:
    known = {*STANDARD_EVENTS}
    for name, signal in file.signals.items():
        for i, event in enumerate(signal.on):
            if event in known or our_name(event) != event:
                continue
            known.add(event)  # once is enough
            if did_you_mean(event, STANDARD_EVENTS, alike=_NEARLY):
                continue  # which is doubted elsewhere
            message = f'no sender is translated to "{event}": it counts if you send it by this name'
            report.note(("signals", name, "on", i), message, did_you_mean(event, STANDARD_EVENTS))


_NEARLY = 0.84


def _note_alerts(file: ModelFile, report: Report) -> None:
    """Alerts for one stage of the model that leave out another one that sales is offered."""
    offered = [stage for stage in file.stages if file.handoff and file.handoff.at(stage)]
    for name, alert in file.alerts.items():
        named = {*(alert.stages or ())}
        left_out = [stage for stage in offered if stage not in named]
        if left_out and named & {*file.stages} - {SQL}:
            message = f"sales is offered leads of {left_out[0]} too, and hears nothing of them here"
            guess = f"name {left_out[0]} too, unless that is meant"
            report.note(("alerts", name, "stages"), message, guess)


def _note_signals(file: ModelFile, contexts: Contexts, report: Report) -> None:
    """Signals as strong as those that a stage asks for, of which no stage knows.

    Adding a signal does not make it count for a stage whose ``enter`` asks for certain ones.
    """
    gates = [contexts.stage.names(stage.enter) for stage in file.stages.values()]
    of_signals = [{label_in(name) for name in names} & file.signals.keys() for names in gates]
    if not all(of_signals):
        return  # the score alone opens a stage: every signal counts for it
    named = {n for text in stage_conditions(file) for n in contexts.stage.names(text)}
    known = {label_in(name) for name in named}
    known |= {bypass.signal for stage in file.stages.values() for bypass in stage.bypass}
    known |= {signal for alert in file.alerts.values() for signal in alert.on or ()}
    asked = {name for name in set().union(*of_signals) if file.signals[name].points > 0}
    if not asked:
        return
    strongest = max(sorted(asked), key=lambda name: file.signals[name].points)
    least = file.signals[strongest].points
    for name, signal in file.signals.items():
        if signal.points < max(1, least) or name in known or signal.group:
            continue
        message = (
            f"brings {signal.points} points, as {strongest} does or more, but no stage's enter "
            "asks for it"
        )
        report.note(("signals", name), message, "name it in enter if it shows interest", key=True)
