"""Any form or tool that can post fields: HTML forms, form builders, scripts, automation."""

from warmlead.sources.generic.settings import FormSettings, SignatureSettings, read_forms
from warmlead.sources.generic.source import GenericSource

__all__ = ["FormSettings", "GenericSource", "SignatureSettings", "read_forms"]
