"""Intercom: see README.md."""

from warmlead.senders.intercom.source import IntercomSettings, IntercomSource

__all__ = ["IntercomSettings", "IntercomSource"]
