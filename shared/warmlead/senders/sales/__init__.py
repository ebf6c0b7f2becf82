"""Signed JSON of anybody: statements of sales in Warmlead's own words."""

from warmlead.senders.sales.source import GenericSalesSettings, GenericSalesSource

__all__ = ["GenericSalesSettings", "GenericSalesSource"]
