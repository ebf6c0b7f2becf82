"""Customer.io: see README.md."""

from warmlead.senders.customerio.source import CustomerIoSettings, CustomerIoSource

__all__ = ["CustomerIoSettings", "CustomerIoSource"]
