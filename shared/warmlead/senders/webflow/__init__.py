"""Webflow: see README.md."""

from warmlead.senders.webflow.source import WebflowSettings, WebflowSource

__all__ = ["WebflowSettings", "WebflowSource"]
