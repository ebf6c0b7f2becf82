"""Nurture steps as templates of Brevo."""

from warmlead.destinations.brevo.destination import BrevoDestination, BrevoMailSettings

__all__ = ["BrevoDestination", "BrevoMailSettings"]
