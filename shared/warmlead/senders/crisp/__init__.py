"""Crisp: see README.md."""

from warmlead.senders.crisp.source import CrispSettings, CrispSource

__all__ = ["CrispSettings", "CrispSource"]
