"""Segment's HTTP tracking API, as its own and RudderStack's clients speak it."""

from warmlead.senders.segment.source import SegmentSource

__all__ = ["SegmentSource"]
