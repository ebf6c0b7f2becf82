"""Anybody who can post JSON and sign it: what sales says, in our own words."""

from warmlead.sources.sales.settings import GenericSalesSettings
from warmlead.sources.sales.source import GenericSalesSource

__all__ = ["GenericSalesSettings", "GenericSalesSource"]
