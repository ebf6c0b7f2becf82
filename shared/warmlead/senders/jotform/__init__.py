"""Jotform: see README.md."""

from warmlead.senders.jotform.source import JotformSettings, JotformSource

__all__ = ["JotformSettings", "JotformSource"]
