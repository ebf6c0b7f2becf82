"""The compiled model: a plan as JSON, written once and read at every cold start.

A deployed function scores with it, so that it need not read YAML and check it again. It is
made from the model file and never written by hand.
"""

import re
from typing import TYPE_CHECKING

from msgspec import DecodeError, Struct, json

from warmlead.domain.errors import ConfigurationError
from warmlead.model.plan import Plan

if TYPE_CHECKING:
    from warmlead.model.loading import Model

_KIND = "warmlead-compiled-model"

FORMAT = f"{_KIND}/3"
"""What the file says that it is. The number grows whenever a plan's fields or meaning change."""

_BEGINNING = re.compile(rf'\s*\{{\s*"format"\s*:\s*"{_KIND}/'.encode())


class _Head(Struct):
    format: str


class _Compiled(Struct, forbid_unknown_fields=True):
    format: str
    plan: Plan


def write_compiled(model: "Model") -> str:
    """The model as JSON; the same text for the same model, whichever process writes it."""
    return json.encode(_Compiled(FORMAT, model.plan), order="deterministic").decode() + "\n"


def is_compiled(written: bytes) -> bool:
    """Whether a file says that it is a compiled model, of whatever format, damaged or not."""
    return _BEGINNING.match(written) is not None


def read_compiled(written: bytes, *, name: str) -> Plan:
    """The plan in a compiled model; ``name`` is where it came from, for people.

    Raises ``ConfigurationError`` if it is damaged, or was written for another release.
    """
    remedy = "compile the model file again with this release"
    try:
        found = json.decode(written, type=_Head).format
        if found == FORMAT:
            return json.decode(written, type=_Compiled).plan
        problem = f"it has the format {found!r}, and this release reads {FORMAT!r}: {remedy}"
    except DecodeError as error:
        problem = f"it is damaged ({error}): {remedy}"
    except UnicodeDecodeError:
        problem = f"it is damaged (it is not in UTF-8): {remedy}"
    raise ConfigurationError.one(f"The compiled model {name} cannot be used:", problem)
