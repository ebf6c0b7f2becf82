"""The page of one lead: what it did, why it has its score, what sales promised, and the buttons."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Literal, TypeAlias

from msgspec import Struct

from warmlead.application.explain import ENTER_HOLDS, Explanation, LeadView, explain, view
from warmlead.application.listing import in_list
from warmlead.dashboard.access import Viewer
from warmlead.dashboard.parts import Parts
from warmlead.dashboard.rendering import page, stage_name
from warmlead.dashboard.statements import FormKeys, offered
from warmlead.domain.dispatch import Dispatch
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.lead import Lead
from warmlead.domain.sales import BY, NOTE, Refusal
from warmlead.domain.text import one_line
from warmlead.messages.wording import unseen
from warmlead.web.answers import Answer

MOST_MESSAGES = 50
"""How many messages about a lead its page shows, the latest of those that were read."""

MOST_TRAITS = 60
LONGEST_VALUE = 200
"""How many characters a page shows of a value that somebody wrote."""

Told: TypeAlias = Literal["", "waits", "moved"]
"""What became of a form: it is not applied yet, or not recorded, since the lead has moved."""


class Seen(Struct, frozen=True):
    """A lead, and why it has its score, both of one instant."""

    lead: Lead
    view: LeadView
    why: Explanation


class TimelineEntry(Struct, frozen=True, order=True):
    """One entry of a lead's timeline; ``worth`` is what its signal brings now, all times together.

    ``kind`` is what sort of entry it is: ``did``, ``moved``, ``said`` or ``consent``.
    """

    at: datetime
    kind: str
    title: str
    details: str = ""
    worth: int | None = None
    is_public: bool = False


async def seen_at(parts: Parts, lead_id: str, now: datetime) -> Seen:
    """A lead as of now; raises ``RejectedError`` if there is none at the id."""
    lead = await parts.leads.get(lead_id)
    if lead is None:
        raise RejectedError(Reason.NOT_FOUND, "There is no lead with this id.")
    moves = [move for move in await parts.leads.transitions(lead.id) if move.learnt_at <= now]
    seen = view(lead, parts.rules, now, moves=moves)
    return Seen(lead, seen, explain(lead, parts.rules, now))


async def lead_page(
    parts: Parts,
    lead_id: str,
    viewer: Viewer,
    keys: FormKeys,
    now: datetime,
    *,
    once: str,
    told: Told = "",
    note: str = "",
) -> Answer:
    """The page of a lead; ``once`` makes a form that is sent twice count once.

    ``note`` is what stands in the form.
    """
    seen, messages = await asyncio.gather(seen_at(parts, lead_id, now), _messages(parts, lead_id))
    return page(
        "lead.html",
        status=409 if told == "moved" else 200,
        here="leads",
        lead=seen.view,
        why=seen.why,
        row=in_list(seen.view),
        contributions=sorted(seen.why.contributions, key=_for_people),
        most=max((abs(line.points) for line in seen.why.contributions), default=1),
        keeps="" if seen.why.stage_because == ENTER_HOLDS else seen.why.stage_because,
        timeline=timeline(seen),
        traits=_traits(seen.view),
        automated=unseen(seen.view.automated),
        messages=messages,
        viewer=viewer,
        says=offered(seen.view.stage),
        refusals=list(Refusal),
        key=keys.key(viewer, seen.lead.id, now),
        once=once,
        told=told,
        note=note,
        now=now,
    )


async def _messages(parts: Parts, lead_id: str) -> Sequence[Dispatch]:
    kept = [each async for each in parts.dispatches.of_leads([lead_id])]
    found = [each for each in kept if isinstance(each, Dispatch)]  # health tells of the others
    return list(islice(sorted(found, key=lambda each: each.begun_at, reverse=True), MOST_MESSAGES))


def _for_people(line: object) -> tuple[int, int]:
    """Signals, then limits, then fit; the largest first."""
    kinds = ["base", "signal", "group_limit", "bonus", "inactivity", "fit", "floor"]
    return kinds.index(getattr(line, "kind", "")), -abs(getattr(line, "points", 0))


def timeline(seen: Seen) -> list[TimelineEntry]:
    """What happened with a lead, the latest first."""
    worth = {line.name: line.points for line in seen.why.contributions if line.kind == "signal"}
    told: set[str] = set()
    entries = []
    for step in seen.view.journey:
        shown = worth.get(step.what) if step.what not in told else None
        told.add(step.what)
        details = ", ".join(f"{name} {_short(text)}" for name, text in step.details.items())
        public = step.trust == "public"
        entries.append(TimelineEntry(step.at, "did", one_line(step.title), details, shown, public))
    for move in seen.view.moves:
        title = f"{stage_name(move.from_stage)} → {stage_name(move.to_stage)}"
        entries.append(TimelineEntry(move.at, "moved", title, _short(move.reason)))
    entries += [
        TimelineEntry(said.at, "said", *_said(said.said, said.reason, said.details))
        for said in seen.view.statements
    ]
    for stated in seen.view.consent.statements:
        title = one_line(stated.cause.replace("_", " "))
        entries.append(TimelineEntry(stated.at, "consent", title, _short(stated.source)))
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _said(said: str, reason: str, details: Mapping[str, str]) -> tuple[str, str]:
    """A statement of sales in words, and what it told besides."""
    why = f" ({reason.replace('_', ' ')})" if reason else ""
    by = f" by {_short(details[BY])}" if BY in details else ""
    others = [f"{name} {_short(text)}" for name, text in details.items() if name not in (BY, NOTE)]
    note = [f"“{_short(details[NOTE])}”"] if NOTE in details else []
    return f"Sales: {said}{why}{by}", ", ".join([*others, *note])


def _traits(seen: LeadView) -> list[tuple[str, str]]:
    shown = [
        (name.replace("_", " "), _short("/".join(map(str, v)) if isinstance(v, list) else str(v)))
        for name, v in sorted(seen.traits.items())
    ]
    left = len(shown) - MOST_TRAITS
    return [*shown[:MOST_TRAITS], *([("and", f"{left} more")] if left > 0 else [])]


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= LONGEST_VALUE else f"{line[:LONGEST_VALUE]}…"
