"""Collects findings with their places, and leaves out what is only about a stand-in."""

from collections.abc import Sequence

from warmlead.model.findings import Finding, Severity
from warmlead.model.positions import Path, YamlDocument
from warmlead.model.structure import Sound, path_text


class Report:
    """The findings so far. ``path`` names a value of the file; ``at`` a character of its text."""

    def __init__(self, document: YamlDocument, sound: Sound) -> None:
        self._document = document
        self._sound = sound
        self._findings: list[Finding] = []

    @property
    def findings(self) -> Sequence[Finding]:
        """What was found, in the order of finding."""
        return self._findings

    def error(
        self,
        path: Path,
        message: str,
        suggestion: str = "",
        *,
        at: int | None = None,
        key: bool = False,
    ) -> None:
        """A fault: at the value, at a character within it, or at its key."""
        self._add(Severity.ERROR, path, message, suggestion, at, key=key)

    def warn(
        self,
        path: Path,
        message: str,
        suggestion: str = "",
        *,
        at: int | None = None,
        key: bool = False,
    ) -> None:
        """A doubt: at the value, at a character within it, or at its key."""
        self._add(Severity.WARNING, path, message, suggestion, at, key=key)

    def _add(
        self,
        severity: Severity,
        path: Path,
        message: str,
        suggestion: str,
        at: int | None,
        *,
        key: bool,
    ) -> None:
        if not self._sound.is_own(path):
            return
        path = self._document.written(path)
        if key:
            place = self._document.of_key(path)
        elif at is None:
            place = self._document.of_value(path)
        else:
            place = self._document.inside(path, at)
        text = path_text(path)
        self._findings.append(
            Finding(severity, place.line, place.column, text, message, suggestion)
        )
