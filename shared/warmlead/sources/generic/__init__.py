"""Any form or tool that can post fields: HTML forms, form builders, scripts, automation."""

from warmlead.sources.generic.settings import FormSettings, read_forms
from warmlead.sources.generic.source import GenericSource
from warmlead.sources.signing import SignatureSettings

__all__ = ["FormSettings", "GenericSource", "SignatureSettings", "read_forms"]
