"""SendGrid's Inbound Parse: see README.md."""

from warmlead.senders.sendgrid_inbound.source import SendGridInboundSettings, SendGridInboundSource

__all__ = ["SendGridInboundSettings", "SendGridInboundSource"]
