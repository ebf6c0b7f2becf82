"""Postmark: see README.md."""

from warmlead.senders.postmark.source import PostmarkSettings, PostmarkSource

__all__ = ["PostmarkSettings", "PostmarkSource"]
