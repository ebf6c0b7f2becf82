"""Checks stages: that they can be reached, can be left, and do not flap."""

from warmlead.model.clauses import Either, clauses_of, tree_of
from warmlead.model.outlook import Outlook, Prospect
from warmlead.model.positions import Path
from warmlead.model.regions import Choice, Range, Region
from warmlead.model.report import Report
from warmlead.model.schema import ModelFile, Stage

_KNOWN = Region({"identified": Range(1, 1)})  # anonymous leads are in no such stage


class Reach:
    """Judges the stages of one model."""

    def __init__(self, file: ModelFile, prospect: Prospect, report: Report) -> None:
        self._file = file
        self._prospect = prospect
        self._report = report

    def check(self) -> None:
        """Finds stages that cannot work as they are written."""
        for name, stage in self._file.stages.items():
            self._check_stage(("stages", name), stage)

    def _check_stage(self, path: Path, stage: Stage) -> None:
        enter = self._prospect.of((*path, "enter"), stage.enter, _KNOWN)
        leave = self._prospect.of((*path, "leave"), stage.leave, _KNOWN)
        if enter:
            self._check_enter(enter, has_bypass=bool(stage.bypass))
        if leave and leave.never:
            self._report.error(leave.path, "can never hold: no lead would leave the stage")
        elif leave and leave.always:
            self._report.error(leave.path, "always holds: no lead would stay in the stage")
        elif enter and leave and not enter.never:
            self._check_hysteresis(enter, leave)

    def _check_enter(self, enter: Outlook, *, has_bypass: bool) -> None:
        impossible = list(self._prospect.impossible(enter))
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

    def _check_hysteresis(self, enter: Outlook, leave: Outlook) -> None:
        tree = tree_of(leave.text)
        for part in tree.parts if isinstance(tree, Either) else (tree,):
            for going in self._prospect.alternatives(part) or []:
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
