"""Salesforce: outbound messages (SOAP), and JSON that a flow or Apex posts."""

from warmlead.sources.salesforce.settings import SalesforceSettings
from warmlead.sources.salesforce.source import SalesforceSource

__all__ = ["SalesforceSettings", "SalesforceSource"]
