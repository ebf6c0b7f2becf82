"""Framer: see README.md."""

from warmlead.senders.framer.source import FramerSettings, FramerSource

__all__ = ["FramerSettings", "FramerSource"]
