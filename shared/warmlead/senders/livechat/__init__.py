"""LiveChat: see README.md."""

from warmlead.senders.livechat.source import LiveChatSettings, LiveChatSource

__all__ = ["LiveChatSettings", "LiveChatSource"]
