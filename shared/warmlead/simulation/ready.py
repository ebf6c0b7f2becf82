"""The stories that come with Warmlead, by their names."""

from importlib import resources

from warmlead.domain.errors import ConfigurationError

GOLDEN_MONTH = "golden-month"
"""The default story."""


def ready_stories() -> list[str]:
    """The names of the stories that come with Warmlead."""
    files = (file.name for file in (resources.files("warmlead.model") / "ready/stories").iterdir())
    return sorted(file.removesuffix(".yaml") for file in files if file.endswith(".yaml"))


def ready_story(name: str) -> str:
    """A story as it is written; raises ``ConfigurationError`` if there is none of this name."""
    if name not in ready_stories():
        known = ", ".join(ready_stories())
        raise ConfigurationError.one(f"No story is called {name}:", f"there are {known}")
    file = resources.files("warmlead.model") / "ready/stories" / f"{name}.yaml"
    return file.read_text(encoding="utf-8")
