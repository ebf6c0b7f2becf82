"""Google Analytics 4: see README.md."""

from warmlead.senders.ga4.source import Ga4Settings, Ga4Source

__all__ = ["Ga4Settings", "Ga4Source"]
