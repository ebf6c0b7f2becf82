"""Nurture steps as dynamic templates of SendGrid."""

from warmlead.destinations.sendgrid.destination import SendGridDestination, SendGridMailSettings

__all__ = ["SendGridDestination", "SendGridMailSettings"]
