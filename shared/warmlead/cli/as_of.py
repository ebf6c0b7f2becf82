"""Times that people type: as of when something is to be shown or done."""

from datetime import UTC, date, datetime, time

from warmlead.cli.output import EXIT_MISUSE, fail


def moment(text: str | None) -> datetime | None:
    """A time that a person typed; a bare date means the end of that day."""
    if text is None:
        return None
    try:
        if len(text) == len("2026-03-31"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        typed = datetime.fromisoformat(text)
        return typed.astimezone(UTC) if typed.tzinfo else typed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise fail(
            f"{text!r} is not a time.",
            hint="Write a date (2026-03-31) or a time (2026-03-31T09:00Z).",
            code=EXIT_MISUSE,
        ) from None
