"""The file of form mappings."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from warmlead.sources.configured_file import read_configured_file
from warmlead.sources.generic.settings import FormSettings, read_forms


def read_form_file(
    path: Path, environment: Mapping[str, str], *, production: bool = False
) -> Mapping[str, FormSettings]:
    """The forms in the file, by name; secrets are looked up in the environment.

    Raises ``ConfigurationError`` if it cannot be read, or with every fault in it.
    """
    read = partial(read_forms, production=production)
    return read_configured_file(path, environment, what="form file", read=read)
