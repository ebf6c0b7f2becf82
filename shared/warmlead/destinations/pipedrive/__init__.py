"""Pipedrive: persons and activities, by its interface, version 2."""

from warmlead.destinations.pipedrive.destination import (
    PipedriveDestination,
    PipedriveDestinationSettings,
)

__all__ = ["PipedriveDestination", "PipedriveDestinationSettings"]
