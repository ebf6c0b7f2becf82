"""Salesforce: leads or contacts, and tasks, by its REST interface."""

from warmlead.destinations.salesforce.destination import (
    SalesforceDestination,
    SalesforceDestinationSettings,
)

__all__ = ["SalesforceDestination", "SalesforceDestinationSettings"]
