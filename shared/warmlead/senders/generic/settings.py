"""The settings of a form: the meaning of fields, who may post, where to go afterwards."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from warmlead.domain.errors import ConfigurationError
from warmlead.senders.configuration import (
    SignatureSettings,
    guessable_secrets,
    read_configured_file,
)
from warmlead.settings import SettingFault, Settings, configured, faults_of, told
from warmlead.web.answers import is_web_url

EventName = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9_]{0,63}\Z")]

_FORM_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class FormSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One form. Fields are named as the form names them; those not named are recognised.

    ``traits`` says which trait a field is; other fields become properties of the event. A post
    whose ``honeypot`` field is filled is answered like success and forgotten.
    """

    event: EventName = "form_submitted"
    email: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    id: str | None = None
    time: str | None = None
    traits: Mapping[str, EventName] = {}
    ignore: tuple[str, ...] = ()
    honeypot: str | None = "_gotcha"
    redirect: str | None = None
    redirect_fields: tuple[str, ...] = ("_redirect", "_next")
    redirect_hosts: frozenset[str] = frozenset()
    signature: SignatureSettings | None = None
    allow_unsigned: bool = False

    def __post_init__(self) -> None:
        if self.signature is None and not self.allow_unsigned:
            raise ValueError("give a signature, or say allow_unsigned: true")
        if self.redirect is not None and not is_web_url(self.redirect):
            raise ValueError("redirect must be a whole URL, https://…")


def form_settings(using: Settings, environment: Mapping[str, str]) -> Mapping[str, FormSettings]:
    """The forms in the file that the settings name; none if they name no file.

    Raises ``ConfigurationError`` if it cannot be read, or with every fault in it.
    """
    if using.forms is None:
        return {}
    return read_form_file(using.forms, environment, production=using.production)


def read_form_file(
    path: Path, environment: Mapping[str, str], *, production: bool = False
) -> Mapping[str, FormSettings]:
    """The forms in the file, by name; secrets are looked up in the environment.

    Raises ``ConfigurationError`` if it cannot be read, or with every fault in it.
    """
    read = partial(read_forms, production=production)
    return read_configured_file(path, environment, what="form file", read=read)


def read_forms(raw: object, *, production: bool = False) -> Mapping[str, FormSettings]:
    """The forms of a settings file, by name: the last part of the path that they post to.

    Raises ``ConfigurationError`` that names every fault; in production a secret that is easily
    guessed is one.
    """
    forms = raw or {}
    if not isinstance(forms, dict):
        faults = [SettingFault((), "the file must be a mapping of forms by name")]
    else:
        faults = [fault for name, form in forms.items() for fault in _faults_of_form(name, form)]
        faults += guessable_secrets(forms) if production else ()
    if faults:
        raise ConfigurationError("These forms cannot be used:", [told(fault) for fault in faults])
    return configured(forms, dict[str, FormSettings])


def _faults_of_form(name: object, form: object) -> list[SettingFault]:
    found = faults_of(form, FormSettings, (str(name),))
    if not isinstance(name, str) or not _FORM_NAME.fullmatch(name):
        found.append(SettingFault((str(name),), "a form's name is small letters, digits, _ and -"))
    return found
