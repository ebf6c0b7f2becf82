"""The registry of destinations: which tools there are, and how each is configured.

One settings file names them: of each section the name is the destination's own, and ``to`` is the
tool. A tool's package is imported when a section asks for it.
"""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from msgspec import Struct

from warmlead.destinations.base import DestinationSettings
from warmlead.domain.errors import ConfigurationError
from warmlead.ports.dispatching import Destination, Outbound
from warmlead.settings import SettingFault, Settings, configured, told
from warmlead.settings_file import guessable_secrets, made_of_file
from warmlead.web.outbound import HttpOutbound


class Tool(Struct, frozen=True):
    """One tool that messages can be sent to.

    ``name`` is what a section's ``to`` says, and with ``_`` for ``-`` its package below
    ``warmlead.destinations``. ``adapter`` and ``settings`` are classes in it.
    """

    name: str
    adapter: str
    settings: str

    def settings_type(self) -> type[DestinationSettings]:
        """The class of its sections; imports the tool's package."""
        found: type[DestinationSettings] = getattr(self._package(), self.settings)
        return found

    def made(self, name: str, settings: DestinationSettings, outbound: Outbound) -> Destination:
        """A destination of this tool."""
        adapter: Any = getattr(self._package(), self.adapter)
        destination: Destination = adapter(name, settings, outbound)
        return destination

    def _package(self) -> object:
        return import_module(f"warmlead.destinations.{self.name.replace('-', '_')}")


TOOLS = (
    Tool("webhook", "WebhookDestination", "SignedWebhookSettings"),
    Tool("slack", "SlackDestination", "SlackMessageSettings"),
    Tool("sendgrid", "SendGridDestination", "SendGridMailSettings"),
    Tool("postmark", "PostmarkDestination", "PostmarkMailSettings"),
    Tool("mailgun", "MailgunDestination", "MailgunMailSettings"),
    Tool("mailchimp", "MailchimpDestination", "MailchimpMailSettings"),
    Tool("brevo", "BrevoDestination", "BrevoMailSettings"),
    Tool("eventbridge", "EventBridgeDestination", "EventBridgeSettings"),
    Tool("sns", "SnsDestination", "SnsSettings"),
    Tool("sqs", "SqsDestination", "SqsSettings"),
    Tool("hubspot", "HubSpotDestination", "HubSpotDestinationSettings"),
    Tool("salesforce", "SalesforceDestination", "SalesforceDestinationSettings"),
    Tool("pipedrive", "PipedriveDestination", "PipedriveDestinationSettings"),
)
"""Every tool, in the order in which the documentation lists them."""

SUBJECT = "These destinations cannot be used:"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def destinations_of(
    using: Settings, environment: Mapping[str, str], outbound: Outbound | None = None
) -> Mapping[str, Destination]:
    """The destinations as configured, by name; secrets come from the environment.

    Raises ``ConfigurationError`` with every fault of the file. Without a file there are none.
    """
    if using.destinations is None:
        return {}
    subject = f"The destinations file {using.destinations} cannot be used:"
    return made_of_file(
        using.destinations,
        environment,
        lambda content: destinations_in(content, using, outbound),
        subject=subject,
    )


def destinations_in(
    content: object, using: Settings, outbound: Outbound | None = None
) -> Mapping[str, Destination]:
    """The destinations that the content of the file configures, by name.

    In production, secrets that are easily guessed and settings for one's own machine are faults
    too. ``outbound`` stands in for HTTP. Raises ``ConfigurationError`` with every fault.
    """
    given = {} if content is None else content
    if not isinstance(given, dict):
        raise ConfigurationError(SUBJECT, ["the file must be a mapping of destinations by name"])
    faults = [fault for name, section in given.items() for fault in _faults(name, section, using)]
    if using.production:
        faults += guessable_secrets(given)
    if faults:
        raise ConfigurationError(SUBJECT, [told(fault) for fault in faults])
    made = {}
    for name, section in given.items():
        tool = _tool_of(section)
        settings = configured(section, tool.settings_type())
        reached_by = outbound or HttpOutbound(allow_local=settings.allow_local)
        made[name] = tool.made(name, settings, reached_by)
    return made


def _faults(name: object, section: object, using: Settings) -> Iterator[SettingFault]:
    where = (str(name),)
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        yield SettingFault(where, "a name is at most 40 small letters, digits and -")
    if not isinstance(section, dict):
        yield SettingFault(where, "must be a mapping of names to values")
        return
    known = ", ".join(tool.name for tool in TOOLS)
    try:
        settings = _tool_of(section).settings_type()
    except LookupError:
        yield SettingFault((*where, "to"), f"must name a tool; there are {known}")
        return
    yield from settings.faults(section, where)
    if using.production:
        yield from settings.unsafe(section, where)


def _tool_of(section: Mapping[str, object]) -> Tool:
    """The tool of a section; raises ``LookupError`` if it names none."""
    for tool in TOOLS:
        if tool.name == section.get("to"):
            return tool
    raise LookupError
