"""Messages on a topic of Amazon SNS, with attributes for its filter policies."""

from warmlead.destinations.sns.destination import SnsDestination, SnsSettings

__all__ = ["SnsDestination", "SnsSettings"]
