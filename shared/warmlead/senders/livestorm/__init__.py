"""Livestorm: see README.md."""

from warmlead.senders.livestorm.source import LivestormSettings, LivestormSource

__all__ = ["LivestormSettings", "LivestormSource"]
