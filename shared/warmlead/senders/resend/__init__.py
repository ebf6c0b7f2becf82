"""Resend: see README.md."""

from warmlead.senders.resend.source import ResendSettings, ResendSource

__all__ = ["ResendSettings", "ResendSource"]
