"""HubSpot: webhooks of an app's subscriptions, and those of workflows."""

from warmlead.sources.hubspot.settings import HubSpotSettings
from warmlead.sources.hubspot.source import HubSpotSource

__all__ = ["HubSpotSettings", "HubSpotSource"]
