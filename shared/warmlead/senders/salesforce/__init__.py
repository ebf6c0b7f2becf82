"""Salesforce: outbound messages (SOAP), and JSON that a flow or Apex posts."""

from warmlead.senders.salesforce.source import SalesforceSettings, SalesforceSource

__all__ = ["SalesforceSettings", "SalesforceSource"]
