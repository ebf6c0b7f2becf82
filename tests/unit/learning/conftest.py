"""What the tests of learning share."""

from unit.learning.crowds import crowded

__all__ = ["crowded"]
