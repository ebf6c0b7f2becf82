"""A statement as it is posted to us, in our own words."""

from typing import Any

from msgspec import Struct


class Posted(Struct, frozen=True, forbid_unknown_fields=True):
    """One statement: who, what, and since when. What a field may hold is checked one by one."""

    said: Any = None
    email: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    reason: Any = None
    value: Any = None
    currency: Any = None
    occurred_at: Any = None
    id: Any = None
