"""Anybody who can post JSON and sign it: what sales says, in our own words."""

from warmlead.senders.sales.source import GenericSalesSettings, GenericSalesSource

__all__ = ["GenericSalesSettings", "GenericSalesSource"]
