"""LinkedIn's lead gen forms: see README.md."""

from warmlead.senders.linkedin_leads.source import LinkedInLeadsSettings, LinkedInLeadsSource

__all__ = ["LinkedInLeadsSettings", "LinkedInLeadsSource"]
