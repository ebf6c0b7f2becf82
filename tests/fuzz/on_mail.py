"""Attacks on the senders of mail tools: events, links that were clicked at once, merge fields."""

import json
from random import Random
from typing import Any
from urllib.parse import quote_plus

from fuzz.long import Text
from fuzz.sent import Sent
from fuzz.shapes import any_wrap, in_json, posted, within

_SENDGRID = {"email": "ada@example.com", "timestamp": 1_772_445_540, "event": "click",
             "category": ["a"], "sg_event_id": "1", "sg_message_id": "m", "url": "https://a.example",
             "useragent": "Mozilla/5.0", "reason": "550 5.1.1", "type": "bounce"}  # fmt: skip
_RESEND = {"type": "email.clicked", "created_at": "2026-03-02T09:59:35.257Z",
           "data": {"email_id": "5", "to": ["ada@example.com"], "subject": "Spring",
                    "click": {"link": "https://a.example", "userAgent": "a"},
                    "bounce": {"message": "a", "type": "Permanent"}}}  # fmt: skip
_CUSTOMERIO = {"event_id": "1", "object_type": "customer", "timestamp": 1_772_445_540,
               "metric": "cio_subscription_preferences_changed",
               "data": {"email_address": "ada@example.com", "content": '{"topics": {"t": false}}',
                        "identifiers": {"id": "1", "cio_id": "2"}}}  # fmt: skip
_ITEMS: dict[bytes, dict[str, Any]] = {
    b"/sendgrid": _SENDGRID,
    b"/resend": _RESEND,
    b"/customerio": _CUSTOMERIO,
}
_KEY = "mailchimp-address-key-41d0"


def told_by_mail_tools(random: Random, text: Text, size: int) -> Sent:
    """Items of a mail tool, each with the text in one of its fields, or in the name of one."""
    target = random.choice(list(_ITEMS))
    count = random.choice((1, 10, 1_000)) if target == b"/sendgrid" else 1
    each = max(8, min(size // count - 300, random.choice((200, 5_000, size))))
    make = any_wrap(random, text)
    items = [_with_text(_ITEMS[target], make, each, random) for _ in range(count)]
    return posted("mail", target, in_json(items if count > 1 else items[0]), "application/json")


def _with_text(item: dict[str, Any], make: Text, size: int, random: Random) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(item))
    inner = changed
    while random.random() < 0.5:
        groups = [value for value in inner.values() if isinstance(value, dict)]
        if not groups:
            break
        inner = random.choice(groups)
    name = within(make, size) if random.random() < 0.1 else random.choice(list(inner))
    inner[name] = 1 if name not in inner else within(make, size)
    return changed


def as_merge_fields(random: Random, text: Text, size: int) -> Sent:
    """A subscriber of Mailchimp with the text in a merge field, or with many of them."""
    said = quote_plus(within(any_wrap(random, text), size // 3).encode("utf-8", "replace"))
    many = random.choice((1, size // 40))
    fields = "&".join(f"data%5Bmerges%5D%5BF{number}%5D=a" for number in range(many))
    body = f"type=subscribe&data%5Bemail%5D=ada%40example.com&{fields}&data%5Bmerges%5D%5BX%5D="
    target = f"/mailchimp?key={_KEY}".encode()
    return posted("mail", target, f"{body}{said}".encode(), "application/x-www-form-urlencoded")
