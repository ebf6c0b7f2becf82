"""tawk.to: see README.md."""

from warmlead.senders.tawk.source import TawkSettings, TawkSource

__all__ = ["TawkSettings", "TawkSource"]
