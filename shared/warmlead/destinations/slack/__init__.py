"""Messages to sales in a channel of Slack, by an incoming webhook or by a bot."""

from warmlead.destinations.slack.destination import SlackDestination
from warmlead.destinations.slack.settings import SlackMessageSettings

__all__ = ["SlackDestination", "SlackMessageSettings"]
