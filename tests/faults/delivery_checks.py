"""What must be so when messages were handed to tools: read from the tools' book and the store.

The promised times are written down here once more, so that a change of the product's shows.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from faults.receiver import HOOK, LEAST_SCORE, MAIL, PICKY, SECTIONS, UNSURE
from warmlead.domain.dispatch import Dispatch, DispatchState
from warmlead.ports import Message
from warmlead.ports.dispatching import DispatchKey, DispatchStore

PROMISED_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""The pauses that docs/destinations.md promises."""

ATTEMPTS = 10
EARLY_S = 0.01
"""What the clock of a trial goes on while one thing is done."""

Line: TypeAlias = Mapping[str, Any]
Key: TypeAlias = tuple[str, str]
"""A tool, and the id of a message."""


class Handed(NamedTuple):
    """What the checks look at."""

    messages: Sequence[Message]
    lines: Sequence[Line]
    dispatches: DispatchStore
    erased: str


class _Read(NamedTuple):
    """A message as the checks need it, and the tools that want it."""

    id: str
    lead_id: str
    body: bytes
    wanted_by: Sequence[str]


async def violations(handed: Handed, *, kills: int) -> list[str]:
    """Every promise that was broken, in words."""
    messages = [_read(each) for each in handed.messages]
    found = [
        *_at_most_once(handed.lines),
        *_unchanged(messages, handed.lines),
        *_on_time(handed.lines),
        *_at_rest(handed.lines),
        *_erased(messages, handed),
        *(f"I9: {x['tool']} failed: {x['error']}" for x in handed.lines if x["what"] == "bug"),
    ]
    return found + [each async for each in _everywhere(messages, handed, kills=kills)]


def _read(message: Message) -> _Read:
    """Who wants it is worked out from the sections of the file by hand, not by the product."""
    event = json.loads(message.body)
    kind, data = event["type"], event["data"]
    wanted_by = [] if "kpi" in kind else [HOOK]
    if "offered" in kind and data["score"] >= LEAST_SCORE:
        wanted_by.append(PICKY)
    if "step_due" in kind:
        wanted_by.append(MAIL)
    return _Read(event["id"], event["subject"], message.body, wanted_by)


def _by_key(lines: Sequence[Line]) -> Mapping[Key, Sequence[Line]]:
    found: dict[Key, list[Line]] = defaultdict(list)
    for line in lines:
        if "id" in line:
            found[line["tool"], line["id"]].append(line)
    return found


def _at_most_once(lines: Sequence[Line]) -> Iterator[str]:
    """I9: a tool that knows no repeats acts once."""
    for (tool, id_), each in _by_key(lines).items():
        acted = sum(line["what"] == "acted" for line in each)
        if tool == MAIL and acted > 1:
            yield f"I9: {tool} acted {acted} times on {id_}"


def _unchanged(messages: Sequence[_Read], lines: Sequence[Line]) -> Iterator[str]:
    """I9: under one id a tool sees one body; a webhook gets what was published."""
    bodies = {each.id: hashlib.sha256(each.body).hexdigest() for each in messages}
    for (tool, id_), each in _by_key(lines).items():
        seen = {line["body"] for line in each if line["what"] == "asked"}
        if len(seen) > 1:
            yield f"I9: {tool} saw {len(seen)} bodies of {id_}"
        if tool != MAIL and seen - {bodies.get(id_)}:
            yield f"I9: {tool} saw another body of {id_} than was published"


# --- the schedule ------------------------------------------------------------------------------


class _Attempt:
    """What the book says of one attempt."""

    def __init__(self) -> None:
        self.until = 0.0
        """Until when its claim keeps others away."""
        self.asked_at: float | None = None
        self.next_at: float | None = None
        """When the next may come, by what the tool answered."""
        self.is_kept = False

    @property
    def next_from(self) -> float:
        """When the next may come at the earliest; an end that was not kept may have been."""
        if self.next_at is None:
            return self.until
        return self.next_at if self.is_kept else min(self.until, self.next_at)


def _on_time(lines: Sequence[Line]) -> Iterator[str]:
    """I9: no attempt comes earlier than the schedule, and what the tool asked for, say."""
    for (tool, id_), each in _by_key(lines).items():
        asked = [one for one in _attempts(each) if one.asked_at is not None]
        for one, next_one in pairwise(asked):
            if (early_s := one.next_from - (next_one.asked_at or 0)) > EARLY_S:
                yield f"I9: {tool} was asked for {id_} {early_s:.1f} s too early"
        if len(asked) > 2 * ATTEMPTS:
            yield f"I9: {tool} was asked {len(asked)} times for {id_}"


def _attempts(lines: Sequence[Line]) -> Sequence[_Attempt]:
    """The attempts in the order in which they were claimed; of one revived, the later ones."""
    found: dict[str, _Attempt] = {}
    asked = 0
    for line in lines:
        one = found.get(line.get("attempt", ""))
        match line["what"]:
            case "revived":
                found.clear()
                asked = 0
            case "claimed" if line["state"] == "sending":
                found.setdefault(line["attempt"], _Attempt()).until = line["until"]
            case "asked" if one:
                asked += 1
                one.asked_at = line["at"]
            case "answered" if one:
                promised = PROMISED_S[min(asked, ATTEMPTS - 1) - 1]
                one.next_at = line["at"] + max(promised, line["after_s"] or 0)
            case "ended" if one:
                one.is_kept = line["state"] == "waiting"
    return list(found.values())


def _at_rest(lines: Sequence[Line]) -> Iterator[str]:
    """I9: nothing is attempted while a destination rests, once that is written down."""
    until: dict[str, float] = {}
    told: dict[str, float] = {}
    for line in lines:
        match line["what"]:
            case "rests":
                told[line["tool"]] = max(told.get(line["tool"], 0), line["until"])
            case "group" | "life":
                until = dict(told)
            case "enabled":
                until.pop(line["tool"], None)
                told.pop(line["tool"], None)
            case "asked" if line["at"] < until.get(line["tool"], 0):
                early_s = until[line["tool"]] - line["at"]
                yield f"I9: {line['tool']} was asked {early_s:.1f} s before its rest was over"


# --- persons, and the end ----------------------------------------------------------------------


def _erased(messages: Sequence[_Read], handed: Handed) -> Iterator[str]:
    """I9: of a person who was erased nothing is sent, and nothing is kept."""
    about = {each.id for each in messages if each.lead_id == handed.erased}
    done, is_erased = False, False
    for line in handed.lines:
        match line["what"]:
            case "erased":
                done = True
            case "group" | "life":
                is_erased = done
            case "asked" if is_erased and line["id"] in about:
                yield f"I9: {line['tool']} was asked for {line['id']} after the person was erased"
            case "remains":
                yield f"I9: {line['id']} of the person who was erased is kept for {line['tool']}"


async def _everywhere(
    messages: Sequence[_Read], handed: Handed, *, kills: int
) -> AsyncIterator[str]:
    """I9: each message is with each tool that wants it, or given up with a reason."""
    by_key = _by_key(handed.lines)
    for message in messages:
        for tool in SECTIONS:
            key = DispatchKey(tool, message.id)
            dispatch = await handed.dispatches.change(key, lambda known: known)
            lines = by_key.get((tool, message.id), ())
            stood_still = _stood_still(handed.lines, tool, message.id)
            if tool not in message.wanted_by:
                if dispatch or lines:
                    yield f"I9: {tool} does not want {message.id}"
            elif message.lead_id == handed.erased:
                if dispatch and dispatch.body:
                    yield f"I9: {tool}'s {message.id} of the person who was erased is kept"
            elif problem := _problem(message, dispatch, lines, in_doubt=kills > 0 or stood_still):
                yield f"I9: {tool}'s {message.id} {problem}"
    for tool in SECTIONS:
        counts = await handed.dispatches.counts(tool)
        waiting = sum(number for state, number in counts.items() if state.is_open)
        if waiting:
            yield f"I9: {waiting} still wait for {tool}"


def _stood_still(lines: Sequence[Line], tool: str, id_: str) -> bool:
    """Whether a process stood still between the first and the last claim of a dispatch."""
    claims = [
        number
        for number, line in enumerate(lines)
        if line["what"] == "claimed" and (line["tool"], line["id"]) == (tool, id_)
    ]
    between = lines[claims[0] : claims[-1]] if claims else ()
    return any(line.get("way") == "freezes" for line in between)


def _problem(
    message: _Read, dispatch: Dispatch | None, lines: Sequence[Line], *, in_doubt: bool
) -> str:
    """What is wrong with how a dispatch has ended; empty if nothing is.

    ``in_doubt``: a process may have ended or stood still during an attempt.
    """
    has_acted = any(line["what"] == "acted" for line in lines)
    if dispatch is None:
        return "was forgotten"
    match dispatch.state:
        case DispatchState.SENT:
            return "" if has_acted else "is called sent, and the tool has not acted"
        case DispatchState.DEAD:
            if not dispatch.why or dispatch.body != message.body:
                return "was given up without its reason or its body"
            unsure = any(x["what"] == "unkept" or x.get("way") in UNSURE for x in lines)
            if "may have succeeded" in dispatch.why and (unsure or in_doubt):
                return ""
            return f"was given up without need: {dispatch.why}"
        case _:
            return f"is {dispatch.state}"
