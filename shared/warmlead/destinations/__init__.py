"""The tools that messages are sent to; one folder each, one line in the registry."""
