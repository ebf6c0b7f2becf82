"""Functions that do nothing: what the framework costs by itself."""
