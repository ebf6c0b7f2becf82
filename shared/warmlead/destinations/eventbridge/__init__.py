"""Events on a bus of Amazon EventBridge, whose rules start automations in AWS."""

from warmlead.destinations.eventbridge.destination import (
    EventBridgeDestination,
    EventBridgeSettings,
)

__all__ = ["EventBridgeDestination", "EventBridgeSettings"]
