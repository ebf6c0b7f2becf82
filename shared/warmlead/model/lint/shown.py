"""Checks what signals show of their events: a property that is nearly a known one is a slip."""

from warmlead.domain.event_names import our_name
from warmlead.domain.journey import OF_THE_VISIT
from warmlead.model.document import did_you_mean
from warmlead.model.schema import ModelFile
from warmlead.model.structure import Report
from warmlead.model.vocabulary import STANDARD_EVENTS, STANDARD_PROPERTIES

_ALIKE = 0.8  # near enough to a property's name to be a slip


def check_shown(file: ModelFile, report: Report) -> None:
    """Doubts properties of ``show`` that are nearly a known one; forms have fields of any name."""
    for name, signal in file.signals.items():
        of_events = {
            known
            for event in signal.on
            for known in STANDARD_EVENTS.get(our_name(event), "").split()
        }
        known = {*STANDARD_PROPERTIES, *file.properties, *OF_THE_VISIT}
        for i, shown in enumerate(signal.show or ()):
            if shown in known:
                continue
            guess = did_you_mean(shown, of_events, alike=_ALIKE) or did_you_mean(
                shown, known, alike=_ALIKE
            )
            if guess:
                path = ("signals", name, "show", i)
                report.warn(path, f'"{shown}" is not a standard property of events', guess)
