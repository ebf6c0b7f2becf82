"""Typeform: see README.md."""

from warmlead.senders.typeform.source import TypeformSettings, TypeformSource

__all__ = ["TypeformSettings", "TypeformSource"]
