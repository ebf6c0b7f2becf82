"""Slack: buttons that sales presses under our messages."""

from warmlead.senders.slack.source import SlackSettings, SlackSource

__all__ = ["SlackSettings", "SlackSource"]
