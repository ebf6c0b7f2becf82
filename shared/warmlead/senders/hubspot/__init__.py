"""HubSpot: webhooks of an app's subscriptions, and those of workflows."""

from warmlead.senders.hubspot.source import HubSpotSource
from warmlead.senders.hubspot.translate import HubSpotSettings

__all__ = ["HubSpotSettings", "HubSpotSource"]
