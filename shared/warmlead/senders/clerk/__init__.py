"""Clerk: see README.md."""

from warmlead.senders.clerk.source import ClerkSettings, ClerkSource

__all__ = ["ClerkSettings", "ClerkSource"]
