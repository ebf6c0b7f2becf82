"""Brevo: see README.md."""

from warmlead.senders.brevo.source import BrevoSettings, BrevoSource

__all__ = ["BrevoSettings", "BrevoSource"]
