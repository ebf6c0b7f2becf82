"""The registry of senders: who posts to which accepting function, and how each is configured.

A function has one settings file at most, of which each section configures one of its senders.
A sender's package is imported when the sender is asked for: an accepting function imports only
the senders that it is configured for.
"""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from msgspec import Struct

from warmlead.domain.errors import ConfigurationError
from warmlead.senders.base import Sender, SenderSettings
from warmlead.settings import SettingFault, Settings, configured, told
from warmlead.settings_file import guessable_secrets, made_of_file


class Registration(Struct, frozen=True):
    """One sender of one accepting function.

    ``name`` is the ``source`` of its events, its package below ``warmlead.senders`` and the folder
    of its fixtures below ``tests/senders``. ``path`` is the first part of its requests' path;
    it is empty for a sender that has many. ``adapter`` and ``settings`` are classes in its
    package; ``settings``, those of a section of the file, is empty if settings of the process are
    all it has. ``takes_rest``: it gets all paths, and all sections of the file, that no other
    sender of its function has, and it is active without a file too. Any other sender is active
    only if the file has a section for it.
    """

    name: str
    function: str
    path: str
    adapter: str
    settings: str = ""
    takes_rest: bool = False

    def adapter_type(self) -> Any:  # noqa: ANN401  # the constructors differ
        """The adapter's class; imports the sender's package."""
        return getattr(self._package(), self.adapter)

    def settings_type(self) -> type[SenderSettings]:
        """The class of its sections of the file; imports the sender's package.

        Raises ``LookupError`` if it has none.
        """
        if not self.settings:
            raise LookupError(self.name)
        found: type[SenderSettings] = getattr(self._package(), self.settings)
        return found

    def _package(self) -> object:
        return import_module(f"warmlead.senders.{self.name}")


REGISTRY = (
    Registration("generic", "forms", "generic", "GenericSource", "FormSettings", takes_rest=True),
    Registration("typeform", "forms", "typeform", "TypeformSource", "TypeformSettings"),
    Registration("calendly", "forms", "calendly", "CalendlySource", "CalendlySettings"),
    Registration("cal_com", "forms", "cal-com", "CalComSource", "CalComSettings"),
    Registration("zoom", "forms", "zoom", "ZoomSource", "ZoomSettings"),
    Registration("gotowebinar", "forms", "gotowebinar", "GoToWebinarSource", "GoToWebinarSettings"),
    Registration("livestorm", "forms", "livestorm", "LivestormSource", "LivestormSettings"),
    Registration("tally", "forms", "tally", "TallySource", "TallySettings"),
    Registration("jotform", "forms", "jotform", "JotformSource", "JotformSettings"),
    Registration("webflow", "forms", "webflow", "WebflowSource", "WebflowSettings"),
    Registration("google_ads", "forms", "google-ads", "GoogleAdsSource", "GoogleAdsSettings"),
    Registration("meta_leads", "forms", "meta-leads", "MetaLeadsSource", "MetaLeadsSettings"),
    Registration(
        "linkedin_leads", "forms", "linkedin-leads", "LinkedInLeadsSource", "LinkedInLeadsSettings"
    ),
    Registration("formstack", "forms", "formstack", "FormstackSource", "FormstackSettings"),
    Registration("netlify", "forms", "netlify", "NetlifySource", "NetlifySettings"),
    Registration("clerk", "forms", "clerk", "ClerkSource", "ClerkSettings"),
    Registration("intercom", "chat", "intercom", "IntercomSource", "IntercomSettings"),
    Registration("crisp", "chat", "crisp", "CrispSource", "CrispSettings"),
    Registration("tawk", "chat", "tawk", "TawkSource", "TawkSettings"),
    Registration("livechat", "chat", "livechat", "LiveChatSource", "LiveChatSettings"),
    Registration("drift", "chat", "drift", "DriftSource", "DriftSettings"),
    Registration("chatwoot", "chat", "chatwoot", "ChatwootSource", "ChatwootSettings"),
    Registration("chat", "chat", "generic", "ChatSource", "ChatSettings"),
    Registration("segment", "track", "", "SegmentSource", takes_rest=True),
    Registration("ga4", "track", "ga4", "Ga4Source", "Ga4Settings"),
    Registration("kissmetrics", "track", "kissmetrics", "KissmetricsSource", "KissmetricsSettings"),
    Registration("sales", "sales", "generic", "GenericSalesSource", "GenericSalesSettings"),
    Registration("hubspot", "sales", "hubspot", "HubSpotSource", "HubSpotSettings"),
    Registration("salesforce", "sales", "salesforce", "SalesforceSource", "SalesforceSettings"),
    Registration("pipedrive", "sales", "pipedrive", "PipedriveSource", "PipedriveSettings"),
    Registration("stripe", "sales", "stripe", "StripeSource", "StripeSettings"),
    Registration("slack", "sales", "slack", "SlackSource", "SlackSettings"),
    Registration("sendgrid", "mail", "sendgrid", "SendGridSource", "SendGridSettings"),
    Registration(
        "sendgrid_inbound",
        "mail",
        "sendgrid-inbound",
        "SendGridInboundSource",
        "SendGridInboundSettings",
    ),
    Registration("mailgun", "mail", "mailgun", "MailgunSource", "MailgunSettings"),
    Registration("postmark", "mail", "postmark", "PostmarkSource", "PostmarkSettings"),
    Registration("mailchimp", "mail", "mailchimp", "MailchimpSource", "MailchimpSettings"),
    Registration("mandrill", "mail", "mandrill", "MandrillSource", "MandrillSettings"),
    Registration("resend", "mail", "resend", "ResendSource", "ResendSettings"),
    Registration("customerio", "mail", "customerio", "CustomerIoSource", "CustomerIoSettings"),
    Registration("brevo", "mail", "brevo", "BrevoSource", "BrevoSettings"),
    Registration("framer", "forms", "framer", "FramerSource", "FramerSettings"),
)
"""Every sender; where two have one path, the first has it at an address that names no function."""


def by_name(name: str) -> Registration:
    """The sender of this name; raises ``LookupError``, with all names, if there is none."""
    for each in REGISTRY:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in REGISTRY)
    raise LookupError(f"There is no sender {name}; there are {known}.")


def functions_by_path() -> dict[str, str]:
    """The function of each sender that has a path, by this path."""
    return {each.path: each.function for each in reversed(REGISTRY) if each.path}


def section_name(sender: Registration) -> str:
    """The name of a sender's section: its path, with a slash in front where others name forms.

    A sender that takes the rest has any number of sections, of which none begins with a slash.
    Raises ``LookupError`` for it, and for a sender without settings.
    """
    if not sender.settings or sender.takes_rest:
        raise LookupError(sender.name)
    return f"/{sender.path}" if _rest_of(sender.function) else sender.path


def _rest_of(function: str) -> Registration | None:
    """The sender that takes the rest of the sections of a function's file."""
    return next((e for e in _of(function) if e.takes_rest and e.settings), None)


def _of(function: str) -> list[Registration]:
    return [each for each in REGISTRY if each.function == function]


# --- a function's senders ------------------------------------------------------------------


class Senders(Struct, frozen=True):
    """The senders of one function, by the first part of the path, and who takes the rest."""

    by_path: Mapping[str, Sender]
    otherwise: Sender | None

    def at(self, path: str) -> Sender | None:
        """The sender of a request's path; ``None`` if there is none."""
        return self.by_path.get(path.strip("/").partition("/")[0], self.otherwise)

    def all(self) -> list[Sender]:
        """Each sender once."""
        return list(
            {each.name: each for each in (*self.by_path.values(), self.otherwise) if each}.values()
        )


def senders_of(function: str, using: Settings, environment: Mapping[str, str]) -> Senders:
    """The senders of a function as configured; secrets come from the environment.

    The setting with the function's name is the path of its file. Raises ``ConfigurationError``
    with every fault of the file.
    """
    path: Path | None = getattr(using, function, None)
    if path is None:
        return senders_in(function, None, using)
    subject = f"The {function} file {path} cannot be used:"
    return made_of_file(
        path, environment, lambda content: senders_in(function, content, using), subject=subject
    )


def senders_in(function: str, content: object, using: Settings) -> Senders:
    """The senders of a function as the content of its file and the process configure them.

    In production, secrets that are easily guessed and settings for one's own machine are faults
    too. Raises ``ConfigurationError`` with every fault.
    """
    sections = sections_of(function, content, production=using.production)
    made: dict[str, Sender] = {}
    otherwise: Sender | None = None
    for each in _of(function):
        if each.takes_rest:
            others = {name: one for name, one in sections.items() if not name.startswith("/")}
            otherwise = each.adapter_type().from_settings(others, using)
            if each.path:
                made[each.path] = otherwise
        elif (own := sections.get(section_name(each))) is not None:
            made[each.path] = each.adapter_type().from_settings(own, using)
    return Senders(made, otherwise)


# --- its settings file ---------------------------------------------------------------------

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NOT_A_NAME = "a name is small letters, digits, _ and -"


def sections_of(function: str, content: object, *, production: bool) -> dict[str, SenderSettings]:
    """The sections of a file by name; raises ``ConfigurationError`` that names every fault."""
    given = content or {}
    if isinstance(given, dict):
        rest = _rest_of(function)
        known = {section_name(e): e for e in _of(function) if e.settings and e is not rest}
        found = [_Section(name, one, known.get(str(name), rest)) for name, one in given.items()]
        faults = [fault for each in found for fault in each.faults(list(known))]
        faults += [fault for each in found for fault in each.unsafe()] if production else ()
        faults += guessable_secrets(given) if production else ()
    else:
        faults = [SettingFault((), "the file must be a mapping of senders by name")]
    if faults:
        subject = f"These senders of {function} cannot be used:"
        raise ConfigurationError(subject, [told(fault) for fault in faults])
    return {str(each.name): each.settings() for each in found}


class _Section:
    """One section of a file: its name, what it holds, and the sender that it configures."""

    def __init__(self, name: object, given: object, sender: Registration | None) -> None:
        self.name = name
        self._sender = sender
        self._type = sender.settings_type() if sender else SenderSettings
        self._given = self._type.as_meant(given)

    def faults(self, known: list[str]) -> list[SettingFault]:
        """Everything that is wrong with it; ``known`` are the names that a section may have."""
        where = (str(self.name),)
        if self._sender is None:
            return [SettingFault(where, f"is not known; there are {', '.join(known)}")]
        found = self._type.faults(self._given, where)
        if self._sender.takes_rest and not (
            isinstance(self.name, str) and _NAME.fullmatch(self.name)
        ):
            found.append(SettingFault(where, _NOT_A_NAME))
        return found

    def unsafe(self) -> Iterator[SettingFault]:
        """The settings that are faults in production."""
        if isinstance(self._given, dict):
            yield from self._type.unsafe(self._given, (str(self.name),))

    def settings(self) -> SenderSettings:
        """The section as its type; call it only if ``faults`` found none."""
        return configured(self._given, self._type)
