"""Cal.com: see README.md."""

from warmlead.senders.cal_com.source import CalComSettings, CalComSource

__all__ = ["CalComSettings", "CalComSource"]
