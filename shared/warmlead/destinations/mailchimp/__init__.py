"""Nurture steps as templates of Mailchimp Transactional (Mandrill)."""

from warmlead.destinations.mailchimp.destination import (
    MailchimpDestination,
    MailchimpMailSettings,
)

__all__ = ["MailchimpDestination", "MailchimpMailSettings"]
