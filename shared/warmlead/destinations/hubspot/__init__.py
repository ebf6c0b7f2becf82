"""HubSpot: contacts and tasks, by its CRM interface, version 3."""

from warmlead.destinations.hubspot.destination import HubSpotDestination, HubSpotDestinationSettings

__all__ = ["HubSpotDestination", "HubSpotDestinationSettings"]
