"""History as it was: imported events, each processed as of its own time, and taken back again."""
