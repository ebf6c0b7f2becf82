"""Facts that may be true at the same time: what each name of a condition may be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import permutations
from math import inf
from typing import TypeAlias

from warmlead.domain.measures import Measure, MeasureKind, parse_measure


@dataclass(frozen=True, slots=True)
class Range:
    """Whole numbers from ``least`` to ``most``; a switch is 0 or 1."""

    least: float = -inf
    most: float = inf

    def meet(self, other: "Range") -> "Range | None":
        """What is in both; ``None`` if nothing is."""
        least, most = max(self.least, other.least), min(self.most, other.most)
        return Range(least, most) if least <= most else None

    def covers(self, other: "Range") -> bool:
        """Whether everything of the other is in it."""
        return self.least <= other.least and other.most <= self.most


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the texts, or, if ``other``, any text but these."""

    texts: frozenset[str]
    other: bool = False

    def meet(self, other: "Choice") -> "Choice | None":
        """What is in both; ``None`` if nothing is."""
        if self.other and other.other:
            return Choice(self.texts | other.texts, other=True)
        if self.other or other.other:
            chosen, left_out = (other, self) if self.other else (self, other)
            texts = chosen.texts - left_out.texts
        else:
            texts = self.texts & other.texts
        return Choice(texts) if texts else None

    def covers(self, other: "Choice") -> bool:
        """Whether everything of the other is in it."""
        return self.meet(other) == other

    def holds(self, text: str) -> bool:
        """Whether the text is one of them."""
        return (text in self.texts) is not self.other


Domain: TypeAlias = Range | Choice


@dataclass(frozen=True, slots=True)
class Region:
    """Facts that may hold together: what each name may be. ``opaque``: and something unread.

    With ``sums`` the score is that of its parts.
    """

    domains: Mapping[str, Domain] = field(default_factory=dict)
    opaque: bool = False
    sums: "Sums | None" = None

    def meet(self, other: "Region") -> "Region | None":
        """What is in both; ``None`` if nothing can be."""
        domains = dict(self.domains)
        for name, domain in other.domains.items():
            narrowed = _meet(domains.get(name, domain), domain)
            if narrowed is None:
                return None
            domains[name] = narrowed
        sums = self.sums or other.sums
        region = Region(domains, self.opaque or other.opaque, sums)
        return region if _is_consistent(domains, sums) else None

    def implies(self, other: "Region") -> bool:
        """Whether the other certainly holds wherever this one does."""
        return not other.opaque and all(
            name in self.domains and _covers(domain, self.domains[name])
            for name, domain in other.domains.items()
        )


def _meet(one: Domain, other: Domain) -> Domain | None:
    if isinstance(one, Range) and isinstance(other, Range):
        return one.meet(other)
    return one.meet(other) if isinstance(one, Choice) and isinstance(other, Choice) else None


def _covers(one: Domain, other: Domain) -> bool:
    if isinstance(one, Range) and isinstance(other, Range):
        return one.covers(other)
    return isinstance(one, Choice) and isinstance(other, Choice) and one.covers(other)


@dataclass(frozen=True, slots=True)
class Sums:
    """How a score is made of engagement and fit: what is added, and the least that it can be.

    ``grades`` are those of the model, each with the points for fit that it stands for.
    """

    base: int = 0
    floor: float = 0
    grades: Mapping[str, Range] = field(default_factory=dict)


def _is_consistent(domains: Mapping[str, Domain], sums: Sums | None) -> bool:
    """Whether sums and counts agree: the score is engagement and fit, a day is in its week."""
    if sums and not _sums_agree(domains, sums):
        return False
    measured = {m: _range_of(domains, name) for name in domains if (m := parse_measure(name))}
    return _measures_agree(measured)


def _sums_agree(domains: Mapping[str, Domain], sums: Sums) -> bool:
    """Whether the score may be that of its parts, and the grade that of the fit."""
    engagement, fit = _range_of(domains, "engagement"), _fit_of(domains, sums.grades)
    if fit is None:
        return False
    least = max(sums.floor, engagement.least + fit.least + sums.base)
    most = max(sums.floor, engagement.most + fit.most + sums.base)
    return _range_of(domains, "score").meet(Range(least, most)) is not None


def _fit_of(domains: Mapping[str, Domain], grades: Mapping[str, Range]) -> Range | None:
    """What fit may be, the grade being what it may be; ``None`` if they exclude each other."""
    fit, grade = _range_of(domains, "fit"), domains.get("grade")
    if not grades or not isinstance(grade, Choice):
        return fit
    met = [of_grade.meet(fit) for name, of_grade in grades.items() if grade.holds(name)]
    left = [each for each in met if each is not None]
    if not left:
        return None
    return Range(min(each.least for each in left), max(each.most for each in left))


def _range_of(domains: Mapping[str, Domain], name: str) -> Range:
    domain = domains.get(name)
    return domain if isinstance(domain, Range) else Range()


def _measures_agree(ranges: Mapping[Measure, Range]) -> bool:
    """Whether no number is below that of a part of its time, or of the days that it counts."""
    counts = [each for each in ranges if each.kind in (MeasureKind.LAST, MeasureKind.DAYS)]
    return not any(
        ranges[part].least > ranges[whole].most
        for part, whole in permutations(counts, 2)
        if part.label == whole.label
        and part.days <= whole.days
        and (part.kind is MeasureKind.DAYS or whole.kind is MeasureKind.LAST)
    )
