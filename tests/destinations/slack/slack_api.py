"""Slack, as it describes incoming webhooks and chat.postMessage: what it holds of a channel."""

import json
from typing import Any

from destinations.vendors import Answered, Asked, Vendor

TOKEN = "xoxb-of-the-tests-4711"
CHANNEL = "C024BE91L"
HOOK = "/services/T00000001/B00000001/ofTheTests4711"

_MOST = {"header": 150, "section": 3_000, "field": 2_000, "button": 75, "value": 2_000}


class Slack(Vendor):
    """A workspace with one channel: https://docs.slack.dev/reference/block-kit for its limits."""

    def __init__(self) -> None:
        super().__init__()
        self.token = TOKEN
        self.is_member = True
        self.is_archived = False
        self.channel: list[dict[str, Any]] = []

    def api(self, asked: Asked) -> Answered:
        posted = json.loads(asked.body)
        if asked.path == HOOK:
            if self.is_archived:
                return Answered(410, b"channel_is_archived", {"Content-Type": "text/html"})
            if fault_of(posted):
                return Answered(400, b"invalid_blocks", {"Content-Type": "text/html"})
            self.channel.append(posted)
            return Answered(200, b"ok", {"Content-Type": "text/html"})
        if asked.path.startswith("/services/"):
            return Answered(404, b"no_service", {"Content-Type": "text/html"})
        error = self._error(asked, posted)
        if error:
            return Answered(200, json.dumps({"ok": False, "error": error}).encode())
        self.channel.append(posted)
        answer = {"ok": True, "channel": posted["channel"], "ts": f"17.{len(self.channel):06}"}
        return Answered(200, json.dumps(answer).encode())

    def _error(self, asked: Asked, posted: dict[str, Any]) -> str:
        if asked.path != "/chat.postMessage":
            return "unknown_method"
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return "invalid_auth"
        if posted.get("channel") != CHANNEL:
            return "channel_not_found"
        if not self.is_member:
            return "not_in_channel"
        if self.is_archived:
            return "is_archived"
        return "invalid_blocks" if fault_of(posted) else ""


def fault_of(posted: dict[str, Any]) -> str:
    """Which of Slack's limits a message exceeds; empty if none."""
    if not posted.get("text") or len(posted["text"]) > 4_000:
        return "text"
    if not 0 < len(posted["blocks"]) <= 50:
        return "blocks"
    return next(filter(None, map(_fault_of_block, posted["blocks"])), "")


def _fault_of_block(block: dict[str, Any]) -> str:
    match block["type"]:
        case "header":
            return _too_long(block["text"], "header", "plain_text")
        case "section" if "fields" in block:
            if not 0 < len(block["fields"]) <= 10:
                return "fields"
            return next(
                filter(None, (_too_long(one, "field", "mrkdwn") for one in block["fields"])), ""
            )
        case "section":
            return _too_long(block["text"], "section", "mrkdwn")
        case "actions":
            (button,) = block["elements"]
            is_long = not 0 < len(button["value"]) <= _MOST["value"]
            return "value" if is_long else _too_long(button["text"], "button", "plain_text")
    return "type"


def _too_long(text: dict[str, Any], what: str, type_: str) -> str:
    is_good = text["type"] == type_ and 0 < len(text["text"]) <= _MOST[what]
    return "" if is_good else what
