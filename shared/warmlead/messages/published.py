"""How everything is made that messages hold."""

from pydantic import ConfigDict

PUBLISHED = ConfigDict(
    frozen=True,
    extra="forbid",
    json_schema_serialization_defaults_required=True,
    defer_build=True,  # a function builds those types alone that it sends
)
"""It does not change, and has no other fields than it names."""
