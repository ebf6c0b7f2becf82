"""Mandrill: see README.md."""

from warmlead.senders.mandrill.source import MandrillSettings, MandrillSource

__all__ = ["MandrillSettings", "MandrillSource"]
