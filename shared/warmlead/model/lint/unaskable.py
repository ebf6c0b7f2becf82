"""What conditions cannot ask at all, why, and what is asked instead."""

from warmlead.model.conditions import Context

_DATES = frozenset(
    (
        *("today", "now", "date", "timestamp", "datetime", "current_date", "current_timestamp"),
        *("getdate", "curdate", "sysdate", "datediff", "date_diff", "days_between", "dateadd"),
        *("month", "year", "weekday", "day", "hour", "networkdays"),
    )
)
_TIMES = frozenset(
    (
        *("created", "created_at", "createdate", "create_date", "creation_date", "created_date"),
        *("date_created", "days_since_created", "days_since_creation", "lead_age", "age_days"),
        *("first_seen", "last_seen", "updated_at", "last_modified"),
    )
)
_SUMS = frozenset(
    (
        *("max", "min", "sum", "avg", "average", "mean", "abs", "round", "floor", "ceil"),
        *("ceiling", "greatest"),
    )
)
_OWNERS = frozenset(
    (
        *("owner", "owner_id", "lead_owner", "contact_owner", "account_owner"),
        *("hubspot_owner_id", "assigned_to", "assignee", "salesperson", "sales_rep"),
    )
)


def unaskable_function(name: str, context: Context) -> tuple[str, str] | None:
    """Why there is no such function, and what to write; ``None``: nothing is known of it."""
    told, called = f'there is no function "{name}"', name.rpartition(".")[2].lower()
    if called in _DATES:
        return f"{told}: conditions know no dates, they count days", _days(context)
    if called in _SUMS:
        instead = "limit a signal with per_day or max_count, or several with a group's max"
        return f"{told}: points add up by themselves", instead
    return None


def unaskable_name(name: str, context: Context) -> tuple[str, str] | None:
    """Why there is no such name, and what to write; ``None``: nothing is known of it."""
    told, called = f'unknown name "{name}"', name.rpartition(".")[2].lower()
    if called in _TIMES:
        return f"{told}: conditions know no dates, they count days", _days(context)
    if called in ("never", "always"):
        return f"{told}: a condition asks for facts", "leave the key out, or ask for a fact"
    if called in _OWNERS and "country" in context.types:
        message = f"{told}: a route chooses the owner, so no condition can ask for it"
        declared = f"if your CRM sends it, add to traits: {called}: string"
        return message, f"ask what the route asks; {declared}"
    return None


def _days(context: Context) -> str:
    if "days_inactive" in context.types:
        return "ask for days: days_inactive < 30, or last_30d.page_viewed >= 1"
    return "let a stage or a bonus ask for days: days_inactive < 30"
