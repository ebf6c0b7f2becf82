"""Stripe: see README.md."""

from warmlead.senders.stripe.source import StripeSettings, StripeSource

__all__ = ["StripeSettings", "StripeSource"]
