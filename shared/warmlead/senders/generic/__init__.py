"""Any form or tool that can post fields: HTML forms, form builders, scripts, automation."""

from warmlead.senders.generic.source import FormSettings, GenericSource

__all__ = ["FormSettings", "GenericSource"]
