"""Checks that stages, routes and sequences can be reached and left."""

from datetime import timedelta

from warmlead.domain.consent import SUPPRESSING
from warmlead.domain.stages import ANONYMOUS, SALES_STAGES, SQL
from warmlead.model.condition_syntax import Either, clauses_of, tree_of, words
from warmlead.model.conditions import Contexts, stage_conditions
from warmlead.model.document import Path
from warmlead.model.lint.regions import Choice, Range, Region
from warmlead.model.lint.satisfiability import ConditionAnalysis, Prospect
from warmlead.model.measuring import label_in, parse_before, property_in
from warmlead.model.schema import NO_OFFERS, Alert, ModelFile, Route, Sequence, Stage, Suppression
from warmlead.model.structure import Report, Sound

_KNOWN = Region({"identified": Range(1, 1)})  # anonymous leads are in no such stage


def _outside(stage: str) -> Region:
    """What is so of a lead that may enter a stage: it is not there, and sales has not moved it."""
    elsewhere = Choice(frozenset({*SALES_STAGES, stage}), other=True)
    return Region({"identified": Range(1, 1), "stage": elsewhere})


class ReachabilityCheck:
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
        enter = self._prospect.of((*path, "enter"), stage.enter, _outside(str(path[-1])))
        leave = self._prospect.of((*path, "leave"), stage.leave, _KNOWN)
        if enter:
            self._check_enter(enter, has_bypass=bool(stage.bypass))
        for i, bypass in enumerate(stage.bypass):
            when = self._prospect.of((*path, "bypass", i, "when"), bypass.when, _KNOWN)
            if when and when.never:
                message = f"can never hold: {bypass.signal} would not open the stage"
                self._report.error(when.path, message)
            elif when and when.always:
                self._report.warn(when.path, "always holds", f"write {bypass.signal} alone")
            self._prospect.report_parts(when, self._report)
        if leave and leave.never:
            self._report.error(leave.path, "can never hold: no lead would leave the stage")
        elif leave and leave.always:
            self._report.error(leave.path, "always holds: no lead would stay in the stage")
        elif enter and leave and not (enter.never or enter.always):
            self._check_hysteresis(enter, leave)
        self._prospect.report_parts(leave, self._report)

    def _check_enter(self, enter: ConditionAnalysis, *, has_bypass: bool) -> None:
        if enter.never:
            doubt = self._prospect.why_never_there(enter)
            tell = self._report.warn if has_bypass else self._report.error
            told = "only a bypass opens the stage" if has_bypass else "the stage is unreachable"
            tell(enter.path, f"{told}: {doubt.why}", doubt.suggestion, at=doubt.at)
            return
        if enter.always:
            doubt = self._prospect.why_always(enter)
            message = f"always holds: every known lead would be in the stage{doubt.why}"
            self._report.error(enter.path, message, doubt.suggestion, at=doubt.at)
        self._prospect.report_parts(enter, self._report)
        self._check_distance(enter)

    def _check_distance(self, enter: ConditionAnalysis) -> None:
        """Doubts a threshold that is possible in the end, and that no real lead reaches."""
        regions = enter.regions or ()
        asked = [region.domains.get("score", Range()) for region in regions]
        least = min((each.least for each in asked if isinstance(each, Range)), default=0)
        most = self._prospect.score_in_a_month()
        if asked and least > most:
            message = (
                f"asks for a score of {least:.0f}: whoever does everything every day for a month "
                f"has {most:.0f}"
            )
            self._report.warn(enter.path, message, "ask for less", at=0)

    def _check_hysteresis(self, enter: ConditionAnalysis, leave: ConditionAnalysis) -> None:
        tree = tree_of(leave.text)
        for part in tree.parts if isinstance(tree, Either) else (tree,):
            for going in self._prospect.alternatives(part) or []:
                at = next(clauses_of(part)).at
                if self._check_pair(enter, leave.path, going, at):
                    return

    def _check_pair(self, enter: ConditionAnalysis, path: Path, going: Region, at: int) -> bool:
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
        opposite = self._prospect.opposite(loose[0], going) if len(loose) == 1 else ""
        added = f"add && {opposite} to enter" if opposite else "exclude it in enter"
        self._report.warn(path, message, f"{added}, or leads may flap", at=at)


def _same_threshold(coming: Region, going: Region) -> str:
    """The name whose threshold for leaving is that for entering; empty if there is none."""
    for name, left in going.domains.items():
        entered = coming.domains.get(name)
        if isinstance(left, Choice) or not isinstance(entered, Range):
            continue
        numeric = left.least < 0 or left.most > 1 or entered.most > 1
        if numeric and entered.least - 1 <= left.most < entered.least:
            return name
    return ""


_FOLLOWING_KNOWN = Region(
    {"identified": Range(1, 1), "stage": Choice(frozenset([ANONYMOUS]), other=True)}
)
_REFUSED = ("suppressed", "mail_refused")
_NOTHING_SENT = "nothing would ever be sent"


class RoutingCheck:
    """Judges the routes and sequences of one model."""

    def __init__(self, file: ModelFile, prospect: Prospect, report: Report) -> None:
        self._file = file
        self._prospect = prospect
        self._report = report

    def check(self) -> None:
        """Finds routes that no lead takes, and sequences that cannot work as they are written."""
        self._check_all_routes()
        for name, alert in self._file.alerts.items():
            self._check_alert(("alerts", name, "when"), alert)
        for name, sequence in self._file.sequences.items():
            self._check_sequence(("sequences", name), sequence)

    def _check_all_routes(self) -> None:
        """The routes for all stages, and those of single ones; each where it is asked."""
        if (handoff := self._file.handoff) is None:
            return
        own = {
            name: each for name, each in handoff.stages.items() if each.routes or each is NO_OFFERS
        }
        common = frozenset(self._file.stages) - own.keys()
        if common or not self._file.stages:
            self._check_routes(("handoff", "routes"), handoff.routes, common)
        elif handoff.routes:
            message = (
                "no lead takes these routes: each stage has routes of its own, or makes no offers"
            )
            instead = "move them to a stage of handoff.stages, or leave them out"
            self._report.warn(("handoff", "routes"), message, instead, key=True)
        for name, each in own.items():
            path: Path = ("handoff", "stages", name, "routes")
            self._check_routes(path, each.routes or [], frozenset([name]))

    def _check_routes(self, above: Path, routes: list[Route], stages: frozenset[str]) -> None:
        """Judges routes that are asked of leads in some stages."""
        offered = (
            _FOLLOWING_KNOWN.meet(Region({"stage": Choice(stages)})) if stages else _FOLLOWING_KNOWN
        )
        earlier: list[ConditionAnalysis | None] = []
        for i, route in enumerate(routes):
            path: Path = (*above, i)
            outlook = self._prospect.of((*path, "when"), route.when, offered or _FOLLOWING_KNOWN)
            if i < len(routes) - 1 and (route.when is None or (outlook and outlook.always)):
                message = "takes every lead: the routes after it are never used"
                self._report.error(path, message, "move it to the end")
            elif outlook and outlook.never:
                why, suggestion = self._why_no_lead(outlook, stages)
                message = f"can never hold: no lead takes this route: {why}"
                self._report.error(outlook.path, message, suggestion)
            elif outlook:
                self._check_earlier(outlook, earlier)
            self._prospect.report_parts(outlook, self._report)
            earlier.append(outlook)

    def _why_no_lead(self, outlook: ConditionAnalysis, stages: frozenset[str]) -> tuple[str, str]:
        """Why a route of leads in some stages is never taken, and what to do."""
        others = self._file.stages.keys() - stages
        elsewhere = [
            name for name in self._file.stages if name in others and self._holds_in(name, outlook)
        ]
        of_sales = "leads are offered in a stage of the model only"
        why = self._why_never(outlook, of_sales)
        handoff = self._file.handoff
        if why != of_sales or not elsewhere or handoff is None:
            return why, ""
        name = elsewhere[0]
        if handoff.stages.get(name) is NO_OFFERS:
            return f"{name} makes no offers", f"leave out {name}: none in handoff.stages"
        if name in handoff.stages and handoff.stages[name].routes:
            return f"{name} has routes of its own", f"move it to handoff.stages.{name}.routes"
        return f"these routes are for {' and '.join(sorted(stages))}", "move it to handoff.routes"

    def _holds_in(self, stage: str, outlook: ConditionAnalysis) -> bool:
        there = Region({"identified": Range(1, 1), "stage": Choice(frozenset([stage]))})
        found = self._prospect.of(outlook.path, outlook.text, there)
        return found is not None and not found.never

    def _check_earlier(
        self, outlook: ConditionAnalysis, earlier: list[ConditionAnalysis | None]
    ) -> None:
        for i, other in enumerate(earlier, start=1):
            if other and not other.always and outlook.implies(other):
                message = f"holds only where route {i} does, which comes before it"
                self._report.error(outlook.path, message, "put the narrower route first")
                return

    def _check_alert(self, path: Path, alert: Alert) -> None:
        stages = Region({"stage": Choice(frozenset(alert.stages))}) if alert.stages else Region()
        outlook = self._prospect.of(path, alert.when, _FOLLOWING_KNOWN.meet(stages) or stages)
        if outlook and outlook.never:
            why = self._why_never(outlook, "it is for leads in other stages")
            self._report.error(path, f"can never hold: there would be no alert: {why}")
        elif outlook and outlook.always:
            doubt = self._prospect.why_always(outlook, "leave it out" if alert.on else "")
            self._report.warn(path, f"always holds{doubt.why}", doubt.suggestion, at=doubt.at)
        self._prospect.report_parts(outlook, self._report)

    def _check_sequence(self, path: Path, sequence: Sequence) -> None:
        start = self._prospect.of((*path, "start"), sequence.start, _FOLLOWING_KNOWN)
        stop = self._prospect.of((*path, "stop"), sequence.stop, Region())
        goal = self._prospect.of((*path, "goal"), sequence.goal, Region())
        if start and start.never:
            why = self._why_never(start, "anonymous leads enter no sequence")
            self._report.error(start.path, f"can never hold: no lead would enter: {why}")
        elif start and self._is_suppressed(start):
            message = "requires that the lead refuses mail: hardly any lead would enter"
            self._report.warn(start.path, message)
        for each in (start, stop, goal):
            self._prospect.report_parts(each, self._report)
        for i, step in enumerate(sequence.steps):
            when = self._prospect.of((*path, "steps", i, "when"), step.when, _FOLLOWING_KNOWN)
            if when and when.never:
                self._report.error(when.path, f"can never hold: {step.message} is never sent")
            elif when and when.always:
                self._report.warn(when.path, "always holds", "leave it out")
            self._prospect.report_parts(when, self._report)
        self._check_end(start, stop, "nothing would stop the sequence")
        self._check_end(start, goal, "no lead would reach the goal")
        if stop and goal and (_reads_like(stop, goal) or stop.implies(goal)):
            message = (
                "holds whenever stop does: every stopped lead counts as having reached the goal"
            )
            self._report.warn(goal.path, message, "let stop name only what else ends the sequence")

    def _check_end(
        self, start: ConditionAnalysis | None, end: ConditionAnalysis | None, if_never: str
    ) -> None:
        """Judges a stop or a goal: either keeps the sequence from starting while it holds."""
        if end is None:
            return
        if end.never:
            self._report.error(end.path, f"can never hold: {if_never}")
        elif end.always:
            self._report.error(end.path, f"always holds: {_NOTHING_SENT}")
        elif start and start.implies(end):
            self._report.error(end.path, f"holds whenever start does: {_NOTHING_SENT}")

    def _why_never(self, outlook: ConditionAnalysis, of_what_is_given: str) -> str:
        """Why a condition never holds: in itself, or only where it is asked."""
        for doubt in self._prospect.impossible(outlook):
            return doubt.why
        anywhere = self._prospect.of(outlook.path, outlook.text, Region())
        holds_elsewhere = anywhere is not None and not anywhere.never
        return of_what_is_given if holds_elsewhere else "its parts exclude each other"

    def _is_suppressed(self, start: ConditionAnalysis) -> bool:
        """Whether ``start`` can hold only for a lead that has refused mail."""
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
        label = label_in(name)
        signal = self._file.signals.get(label)
        return set(signal.on if signal else [label]) <= set(SUPPRESSING)


def _reads_like(one: ConditionAnalysis, other: ConditionAnalysis) -> bool:
    return [token.text for token in words(one.text)] == [token.text for token in words(other.text)]


LONGEST = timedelta(weeks=8)
MOST_MESSAGES = 10
SHORTEST_PAUSE = timedelta(days=1)
"""Beyond these a sequence is doubted; five to seven messages over two to four weeks are usual."""


def check_warnings(sound: Sound, contexts: Contexts, report: Report) -> None:
    """Warns of points that never fade or never count, and of things that nothing uses."""
    file = sound.file
    named = {name for text in stage_conditions(file) for name in contexts.stage.names(text)}
    read = {property_in(name) for name in named}
    named |= {label_in(name) for name in named}
    named |= {asked[0] for asked in map(parse_before, named) if asked}
    named |= {bypass.signal for stage in file.stages.values() for bypass in stage.bypass}
    named |= {signal for alert in file.alerts.values() for signal in alert.on or ()}
    _doubt_signals(sound, named, report)
    if sound.is_whole("fit"):
        _doubt_fit(file, report)
    _doubt_stages(file, report)
    for name, sequence in file.sequences.items():
        _doubt_sequence(name, sequence, report)
    _doubt_declared(file, contexts, named, read, report)
    if sound.is_whole("suppression"):
        _doubt_suppression(file.suppression, report)


_MONTHS = 12
"""At most this many minutes are taken for months."""


def _doubt_signals(sound: Sound, named: set[str], report: Report) -> None:
    for name, signal in sound.file.signals.items():
        path = ("signals", name)
        fades = signal.half_life or signal.expires_after or signal.decay
        if not fades and report.is_untouched(path):
            report.warn(
                path,
                "has no half_life, expires_after or decay: its points never fade",
                "add half_life: 30d, or decay: never if that is meant",
                key=True,
            )
        _doubt_minutes(path, "half_life", signal.half_life, report)
        if not signal.points and name not in named:
            report.warn((*path, "points"), "brings no points, and no condition names the signal")


def _doubt_minutes(path: Path, key: str, length: timedelta | None, report: Report) -> None:
    """``1m`` is a minute; of a half-life and a cool-down people mean months by it."""
    if not length or length >= timedelta(hours=1):
        return
    minutes = length // timedelta(minutes=1)
    message = f"m is minutes: this is over after {minutes} of them"
    meant = f"write {minutes * 30}d for {minutes}m" if minutes <= _MONTHS else "write days: 30d"
    report.warn((*path, key), message, meant)


def _doubt_fit(file: ModelFile, report: Report) -> None:
    points = [rule.points for rule in file.fit.values()]
    if points and max(points) <= 0:
        report.warn(("fit",), "no fit rule brings points: fit is never above 0", key=True)
    for name in sorted(file.fit.keys() & file.signals.keys()):
        report.warn(
            ("fit", name),
            "a signal has the same name: people cannot tell the reasons apart",
            key=True,
        )


def _doubt_stages(file: ModelFile, report: Report) -> None:
    if not file.stages:
        report.warn((), "there are no stages: no lead will ever qualify", "add stages: with mql")
    for name, stage in file.stages.items():
        _doubt_minutes(("stages", name), "cooldown", stage.cooldown, report)
        if stage.leave is None and name != SQL:
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
        message = "starts again on the day of its end, as long as start holds"
        report.warn((*path, "again_after"), message, "leave a pause of days")


def _doubt_declared(
    file: ModelFile, contexts: Contexts, named: set[str], read: set[str], report: Report
) -> None:
    """Doubts traits that no condition names, and properties that nobody has ``read``."""
    fit_names = {n for rule in file.fit.values() for n in contexts.fit.names(rule.when)}
    asked = read | {n for s in file.signals.values() for n in contexts.event.names(s.when or "")}
    asked |= {shown for signal in file.signals.values() for shown in signal.show or ()}
    for name in file.traits:
        if name not in named | fit_names:
            report.warn(("traits", name), "no condition uses this trait", key=True)
    for name in file.properties:
        if name not in asked:
            report.warn(("properties", name), "no signal or condition uses this property", key=True)


def _doubt_suppression(written: Suppression, report: Report) -> None:
    def doubt(key: str, message: str, suggestion: str = "") -> None:
        report.warn(("suppression", key), message, suggestion)

    silenced = "lets anybody who has the public key suppress a lead"
    if written.complained == "anyone":
        doubt("complained", silenced, "write signed")
    if written.hard_bounce == "anyone":
        doubt("hard_bounce", silenced, "write signed")
    if written.unsubscribed == "signed":
        message = "leads who unsubscribe on a page with the public key still get mail"
        doubt("unsubscribed", message, "write anyone")
    if written.resubscribed == "anyone":
        message = (
            "lets anybody who has the public key lift a refusal that came from a signed sender"
        )
        doubt("resubscribed", message, "write equal")
    if written.hard_bounce == "never" and written.soft_bounces:
        message = "soft bounces suppress, and hard ones do not"
        doubt("hard_bounce", message, "write soft_bounces: 0 if no bounce is to suppress")
    if written.soft_bounces == 1:
        doubt("soft_bounces", "a single full mailbox suppresses the lead", "write 3 or more")
