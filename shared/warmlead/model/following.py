"""Checks what follows from a score: routes to sales and sequences, that they begin and end."""

from warmlead.domain.consent import SUPPRESSING
from warmlead.domain.lifecycle import ANONYMOUS
from warmlead.model.clauses import words
from warmlead.model.outlook import Outlook, Prospect
from warmlead.model.positions import Path
from warmlead.model.regions import Choice, Range, Region
from warmlead.model.report import Report
from warmlead.model.schema import ModelFile, Route, Sequence

_KNOWN = Region({"identified": Range(1, 1), "stage": Choice(frozenset([ANONYMOUS]), other=True)})
_REFUSED = ("suppressed", "mail_refused")
_NOTHING_SENT = "nothing would ever be sent"


class Following:
    """Judges the routes and sequences of one model."""

    def __init__(self, file: ModelFile, prospect: Prospect, report: Report) -> None:
        self._file = file
        self._prospect = prospect
        self._report = report

    def check(self) -> None:
        """Finds routes that no lead takes, and sequences that cannot work as they are written."""
        self._check_routes(self._file.handoff.routes if self._file.handoff else [])
        for name, sequence in self._file.sequences.items():
            self._check_sequence(("sequences", name), sequence)

    def _check_routes(self, routes: list[Route]) -> None:
        stages = Choice(frozenset(self._file.stages))
        offered = _KNOWN.meet(Region({"stage": stages})) if self._file.stages else _KNOWN
        earlier: list[Outlook | None] = []
        for i, route in enumerate(routes):
            path: Path = ("handoff", "routes", i)
            outlook = self._prospect.of((*path, "when"), route.when, offered or _KNOWN)
            if i < len(routes) - 1 and (route.when is None or (outlook and outlook.always)):
                message = "takes every lead: the routes after it are never asked"
                self._report.error(path, message, "move it to the end")
            elif outlook and outlook.never:
                why = self._why_never(outlook, "leads are offered in a stage of the model only")
                self._report.error(outlook.path, f"can never hold: no lead takes this route: {why}")
            elif outlook:
                self._check_earlier(outlook, earlier)
            earlier.append(outlook)

    def _check_earlier(self, outlook: Outlook, earlier: list[Outlook | None]) -> None:
        for i, other in enumerate(earlier, start=1):
            if other and not other.always and outlook.implies(other):
                message = f"holds only where route {i} does, which is asked before"
                self._report.error(outlook.path, message, "put the narrower route first")
                return

    def _check_sequence(self, path: Path, sequence: Sequence) -> None:
        start = self._prospect.of((*path, "start"), sequence.start, _KNOWN)
        stop = self._prospect.of((*path, "stop"), sequence.stop, Region())
        goal = self._prospect.of((*path, "goal"), sequence.goal, Region())
        if start and start.never:
            why = self._why_never(start, "anonymous leads enter no sequence")
            self._report.error(start.path, f"can never hold: no lead would enter: {why}")
        elif start and self._is_suppressed(start):
            message = "asks for a refusal to be written to: hardly any lead would enter"
            self._report.warn(start.path, message)
        self._check_end(start, stop, "nothing would stop the sequence")
        self._check_end(start, goal, "no lead would reach the goal")
        if stop and goal and (_reads_like(stop, goal) or stop.implies(goal)):
            message = "holds whenever stop does: whoever is stopped counts as having reached it"
            self._report.warn(goal.path, message, "let stop say what else ends the sequence")

    def _check_end(self, start: Outlook | None, end: Outlook | None, if_never: str) -> None:
        """Judges a stop or a goal: either keeps the sequence from starting while it holds."""
        if end is None:
            return
        if end.never:
            self._report.error(end.path, f"can never hold: {if_never}")
        elif end.always:
            self._report.error(end.path, f"always holds: {_NOTHING_SENT}")
        elif start and start.implies(end):
            self._report.error(end.path, f"holds whenever start does: {_NOTHING_SENT}")

    def _why_never(self, outlook: Outlook, of_what_is_given: str) -> str:
        """Why a condition never holds: in itself, or only where it is asked."""
        for _, why in self._prospect.impossible(outlook):
            return why
        anywhere = self._prospect.of(outlook.path, outlook.text, Region())
        holds_elsewhere = anywhere is not None and not anywhere.never
        return of_what_is_given if holds_elsewhere else "its parts exclude each other"

    def _is_suppressed(self, start: Outlook) -> bool:
        """Whether a lead must have refused to be written to, in whatever way ``start`` holds."""
        return bool(start.regions) and all(
            any(
                isinstance(domain, Range) and domain.least > 0 and self._is_refusal(name)
                for name, domain in region.domains.items()
            )
            for region in start.regions or []
        )

    def _is_refusal(self, name: str) -> bool:
        if name in _REFUSED:
            return True
        label = name.rpartition(".")[2]
        signal = self._file.signals.get(label)
        return set(signal.on if signal else [label]) <= set(SUPPRESSING)


def _reads_like(one: Outlook, other: Outlook) -> bool:
    return [token.text for token in words(one.text)] == [token.text for token in words(other.text)]
