"""Kissmetrics: see README.md."""

from warmlead.senders.kissmetrics.source import KissmetricsSettings, KissmetricsSource

__all__ = ["KissmetricsSettings", "KissmetricsSource"]
