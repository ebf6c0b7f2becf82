"""How much a run tries: by Hypothesis's profile everything, a quarter of it, or very little.

Tests that draw their cases, and loops over made cases, say with ``examples`` how many they want.
``tests/conftest.py`` registers the profiles. ``make test`` runs ``standard``, with other random
cases each time; ``make test-fast`` chooses ``fast``.
"""

from hypothesis import settings

THOROUGH, STANDARD, FAST = 100, 25, 1
"""How many examples a test tries that does not say."""

_SHARES = {THOROUGH: 1, STANDARD: STANDARD / THOROUGH, FAST: 1 / 500}


def examples(many: int) -> int:
    """That many in a thorough run, in a standard one a quarter, in a fast one a 500th.

    At least 1.
    """
    return max(1, int(many * _SHARES[settings().max_examples]))


def stride() -> int:
    """1 in all runs but a fast one, which tries every 40th place."""
    return 40 if settings().max_examples <= FAST else 1


def is_thorough() -> bool:
    """Whether this run leaves nothing out to be quick."""
    return settings().max_examples >= THOROUGH
