"""Tally: see README.md."""

from warmlead.senders.tally.source import TallySettings, TallySource

__all__ = ["TallySettings", "TallySource"]
