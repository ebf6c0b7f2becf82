"""Pipedrive: webhooks of version 2."""

from warmlead.senders.pipedrive.source import PipedriveSettings, PipedriveSource

__all__ = ["PipedriveSettings", "PipedriveSource"]
