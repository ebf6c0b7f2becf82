"""Checks stages and sequences: that they can be reached, can be left, and do not flap."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from warmlead.model.clauses import Clause, Either, clauses_of, tree_of
from warmlead.model.conditions import Context
from warmlead.model.limits import fit_range, most_engagement, possible
from warmlead.model.positions import Path
from warmlead.model.regions import Choice, Range, Region, alternatives, read_clause
from warmlead.model.report import Report
from warmlead.model.schema import Sequence as NurtureSequence
from warmlead.model.schema import Stage
from warmlead.model.structure import Sound


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a condition allows under the model; ``regions`` is ``None`` if that cannot be told."""

    path: Path
    text: str
    regions: Sequence[Region] | None

    @property
    def never(self) -> bool:
        """Whether it can provably never hold."""
        return self.regions is not None and not self.regions

    @property
    def always(self) -> bool:
        """Whether it provably always holds."""
        return self.regions is not None and any(
            not region.domains and not region.opaque for region in self.regions
        )


class Reach:
    """Judges the conditions of one model; ``accepted`` are the paths of those that CEL takes."""

    def __init__(
        self, sound: Sound, context: Context, accepted: frozenset[Path], report: Report
    ) -> None:
        self._sound = sound
        self._context = context
        self._accepted = accepted
        self._report = report

    def check(self) -> None:
        """Finds stages and sequences that cannot work as they are written."""
        for name, stage in self._sound.file.stages.items():
            self._check_stage(("stages", name), stage)
        for name, sequence in self._sound.file.sequences.items():
            self._check_sequence(("sequences", name), sequence)

    def _outlook(self, path: Path, text: str | None, given: Region) -> Outlook | None:
        if text is None or path not in self._accepted:
            return None
        found = alternatives(tree_of(text), self._context)
        if found is None:
            return Outlook(path, text, None)
        kept = (
            region
            for region in found
            if (met := region.meet(given)) and met.meet(possible(self._sound, region.domains))
        )
        return Outlook(path, text, list(kept))

    def _check_stage(self, path: Path, stage: Stage) -> None:
        known = Region({"identified": Range(1, 1)})  # anonymous leads are in no such stage
        enter = self._outlook((*path, "enter"), stage.enter, known)
        leave = self._outlook((*path, "leave"), stage.leave, known)
        if enter:
            self._check_enter(enter, has_bypass=bool(stage.bypass))
        if leave and leave.never:
            self._report.error(leave.path, "can never hold: no lead would leave the stage")
        elif leave and leave.always:
            self._report.error(leave.path, "always holds: no lead would stay in the stage")
        elif enter and leave and not enter.never:
            self._check_hysteresis(enter, leave)

    def _check_enter(self, enter: Outlook, *, has_bypass: bool) -> None:
        impossible = list(self._impossible(enter))
        if enter.never:
            at, why = impossible[0] if impossible else (0, "its parts exclude each other")
            if has_bypass:
                self._report.warn(enter.path, f"only a bypass opens the stage: {why}", at=at)
            else:
                self._report.error(enter.path, f"the stage is unreachable: {why}", at=at)
            return
        if enter.always:
            self._report.error(enter.path, "always holds: every known lead would be in the stage")
        for at, why in impossible:
            self._report.warn(enter.path, f"this part can never hold: {why}", at=at)

    def _impossible(self, outlook: Outlook) -> Iterator[tuple[int, str]]:
        """The clauses that can never hold by themselves, each with its place and why."""
        for clause in clauses_of(tree_of(outlook.text)):
            meaning = read_clause(clause, self._context)
            if meaning is False:
                yield clause.at, f"`{clause.text}` is never true"
            elif isinstance(meaning, Region):
                limits = possible(self._sound, meaning.domains)
                if meaning.meet(limits) is None:
                    yield clause.at, self._why(clause, meaning, limits)

    def _why(self, clause: Clause, meaning: Region, limits: Region) -> str:
        name = next(iter(meaning.domains))
        bound, wanted = limits.domains[name], meaning.domains[name]
        if not isinstance(bound, Range) or not isinstance(wanted, Range):
            return f"`{clause.text}` can never hold"
        if wanted.most < bound.least:
            return f"`{clause.text}`, but {name} is at least {bound.least:.0f}"
        why = f"`{clause.text}`, but {name} is at most {bound.most:.0f}"
        engagement = most_engagement(self._sound.file)
        if name == "score" and engagement < inf:
            why += f" (engagement {engagement:.0f} and fit {fit_range(self._sound.file).most:.0f})"
        return why

    def _check_hysteresis(self, enter: Outlook, leave: Outlook) -> None:
        tree = tree_of(leave.text)
        for part in tree.parts if isinstance(tree, Either) else (tree,):
            for going in alternatives(part, self._context) or []:
                at = next(clauses_of(part)).at
                if self._check_pair(enter, leave.path, going, at):
                    return

    def _check_pair(self, enter: Outlook, path: Path, going: Region, at: int) -> bool:
        """Judges one way of leaving against the ways of entering; whether something was found."""
        for coming in enter.regions or []:
            if coming.opaque or going.opaque:
                continue
            both = coming.meet(going)
            if both is not None:
                self._report_overlap(path, coming, going, at)
                return True
            if name := _same_threshold(coming, going):
                self._report.warn(
                    path,
                    f"{name} has the same threshold for entering and leaving: leads may flap",
                    "leave at a lower one",
                    at=at,
                )
                return True
        return False

    def _report_overlap(self, path: Path, coming: Region, going: Region, at: int) -> None:
        loose = [name for name in going.domains if name not in coming.domains]
        if not loose:
            names = " and ".join(going.domains)
            message = f"can hold while enter does: between the thresholds of {names} leads flap"
            self._report.error(path, message, "leave below the threshold of enter", at=at)
            return
        message = f"can hold while enter does, which does not ask for {' or '.join(loose)}"
        self._report.warn(path, message, "exclude it in enter, or leads may flap", at=at)

    def _check_sequence(self, path: Path, sequence: NurtureSequence) -> None:
        start = self._outlook((*path, "start"), sequence.start, Region())
        stop = self._outlook((*path, "stop"), sequence.stop, Region())
        if start and start.never:
            why = next((why for _, why in self._impossible(start)), "its parts exclude each other")
            self._report.error(start.path, f"can never hold: no lead would enter: {why}")
        if stop and stop.never:
            self._report.error(stop.path, "can never hold: nothing would stop the sequence")
        elif stop and stop.always:
            self._report.error(stop.path, "always holds: nothing would ever be sent")
        elif start and stop and _follows(start, stop):
            self._report.error(stop.path, "holds whenever start does: nothing would ever be sent")


def _follows(start: Outlook, stop: Outlook) -> bool:
    """Whether wherever ``start`` holds ``stop`` does."""
    if not start.regions or not stop.regions:
        return False
    return all(any(one.implies(other) for other in stop.regions) for one in start.regions)


def _same_threshold(coming: Region, going: Region) -> str:
    """The number that is left just below where it is entered; empty if there is none."""
    for name, left in going.domains.items():
        entered = coming.domains.get(name)
        if isinstance(left, Choice) or not isinstance(entered, Range):
            continue
        numeric = left.least < 0 or left.most > 1 or entered.most > 1
        if numeric and entered.least - 1 <= left.most < entered.least:
            return name
    return ""
