"""Which messages a destination wants: by their kind, and by a condition over what they say."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from warmlead.messages.contract import ABOUT_LEADS, MESSAGES
from warmlead.ports.dispatching import OutgoingMessage
from warmlead.settings import SettingFault

_TEXTS = (
    *("kind", "stage", "from_stage", "grade", "owner", "reason", "email"),
    *("sequence", "message", "alert", "promise"),
)
_NUMBERS = ("score", "engagement", "fit", "cycle", "offer", "run", "step", "count")

_NAMES = (*_TEXTS, *_NUMBERS, "traits", "consent", "changed")

_UNKNOWN = re.compile(r"undeclared reference to '(?P<name>[^'\n]{1,80})'")
_FAULT = re.compile(r"ERROR: <input>:\d+:\d+: (?P<what>[^\n]{1,200})")


def short_kind(kind: str) -> str:
    """A kind as files name it: ``lead.alerted`` for ``warmlead.lead.alerted.v1``."""
    return kind.removeprefix("warmlead.").rpartition(".")[0]


_KINDS: Mapping[str, str] = {
    **{kind: kind for kind in MESSAGES},
    **{short_kind(kind): kind for kind in MESSAGES},
}


def kinds_of(names: Iterable[str]) -> tuple[str, ...]:
    """The kinds of messages that names stand for; of no name, all about leads.

    Raises ``KeyError`` for a name that is none.
    """
    chosen = tuple(_KINDS[name] for name in names)
    return chosen or ABOUT_LEADS


def kind_faults(given: Mapping[str, Any], where: tuple[str, ...]) -> list[SettingFault]:
    """What is wrong with the kinds and the condition of a section."""
    faults = []
    for name in given.get("messages", ()):
        if name not in _KINDS:
            near = get_close_matches(str(name), _KINDS, 1, 0.5)
            meant = f"; did you mean {short_kind(_KINDS[near[0]])}?" if near else ""
            known = ", ".join(map(short_kind, MESSAGES))
            problem = f"{str(name)[:80]} is no message; there are {known}{meant}"
            faults.append(SettingFault((*where, "messages"), problem))
    if problem := condition_problem(str(given.get("when") or "")):
        faults.append(SettingFault((*where, "when"), problem))
    return faults


def condition_problem(text: str) -> str:
    """What is wrong with a condition; empty if nothing is."""
    if not text:
        return ""
    try:
        expression = _environment().compile(text)
    except Exception as error:  # noqa: BLE001  # cel raises its own and RuntimeError
        return f"is not a condition: {_in_words(str(error))}; it may name {', '.join(_NAMES)}"
    kind = str(expression.return_type())
    return "" if kind in ("BOOL", "DYN") else "must be true or false"


def _in_words(problem: str) -> str:
    """The first fault that CEL names, with the name that was probably meant."""
    if found := _UNKNOWN.search(problem):
        near = get_close_matches(found["name"], _NAMES, 1)
        meant = f"; did you mean {near[0]}?" if near else ""
        return f"{found['name']} is not known{meant}"
    if "Syntax error" in problem:
        return 'write it as score >= 60 && stage == "mql", with &&, || and =='
    found = _FAULT.search(problem)
    return found["what"] if found else "it cannot be understood"


class Selection:
    """The messages of some kinds for which a condition holds; no condition: all of them."""

    def __init__(self, kinds: Iterable[str], when: str) -> None:
        self.kinds = frozenset(kinds)
        self._expression = _environment().compile(when) if when else None

    def selects(self, message: OutgoingMessage) -> bool:
        """Whether a message is one of them; what it does not say makes a condition false."""
        if message.kind not in self.kinds:
            return False
        if self._expression is None:
            return True
        try:
            return self._expression.eval(data=facts_of(message)).value() is True
        except (RuntimeError, TypeError, ValueError):  # a value that CEL cannot hold
            return False


def facts_of(message: OutgoingMessage) -> dict[str, Any]:
    """What a condition may name, as a message says it; what it does not say is left out."""
    data = message.data
    lead = data.get("lead") or {}
    facts: dict[str, Any] = {"kind": short_kind(message.kind)}
    named = {**data, "email": lead.get("email")}
    facts |= {name: named[name] for name in _TEXTS if isinstance(named.get(name), str)}
    facts |= {name: named[name] for name in _NUMBERS if isinstance(named.get(name), int)}
    facts["traits"] = lead.get("traits") or {}
    facts["consent"] = lead.get("consent") or {}
    facts["changed"] = data.get("changed") or []
    return facts


@cache
def _environment() -> Any:  # noqa: ANN401  # the package has no types
    from cel_expr_python import cel  # noqa: PLC0415  # only destinations with a condition need it

    of_texts = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    return cel.NewEnv(
        variables={
            **dict.fromkeys(_TEXTS, cel.Type.STRING),
            **dict.fromkeys(_NUMBERS, cel.Type.INT),
            "traits": of_texts,
            "consent": of_texts,
            "changed": cel.Type.List(cel.Type.STRING),
        }
    )
