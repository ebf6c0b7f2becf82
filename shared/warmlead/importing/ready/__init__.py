"""Ready mappings for the exports of common tools."""

from importlib.resources import files

from warmlead.domain.errors import ConfigurationError


def ready_mappings() -> list[str]:
    """The names of the ready mappings."""
    found = files(__name__).iterdir()
    return sorted(each.name.removesuffix(".yaml") for each in found if each.name.endswith(".yaml"))


def ready_mapping(name: str) -> str:
    """The text of a ready mapping; raises ``ConfigurationError`` if there is none."""
    if name not in ready_mappings():
        problem = f"the ready ones are {', '.join(ready_mappings())}"
        raise ConfigurationError.one(f"There is no ready mapping {name}:", problem)
    return (files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")
