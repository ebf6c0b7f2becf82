"""Statements of sales from anybody who can post JSON and sign it, in our own format."""

from warmlead.senders.sales.source import GenericSalesSettings, GenericSalesSource

__all__ = ["GenericSalesSettings", "GenericSalesSource"]
