"""Drift: see README.md."""

from warmlead.senders.drift.source import DriftSettings, DriftSource

__all__ = ["DriftSettings", "DriftSource"]
