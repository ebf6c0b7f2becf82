"""How much a run tries: everything, or with Hypothesis's profile ``fast`` a fiftieth of it.

Tests that draw their cases, and loops over made cases, say with ``examples`` how many they want.
``tests/conftest.py`` registers the profiles; ``make test-fast`` chooses ``fast``.
"""

from hypothesis import settings

FULL, FAST = 100, 2
"""How many examples a test tries that does not say."""


def examples(many: int) -> int:
    """That many in a full run, in a fast one a fiftieth; at least 1."""
    return max(1, many * settings().max_examples // FULL)


def stride() -> int:
    """1 in a full run, which tries each place; in a fast one 50: every 50th."""
    return FULL // settings().max_examples
