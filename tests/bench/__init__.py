"""Everything that is claimed about cost and speed, measured and printed: ``make bench``."""
