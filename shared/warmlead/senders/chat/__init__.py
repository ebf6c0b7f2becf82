"""Chats from any tool: see README.md."""

from warmlead.senders.chat.source import ChatSettings, ChatSource

__all__ = ["ChatSettings", "ChatSource"]
