"""Meta's lead ads: see README.md."""

from warmlead.senders.meta_leads.source import MetaLeadsSettings, MetaLeadsSource

__all__ = ["MetaLeadsSettings", "MetaLeadsSource"]
