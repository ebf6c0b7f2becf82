"""Any form or tool that can post fields: HTML forms, form builders, scripts, automation."""

from warmlead.senders.configuration import SignatureSettings
from warmlead.senders.generic.settings import FormSettings, read_forms
from warmlead.senders.generic.source import GenericSource

__all__ = ["FormSettings", "GenericSource", "SignatureSettings", "read_forms"]
