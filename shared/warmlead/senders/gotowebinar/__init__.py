"""GoTo Webinar: see README.md."""

from warmlead.senders.gotowebinar.source import GoToWebinarSettings, GoToWebinarSource

__all__ = ["GoToWebinarSettings", "GoToWebinarSource"]
