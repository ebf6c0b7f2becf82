"""Mailchimp: see README.md."""

from warmlead.senders.mailchimp.source import MailchimpSettings, MailchimpSource

__all__ = ["MailchimpSettings", "MailchimpSource"]
