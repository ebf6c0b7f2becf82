"""SendGrid: see README.md."""

from warmlead.senders.sendgrid.source import SendGridSettings, SendGridSource

__all__ = ["SendGridSettings", "SendGridSource"]
