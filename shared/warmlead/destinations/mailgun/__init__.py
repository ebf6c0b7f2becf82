"""Nurture steps as templates of Mailgun."""

from warmlead.destinations.mailgun.destination import MailgunDestination, MailgunMailSettings

__all__ = ["MailgunDestination", "MailgunMailSettings"]
