"""Formstack: see README.md."""

from warmlead.senders.formstack.source import FormstackSettings, FormstackSource

__all__ = ["FormstackSettings", "FormstackSource"]
