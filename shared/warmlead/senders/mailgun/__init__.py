"""Mailgun: see README.md."""

from warmlead.senders.mailgun.source import MailgunSettings, MailgunSource

__all__ = ["MailgunSettings", "MailgunSource"]
