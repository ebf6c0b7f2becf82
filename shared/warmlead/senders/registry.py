"""The senders of each accepting function, and the files in which people configure them."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from warmlead.domain.errors import ConfigurationError
from warmlead.senders.configuration import guessable_secrets, read_configured_file
from warmlead.senders.crm import WORDS, SalesSender
from warmlead.senders.generic.settings import FormSettings, read_forms
from warmlead.senders.hubspot import HubSpotSettings, HubSpotSource
from warmlead.senders.pipedrive import PipedriveSettings, PipedriveSource
from warmlead.senders.sales import GenericSalesSettings, GenericSalesSource
from warmlead.senders.salesforce import SalesforceSettings, SalesforceSource
from warmlead.settings import SettingFault, configured, faults_of, told


def read_form_file(
    path: Path, environment: Mapping[str, str], *, production: bool = False
) -> Mapping[str, FormSettings]:
    """The forms in the file, by name; secrets are looked up in the environment.

    Raises ``ConfigurationError`` if it cannot be read, or with every fault in it.
    """
    read = partial(read_forms, production=production)
    return read_configured_file(path, environment, what="form file", read=read)


SENDERS: Mapping[str, tuple[type[Struct], type[SalesSender]]] = MappingProxyType(
    {
        "generic": (GenericSalesSettings, GenericSalesSource),
        "hubspot": (HubSpotSettings, HubSpotSource),
        "salesforce": (SalesforceSettings, SalesforceSource),
        "pipedrive": (PipedriveSettings, PipedriveSource),
    }
)
"""What can be configured, by the last part of the path."""


def read_sales_file(
    path: Path, environment: Mapping[str, str], *, production: bool
) -> list[SalesSender]:
    """The senders in the file; secrets are looked up in the environment.

    Raises ``ConfigurationError`` if it cannot be read, or with every fault in it.
    """
    read = partial(read_sales, production=production)
    return read_configured_file(path, environment, what="sales file", read=read)


def read_sales(raw: object, *, production: bool = False) -> list[SalesSender]:
    """The senders of a settings file; raises ``ConfigurationError`` that names every fault.

    In production a post that is believed unsigned, or a secret that is easily guessed, is one.
    """
    given = _with_texts(raw or {})
    if isinstance(given, dict):
        faults = [fault for name, one in given.items() for fault in _faults_of(name, one)]
        faults += _unsafe(given) if production else ()
    else:
        faults = [SettingFault((), "the file must be a mapping of senders by name")]
    if faults:
        subject = "These senders of sales cannot be used:"
        raise ConfigurationError(subject, [told(fault) for fault in faults])
    return [_sender(name, one) for name, one in given.items()]


def _sender(name: str, given: object) -> SalesSender:
    settings, sender = SENDERS[name]
    return sender(configured(given, settings))  # type: ignore[call-arg]  # each takes its own


def _with_texts(raw: object) -> Any:  # noqa: ANN401  # whatever a file holds
    """The file with the values of its stages as texts: YAML makes numbers of 3, truth of yes."""
    if not isinstance(raw, dict):
        return raw
    return {str(name): _one_with_texts(one) for name, one in raw.items()}


def _one_with_texts(given: object) -> object:
    if not isinstance(given, dict) or not isinstance(given.get("stages"), dict):
        return given
    stages = {
        str(name): {_text(value): word for value, word in said.items()}
        if isinstance(said, dict)
        else said
        for name, said in given["stages"].items()
    }
    return {**given, "stages": stages}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _faults_of(name: str, given: object) -> list[SettingFault]:
    if name not in SENDERS:
        return [SettingFault((name,), f"is not known; there are {', '.join(SENDERS)}")]
    stages = list(_faults_of_stages(name, given))
    others = faults_of(given, SENDERS[name][0], (name,))
    if stages:  # named one by one, instead of all at once
        others = [fault for fault in others if fault.where[:2] != (name, "stages")]
    return [*others, *stages]


def _faults_of_stages(name: str, given: object) -> Iterator[SettingFault]:
    stages = given.get("stages") if isinstance(given, dict) else None
    for property_, said in (stages if isinstance(stages, dict) else {}).items():
        where = (name, "stages", property_)
        if not isinstance(said, dict):
            yield SettingFault(where, "must be a mapping of the property's values to what they say")
            continue
        for value, word in said.items():
            if word not in WORDS:
                yield SettingFault((*where, value), f"must be one of {', '.join(WORDS)}")


def _unsafe(given: Mapping[str, Any]) -> Iterator[SettingFault]:
    generic = given.get("generic")
    if isinstance(generic, dict) and generic.get("allow_unsigned"):
        yield SettingFault(("generic", "allow_unsigned"), "is only for one's own machine")
    yield from guessable_secrets(given)
