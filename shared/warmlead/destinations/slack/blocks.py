"""What sales reads in Slack: a message of ours as Block Kit.

Texts of a lead are never markup: ``&``, ``<`` and ``>`` are escaped, and ``verbatim`` keeps Slack
from making mentions and links of them (https://docs.slack.dev/messaging/formatting-message-text).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from warmlead.destinations.links import link_to
from warmlead.destinations.selection import short_kind
from warmlead.domain.text import one_line
from warmlead.parsing.buttons import TOUCHED, Button, button_text
from warmlead.ports.dispatching import OutgoingMessage

Block: TypeAlias = dict[str, Any]

MAX_TEXT = 3_000
MAX_HEADER = 150
MAX_FIELD = 2_000
"""Characters that Slack allows for a text, a header, and a field of a section."""

MAX_SHOWN = 120
"""Characters of one text of a lead."""

MAX_LINE = 200
MOST_REASONS = 3
MOST_STEPS = 5

_BEGINNINGS = {
    "handoff.offered": "New lead for sales",
    "handoff.reminder": "Nobody has spoken to this lead yet",
    "lead.stage_entered": "A lead has moved",
    "lead.updated": "A lead has changed",
    "model.drifted": "The model drifts",
    "nurture.step_due": "A nurture step is due",
}
_BREACHED = {
    "first_touch": "Not contacted in time",
    "acceptance": "Not answered in time",
}


def escaped(text: str, most: int = MAX_SHOWN) -> str:
    """A text on one line, cut to ``most`` characters, without any markup."""
    line = one_line(text).strip()
    cut = f"{line[: most - 1]}…" if len(line) > most else line
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def moment(value: object) -> str:
    """A time in the reader's zone, which Slack writes; empty if it is none."""
    at = _time(value)
    if at is None:
        return ""
    otherwise = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{otherwise}>"


def posted(
    message: OutgoingMessage,
    *,
    link: str = "",
    button: bool = False,
    owners: Mapping[str, str] | None = None,
) -> Block:
    """The message as Slack takes it: a text for notifications, and blocks.

    ``link`` is a template, ``owners`` are ids of Slack by owner.
    """
    data = message.data
    if not message.lead_id:
        return _of_model(message)
    lead = data.get("lead") or {}
    who = _who(lead)
    beginning = _beginning(message)
    title = f"{beginning}: {who}"
    blocks: list[Block] = [_header(title)]
    if facts := _facts(data, lead, owners or {}):
        blocks.append({"type": "section", "fields": [_mrkdwn(fact, MAX_FIELD) for fact in facts]})
    blocks += _listed("What it did", _acts(data))
    blocks += _listed("Why", _reasons(data))
    blocks += _listed("Last steps", _steps(lead))
    if address := link_to(link, lead):
        blocks.append(_section(f"<{address.replace('&', '&amp;')}|Open the lead>"))
    if button and (value := button_text(_button(message, lead))):
        blocks.append(_actions(value))
    return _quiet(f"{title} · score {_number(data.get('score'))}", blocks)


def _of_model(message: OutgoingMessage) -> Block:
    """What is said of the model itself: that it drifts."""
    data = message.data
    month, version = _text(data.get("month")), _text(data.get("model_version"))
    title = f"{_beginning(message)}: {month}"
    reasons = (escaped(_text(reason), MAX_TEXT // 5) for reason in data.get("reasons") or ())
    about = f"Model {escaped(version)}, compared with: {escaped(_text(data.get('reference')))}"
    return _quiet(title, [_header(title), *_listed("Why", reasons), _section(about)])


def _quiet(text: str, blocks: Sequence[Block]) -> Block:
    """A message of these blocks, with the text of its notification."""
    return {
        "text": escaped(text, MAX_TEXT // 5),
        "blocks": [*blocks],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _beginning(message: OutgoingMessage) -> str:
    kind = short_kind(message.kind)
    if kind == "handoff.breached":
        return _BREACHED.get(_text(message.data.get("promise")), "Not done in time")
    if kind == "lead.alerted":
        return one_line(_text(message.data.get("title"))) or "A lead did something"
    return _BEGINNINGS.get(kind, kind)


def _who(lead: Mapping[str, Any]) -> str:
    """The name and company; the address or the id of somebody without a name."""
    traits = lead.get("traits") or {}
    parts = (_text(traits.get("first_name")), _text(traits.get("last_name")))
    name = _text(traits.get("name")) or " ".join(filter(None, parts))
    known = name or _text(lead.get("email")) or f"lead {_text(lead.get('id'))[:8]}"
    company = _text(traits.get("company"))
    return ", ".join(one_line(part)[:60] for part in (known, company) if part)


def _facts(
    data: Mapping[str, Any], lead: Mapping[str, Any], owners: Mapping[str, str]
) -> list[str]:
    """Labelled facts, at most ten: as many as a section of Slack may have."""
    traits = lead.get("traits") or {}
    grade, owner = _text(data.get("grade")), _text(data.get("owner"))
    score = _number(data.get("score")) + (f", grade {escaped(grade)}" if grade else "")
    shown = {
        "Score": score,
        "Stage": escaped(_text(data.get("stage"))),
        "Title": escaped(_text(traits.get("title"))),
        "Email": escaped(_text(lead.get("email"))),
        "Phone": escaped(_text(traits.get("phone"))),
        "Owner": f"<@{owners[owner]}>" if owner in owners else escaped(owner) or "nobody",
        "Contact by": moment(data.get("touch_by")),
        "Answer by": moment(data.get("accept_by")),
    }
    if "owner" not in data:
        del shown["Owner"]
    return [f"*{name}*\n{value}" for name, value in shown.items() if value]


def _acts(data: Mapping[str, Any]) -> Iterator[str]:
    for act in _groups(data.get("acts")):
        times = act.get("times")
        often = f", {times} times" if isinstance(times, int) and times > 1 else ""
        yield f"{moment(act.get('at'))} {escaped(_text(act.get('title')))}{often}".strip()


def _reasons(data: Mapping[str, Any]) -> Iterator[str]:
    """The weightiest: those that changed the score most, in the order of the message."""
    given = [_text(reason) for reason in data.get("reasons") or () if _text(reason)]
    weightiest = sorted(given, key=_weight, reverse=True)[:MOST_REASONS]
    return (escaped(reason, MAX_LINE) for reason in given if reason in weightiest)


def _weight(reason: str) -> float:
    """The points with which a reason begins, without their sign; 0 if there are none."""
    points = reason.partition(" ")[0].lstrip("+-−")
    try:
        return float(points) if points.isascii() else 0.0
    except ValueError:
        return 0.0


def _steps(lead: Mapping[str, Any]) -> Iterator[str]:
    for step in _groups(lead.get("journey"))[:MOST_STEPS]:
        details = step.get("details")
        values = details.values() if isinstance(details, Mapping) else ()
        shown = ", ".join(map(_text, values))
        told = f" ({escaped(shown)})" if shown else ""
        yield f"{moment(step.get('at'))} {escaped(_text(step.get('title')))}{told}".strip()


def _button(message: OutgoingMessage, lead: Mapping[str, Any]) -> Button:
    offer = message.data.get("offer")
    user_id = _text(lead.get("user_id"))
    return Button(
        message=message.id,
        lead=message.lead_id,
        offer=offer if isinstance(offer, int) else 0,
        user_id=user_id,
        email="" if user_id else _text(lead.get("email")),
    )


# --- Block Kit (https://docs.slack.dev/reference/block-kit) -------------------------------


def _header(text: str) -> Block:
    line = one_line(text)
    cut = f"{line[: MAX_HEADER - 1]}…" if len(line) > MAX_HEADER else line
    return {"type": "header", "text": {"type": "plain_text", "text": cut, "emoji": False}}


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text, MAX_TEXT)}


def _mrkdwn(text: str, most: int) -> Block:
    if len(text) > most:
        raise ValueError("a text of a block is too long")
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _listed(title: str, lines: Iterable[str]) -> list[Block]:
    """A section with a title and as many of the lines as it has room for; none without a line."""
    text = f"*{title}*"
    for line in lines:
        if len(text) + len(line) + len("\n• ") > MAX_TEXT:
            break
        text += f"\n• {line}"
    return [_section(text)] if "\n" in text else []


def _actions(value: str) -> Block:
    return {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": TOUCHED,
                "text": _plain("I have contacted the lead"),
                "style": "primary",
                "value": value,
                "confirm": {
                    "title": _plain("Contacted?"),
                    "text": _plain("Warmlead will note that sales has contacted this lead."),
                    "confirm": _plain("Yes"),
                    "deny": _plain("Not yet"),
                },
            }
        ],
    }


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


# --- values of a message -------------------------------------------------------------------


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> str:
    return str(value) if isinstance(value, int) else "not known"


def _groups(value: object) -> Sequence[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _time(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
