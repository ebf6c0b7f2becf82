"""Pipedrive: webhooks of version 2."""

from warmlead.sources.pipedrive.settings import PipedriveSettings
from warmlead.sources.pipedrive.source import PipedriveSource

__all__ = ["PipedriveSettings", "PipedriveSource"]
