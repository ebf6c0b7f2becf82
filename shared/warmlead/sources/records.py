"""What a CRM's whole record says: each of its properties that the configured stages name."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from warmlead.domain.event import Event
from warmlead.sources.crm_settings import CrmSettings
from warmlead.sources.fields import event_id, person_id
from warmlead.sources.sales_sender import Ignored
from warmlead.sources.saying import (
    NOTHING,
    Deal,
    Telling,
    Who,
    email_in,
    identification,
    statement,
    value_text,
    word_for,
)

NOT_ABOUT_SALES = Ignored("not_about_sales", "Nothing in it is among the configured stages.")
STAGE_UNKNOWN = Ignored("stage_unknown", "The configured stages do not say what this value says.")
SAYS_NOTHING = Ignored("says_nothing", "The configured stages say that this value says nothing.")


class Record(NamedTuple):
    """One record: its properties, who it is about, and what tells its repeats from others."""

    properties: Mapping[str, Any]
    who: Who
    id: str
    source: str
    received_at: datetime
    at: datetime | None
    deal: Deal = Deal()


def sayings(
    record: Record,
    settings: CrmSettings,
    *,
    names: Iterable[str] | None = None,
    ties: bool = True,
    at_of: Callable[[str], datetime | None] | None = None,
) -> list[Event | Ignored]:
    """The statements that the record makes, and who it is if it makes none.

    ``names`` are the properties that count, all configured ones unless said; ``ties`` is
    whether it tells anything new of who it is; ``at_of`` tells since when a property has its
    value, where that is known.
    """
    told: list[Event | Ignored] = []
    stages = settings.stages
    for name in stages if names is None else [name for name in stages if name in set(names)]:
        if not value_text(record.properties.get(name)):
            continue
        word = word_for(stages, name, record.properties[name])
        if word is None:
            told.append(STAGE_UNKNOWN)
        elif word == NOTHING:
            told.append(SAYS_NOTHING)
        else:
            at = (at_of(name) if at_of else None) or record.at
            telling = telling_of(record, name)._replace(at=at)
            told.append(statement(telling, record.who, word, record.deal))
    if any(isinstance(one, Event) for one in told):
        return told
    if ties and sum(map(bool, record.who)) > 1:
        return [*told, identification(telling_of(record, "who"), record.who)]
    return told or [NOT_ABOUT_SALES]


def telling_of(record: Record, what: str) -> Telling:
    """How the record's sender tells of one thing in it."""
    id_ = event_id(f"{record.id}-{what}", "The id")
    return Telling(record.source, record.received_at, str(id_), record.at)


def known_by(
    properties: Mapping[str, Any], settings: CrmSettings, *, person: str | None, deal: str | None
) -> Who:
    """By what a record's lead is known: address, user id (ours, or else the CRM's), deal."""
    given = (properties.get(name) for name in settings.email)
    email = next((found for value in given if (found := email_in(value))), None)
    ours = properties.get(settings.user_id) if settings.user_id else None
    return Who(email, person_id(ours, "The user id", is_user=True) or person, deal)
