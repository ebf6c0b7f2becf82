"""Links to a lead's page in another tool, made of a template."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from warmlead.web.outbound import MAX_URL, url_problem

_FIELD = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"(?:id|email|user_id|(?:crm_ids|traits)\.[a-z0-9_]{1,64})")


def link_problem(template: str, *, allow_local: bool) -> str:
    """What is wrong with a template; empty if nothing is, or if there is none."""
    if not template:
        return ""
    for name in _FIELD.findall(template):
        if not _NAME.fullmatch(name):
            known = "id, email, user_id, crm_ids.<crm> and traits.<name>"
            return f"{{{name[:80]}}} is no field of a lead; there are {known}"
    bare = _FIELD.sub("x", template)
    if "{" in bare or "}" in bare:
        return "has a brace without its partner"
    if any(sign in bare for sign in "<>|\"'"):
        return "must be a URL, such as https://crm.example.com/contacts/{crm_ids.hubspot}"
    start, *rest = _FIELD.split(template)
    if rest and start.count("/") < len("///"):
        return "must begin with a host that no field is a part of"
    return url_problem(bare, allow_local=allow_local)


def link_to(template: str, lead: Mapping[str, Any]) -> str:
    """The link to a lead; empty without a template, and where the lead lacks a field of it."""
    fields = {name: _value(name, lead) for name in _FIELD.findall(template)}
    if not template or not all(fields.values()):
        return ""
    link = _FIELD.sub(lambda found: quote(fields[found[1]], safe=""), template)
    return link if len(link) <= MAX_URL else ""


def _value(name: str, lead: Mapping[str, Any]) -> str:
    group, _, inner = name.partition(".")
    found = (lead.get(group) or {}).get(inner) if inner else lead.get(group)
    return (
        str(found) if isinstance(found, str | int | float) and found not in ("", ".", "..") else ""
    )
