"""Calendly: see README.md."""

from warmlead.senders.calendly.source import CalendlySettings, CalendlySource

__all__ = ["CalendlySettings", "CalendlySource"]
