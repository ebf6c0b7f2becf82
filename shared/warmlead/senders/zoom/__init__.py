"""Zoom: see README.md."""

from warmlead.senders.zoom.source import ZoomSettings, ZoomSource

__all__ = ["ZoomSettings", "ZoomSource"]
