"""Nurture steps as templates of Postmark."""

from warmlead.destinations.postmark.destination import PostmarkDestination, PostmarkMailSettings

__all__ = ["PostmarkDestination", "PostmarkMailSettings"]
