"""Netlify: see README.md."""

from warmlead.senders.netlify.source import NetlifySettings, NetlifySource

__all__ = ["NetlifySettings", "NetlifySource"]
