"""How much a run tries: everything, or with Hypothesis's profile ``fast`` a twentieth of it.

Tests that draw their cases, and loops over made cases, say with ``examples`` how many they want.
``tests/conftest.py`` registers the profiles; ``make test-fast`` chooses ``fast``.
"""

from hypothesis import settings

FULL, FAST = 100, 5
"""How many examples a test tries that does not say."""


def examples(many: int) -> int:
    """That many in a full run, in a fast one a twentieth; at least 2."""
    return max(2, many * settings().max_examples // FULL)


def stride() -> int:
    """1 in a full run, which tries each place; in a fast one 20, which tries every twentieth."""
    return FULL // settings().max_examples
