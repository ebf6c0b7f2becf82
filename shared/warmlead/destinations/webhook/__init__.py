"""Signed webhooks by the Standard Webhooks specification: what most automation tools take."""

from warmlead.destinations.webhook.destination import SignedWebhookSettings, WebhookDestination

__all__ = ["SignedWebhookSettings", "WebhookDestination"]
