"""HubSpot: webhooks of an app's subscriptions, and those of workflows."""

from warmlead.senders.hubspot.source import HubSpotSettings, HubSpotSource

__all__ = ["HubSpotSettings", "HubSpotSource"]
