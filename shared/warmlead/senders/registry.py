"""The registry of senders: who posts to which accepting function, and how each is configured.

A sender's package is imported when the sender is asked for: an accepting function imports only
the senders that it is configured for.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from warmlead.domain.errors import ConfigurationError
from warmlead.senders.base import Sender
from warmlead.settings import SettingFault, Settings, configured, faults_of, told

if TYPE_CHECKING:
    from warmlead.senders.crm import SalesSender


class Registration(NamedTuple):
    """One sender of one accepting function.

    ``name`` is the ``source`` of its events, its package below ``warmlead.senders`` and the folder
    of its fixtures below ``tests/senders``. ``path`` is the first part of its requests' path, and
    its name in the settings file; it is empty for a sender that has many. ``adapter`` and
    ``settings`` are classes in its package; ``settings`` is empty if settings of the process are
    all it has. ``in_sales_file`` says whether it exists only if the sales file names it.
    ``takes_rest`` says whether it answers all paths that belong to no other sender of its function.
    ``posts_to`` is the path at which ``warmlead send`` posts as it does; empty if it cannot.
    """

    name: str
    function: str
    path: str
    adapter: str
    settings: str = ""
    in_sales_file: bool = False
    takes_rest: bool = False
    posts_to: str = ""

    def adapter_type(self) -> Any:  # noqa: ANN401  # the constructors differ
        """The adapter's class; imports the sender's package."""
        return getattr(self._package(), self.adapter)

    def settings_type(self) -> type[Struct]:
        """The class of its settings in a file; imports the sender's package.

        Raises ``LookupError`` if it has none.
        """
        if not self.settings:
            raise LookupError(self.name)
        found: type[Struct] = getattr(self._package(), self.settings)
        return found

    def _package(self) -> object:
        return import_module(f"warmlead.senders.{self.name}")


REGISTRY = (
    Registration(
        "generic",
        "forms",
        "generic",
        "GenericSource",
        "FormSettings",
        takes_rest=True,
        posts_to="/forms/generic",
    ),
    Registration("segment", "track", "", "SegmentSource", takes_rest=True, posts_to="/v1/batch"),
    *(
        Registration(name, "sales", path, adapter, settings, in_sales_file=True)
        for name, path, adapter, settings in (
            ("sales", "generic", "GenericSalesSource", "GenericSalesSettings"),
            ("hubspot", "hubspot", "HubSpotSource", "HubSpotSettings"),
            ("salesforce", "salesforce", "SalesforceSource", "SalesforceSettings"),
            ("pipedrive", "pipedrive", "PipedriveSource", "PipedriveSettings"),
        )
    ),
)
"""Every sender; where two have one path, the first has it at an address that names no function."""

_IN_SALES_FILE: Mapping[str, Registration] = {
    each.path: each for each in REGISTRY if each.in_sales_file
}


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


class Senders(NamedTuple):
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
    """The senders of a function as they are configured; secrets come from the environment.

    Raises ``ConfigurationError`` with every fault of the files.
    """
    made: dict[str, Sender] = {}
    otherwise: Sender | None = None
    registered = [each for each in REGISTRY if each.function == function]
    for each in registered:
        if not each.in_sales_file:
            sender: Sender = each.adapter_type().from_settings(using, environment)
            if each.path:
                made[each.path] = sender
            if each.takes_rest:
                otherwise = sender
    if any(each.in_sales_file for each in registered):
        configured_ones = sales_senders(using, environment)
        made.update((sender.path.strip("/"), sender) for sender in configured_ones)
    return Senders(made, otherwise)


def sales_senders(using: Settings, environment: Mapping[str, str]) -> "list[SalesSender]":
    """The senders in the sales file of the settings; none if there is no file.

    Raises ``ConfigurationError`` with every fault of the file.
    """
    if using.sales is None:
        return []
    return read_sales_file(using.sales, environment, production=using.production)


def read_sales_file(
    path: Path, environment: Mapping[str, str], *, production: bool
) -> "list[SalesSender]":
    """The senders in the file; secrets are looked up in the environment.

    Raises ``ConfigurationError`` if it cannot be read, or with every fault in it.
    """
    from warmlead.senders.configuration import read_configured_file

    read = partial(read_sales, production=production)
    return read_configured_file(path, environment, what="sales file", read=read)


def read_sales(raw: object, *, production: bool = False) -> "list[SalesSender]":
    """The senders of a settings file; raises ``ConfigurationError`` that names every fault.

    In production an unsigned sender, or a secret that is easily guessed, is a fault.
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


def _sender(name: str, given: object) -> "SalesSender":
    entry = _IN_SALES_FILE[name]
    sender: SalesSender = entry.adapter_type()(configured(given, entry.settings_type()))
    return sender


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
    if name not in _IN_SALES_FILE:
        return [SettingFault((name,), f"is not known; there are {', '.join(_IN_SALES_FILE)}")]
    stages = list(_faults_of_stages(name, given))
    others = faults_of(given, _IN_SALES_FILE[name].settings_type(), (name,))
    if stages:  # named one by one, instead of all at once
        others = [fault for fault in others if fault.where[:2] != (name, "stages")]
    return [*others, *stages]


def _faults_of_stages(name: str, given: object) -> Iterator[SettingFault]:
    from warmlead.senders.crm import WORDS

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
    from warmlead.senders.configuration import guessable_secrets

    generic = given.get("generic")
    if isinstance(generic, dict) and generic.get("allow_unsigned"):
        yield SettingFault(("generic", "allow_unsigned"), "is only for one's own machine")
    yield from guessable_secrets(given)
