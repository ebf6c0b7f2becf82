"""Chatwoot: see README.md."""

from warmlead.senders.chatwoot.source import ChatwootSettings, ChatwootSource

__all__ = ["ChatwootSettings", "ChatwootSource"]
