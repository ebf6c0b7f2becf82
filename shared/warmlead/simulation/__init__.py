"""A lead's story, played forward under a model."""
