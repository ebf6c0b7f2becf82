"""What the conditions of a model allow under it: whether they can ever hold, and what follows.

Tells only what is provably so. Whether that is right for a stage or a sequence is not judged here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from warmlead.model.clauses import Clause, Tree, clauses_of, tree_of
from warmlead.model.conditions import Context
from warmlead.model.limits import fit_range, most_engagement, possible
from warmlead.model.positions import Path
from warmlead.model.regions import Range, Region, alternatives, read_clause
from warmlead.model.structure import Sound


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a condition allows under the model; ``regions`` is ``None`` if that cannot be told.

    ``given`` is what is certain wherever the condition is asked.
    """

    path: Path
    text: str
    given: Region
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

    def implies(self, other: "Outlook") -> bool:
        """Whether the other provably holds wherever this one does."""
        if not self.regions or not other.regions:
            return False
        return all(
            (met := one.meet(self.given)) is not None and any(map(met.implies, other.regions))
            for one in self.regions
        )


class Prospect:
    """Looks into the conditions of one model; ``accepted`` are the paths of the sound ones."""

    def __init__(self, sound: Sound, context: Context, accepted: frozenset[Path]) -> None:
        self._sound = sound
        self._context = context
        self._accepted = accepted

    def of(self, path: Path, text: str | None, given: Region) -> Outlook | None:
        """What a condition allows where something is given; ``None`` if there is none to judge."""
        if text is None or path not in self._accepted:
            return None
        found = self.alternatives(tree_of(text))
        if found is None:
            return Outlook(path, text, given, None)
        kept = (
            region
            for region in found
            if (met := region.meet(given)) and met.meet(possible(self._sound, region.domains))
        )
        return Outlook(path, text, given, list(kept))

    def alternatives(self, tree: Tree) -> list[Region] | None:
        """The regions of a part of a condition; ``None`` if there are too many to tell."""
        return alternatives(tree, self._context)

    def impossible(self, outlook: Outlook) -> Iterator[tuple[int, str]]:
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
