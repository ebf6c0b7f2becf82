"""One event of Google Analytics, whichever way it came, as a fact."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from warmlead.domain.event import id_of_content
from warmlead.domain.event_names import PROPERTIES
from warmlead.parsing.strict_json import text_of
from warmlead.senders.attribution import path_of
from warmlead.senders.person import long_hash, standard_name
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import group, part, records, text

PAGE_VIEW = "page_view"
PURCHASE = "purchase"
_MAX_URL = 4_000
"""Characters of a page's address that are looked at: Google keeps 1,000."""

_NOT_SET = frozenset(
    (
        *("(not set)", "(direct)", "(none)", "(organic)", "(referral)", "(data deleted)"),
        *("(not provided)", ""),
    )
)
"""What Google Analytics writes where it knows nothing."""

_RESERVED = ("ga_", "google_", "firebase_", "batch_", "_")
"""How the names begin of what Google Analytics adds for itself."""

_OF_GOOGLE = frozenset(
    (
        *("session_id", "session_engaged", "engaged_session_event", "engagement_time_msec"),
        *("debug_mode", "traffic_type", "ignore_referrer", "entrances", "items"),
        *("first_open_time", "first_open_after_install", "synthetic_bundle"),
    )
)
"""What it adds under other names."""

_CLICK_IDS = ("gclid", "dclid", "gbraid", "wbraid")
_CAMPAIGN = {
    "source": "utm_source",
    "medium": "utm_medium",
    "campaign": "utm_campaign",
    "term": "utm_term",
    "content": "utm_content",
}
_COLLECTED = {
    "manual_source": "utm_source",
    "manual_medium": "utm_medium",
    "manual_campaign_name": "utm_campaign",
    "manual_term": "utm_term",
    "manual_content": "utm_content",
}
_FIRST = {"source": "utm_source", "medium": "utm_medium", "name": "utm_campaign"}

_OF_ITEM = {
    "product": "item_name",
    "sku": "item_id",
    "category": "item_category",
    "brand": "item_brand",
    "price": "price",
    "quantity": "quantity",
}
_ABOUT_ONE = frozenset(
    ("product_viewed", "product_added", "product_removed", "product_added_to_wishlist")
)
_ORDERED = frozenset(("order_completed", "order_refunded"))
_OWN_PAIRS = {"outbound_link_clicked": "url:link_url content:link_text"}
"""Pairs as those of the published vocabularies, for names that mean this only here."""


class Hit(Struct, frozen=True):
    """One event: its parameters and user properties by name, and what else is said of it.

    ``stamp`` is the time as stated, ``id`` what tells it from all others, ``origin`` the campaign.
    """

    name: str
    params: Mapping[str, Any]
    user_properties: Mapping[str, Any]
    user_id: Any
    anonymous_id: Any
    stamp: Any
    id: str | None
    origin: Mapping[str, Any] = {}
    items: tuple[Mapping[str, Any], ...] = ()

    @property
    def is_test(self) -> bool:
        """Whether it comes from a developer's browser, or from inside the company."""
        debugs = text(self.params.get("debug_mode")) or self.params.get("debug_mode") is True
        return debugs not in ("", False, "0", "false") or (
            text(self.params.get("traffic_type")) == "internal"
        )

    @property
    def is_of_somebody(self) -> bool:
        """Whether it says whose it is: without consent to cookies it does not."""
        return bool(text(self.user_id) or text(self.anonymous_id))


# --- the two ways in which they come --------------------------------------------------------


def of_payload(payload: Mapping[str, Any], event: Mapping[str, Any], day: str) -> Hit:
    """An event of a post to the Measurement Protocol; ``day`` is that of the receipt."""
    params = dict(group(event, "params"))
    name = text(event.get("name"))
    stamp = event.get("timestamp_micros") or payload.get("timestamp_micros")
    client = payload.get("client_id") or payload.get("app_instance_id")
    told = [name, text(client), text(payload.get("user_id")), params, text(stamp) or day]
    digest = long_hash(text_of(told))
    return Hit(
        name=name,
        params=_present(params),
        user_properties=_present(
            {key: part(one, "value") for key, one in group(payload, "user_properties").items()}
        ),
        user_id=payload.get("user_id"),
        anonymous_id=client,
        stamp=stamp,
        id=f"event:{digest}" if text(stamp) else id_of_content(digest),
        items=tuple(records(params.get("items"))),
    )


_IN_BUNDLE = ("event_bundle_sequence_id", "batch_page_id", "batch_ordering_id", "batch_event_index")


def of_row(row: Mapping[str, Any]) -> Hit:
    """A row of the export to BigQuery."""
    params = dict(_pairs(row.get("event_params")))
    name, client = text(row.get("event_name")), row.get("user_pseudo_id")
    if not text(params.get("transaction_id")):
        params["transaction_id"] = part(row, "ecommerce", "transaction_id")
    whose = [text(client), text(row.get("user_id"))]
    which = [text(row.get("event_timestamp")), *(text(row.get(one)) for one in _IN_BUNDLE)]
    said = sorted([key, text(value)] for key, value in params.items())
    return Hit(
        name=name,
        params=_present(params),
        user_properties=_present(dict(_pairs(row.get("user_properties")))),
        user_id=row.get("user_id"),
        anonymous_id=client,
        stamp=row.get("event_timestamp"),
        id=f"row:{long_hash(text_of([name, whose, which, said]))}" if which[0] else None,
        origin=_origin_of_row(row),
        items=tuple(records(row.get("items"))),
    )


def _pairs(listed: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # whatever JSON holds
    """The keys and values of a repeated field; 64-bit integers come as texts."""
    for one in records(listed):
        value = group(one, "value")
        whole = value.get("int_value")
        if isinstance(whole, str) and whole.lstrip("-").isdecimal() and len(whole) <= _DIGITS:
            whole = int(whole)
        given = (value.get("string_value"), whole)
        others = (value.get("double_value"), value.get("float_value"))
        found = next((each for each in (*given, *others) if each is not None), None)
        if key := text(one.get("key")):
            yield key, found


_DIGITS = 20


def _origin_of_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The campaign of this event; of the person's first one that which Google kept as the first."""
    collected = group(row, "collected_traffic_source")
    found = _named(collected, _COLLECTED) | _named(collected, dict.fromkeys(_CLICK_IDS))
    first = text(row.get("user_first_touch_timestamp"))
    if not found and first and first == text(row.get("event_timestamp")):
        return _named(group(row, "traffic_source"), _FIRST)
    return found


def _named(said: Mapping[str, Any], names: Mapping[str, str | None]) -> dict[str, Any]:
    return {ours or name: said[name] for name, ours in names.items() if _is_known(said.get(name))}


def _is_known(value: Any) -> bool:  # noqa: ANN401  # whatever JSON holds
    return value is not None and not (isinstance(value, str) and value.strip() in _NOT_SET)


def _is_of_google(name: str) -> bool:
    return name in _OF_GOOGLE or name.startswith(_RESERVED)


def _present(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if _is_known(value)}


# --- what they say --------------------------------------------------------------------------


def fact_of(hit: Hit, event: str | None) -> Fact:
    """The event as a fact; ``event`` is our name of it, which says what its parameters mean."""
    params = dict(hit.params)
    order = text(params.get("transaction_id"))
    fields = _origin(hit, params)
    properties = _properties(hit, event or "", params)
    traits, email = _traits(hit.user_properties)
    return Fact(
        fields=fields,
        id=f"{PURCHASE}:{order}" if hit.name == PURCHASE and order else hit.id,
        time=hit.stamp,
        email=email,
        user_id=text(hit.user_id) or None,
        anonymous_id=text(hit.anonymous_id) or None,
        traits=traits,
        properties=properties,
    )


def _origin(hit: Hit, params: dict[str, Any]) -> dict[str, Any]:
    """The page, its referrer, the campaign and click ids; they are taken out of the parameters."""
    fields: dict[str, Any] = {}
    if page := text(params.pop("page_location", None))[:_MAX_URL]:
        fields["url" if hit.name == PAGE_VIEW else "page_url"] = page
    if referrer := text(params.pop("page_referrer", None)):
        fields["referrer"] = referrer
    # By themselves the words are anything: the medium of a painting, the content of a course.
    if "source" in params and ("medium" in params or "campaign" in params):
        fields |= _named({name: params.pop(name, None) for name in _CAMPAIGN}, _CAMPAIGN)
    fields |= _named(
        {name: params.pop(name, None) for name in _CLICK_IDS}, dict.fromkeys(_CLICK_IDS)
    )
    return {**hit.origin, **fields}


def _properties(hit: Hit, event: str, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters by our names, and the first of the items; Google's own are left out."""
    found: dict[str, Any] = {}
    for pair in f"{PROPERTIES.get(event, '')} {_OWN_PAIRS.get(event, '')}".split():
        ours, theirs = pair.split(":")
        if theirs in params and ours not in params and ours not in found:
            found[ours] = params.pop(theirs)
    if hit.name == PAGE_VIEW:
        found["title"] = params.pop("page_title", None)
        found["path"] = path_of(text(hit.params.get("page_location"))[:_MAX_URL])
    if hit.name == "video_complete":
        found["percent"] = 100
    if hit.items:
        found |= _of_items(hit.items, event)
    return {name: one for name, one in params.items() if not _is_of_google(name)} | found


def _of_items(items: tuple[Mapping[str, Any], ...], event: str) -> dict[str, Any]:
    first = items[0]
    if event in _ABOUT_ONE:
        return _named(first, {theirs: ours for ours, theirs in _OF_ITEM.items()})
    if event == "promotion_clicked":
        return _named(first, {"promotion_name": "promotion"})
    return {"items": len(items)} if event in _ORDERED else {}


def _traits(said: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """The user properties as traits, and the address among them.

    What is called a consent here is one to cookies or advertising, not to mail: it is left out.
    """
    traits: dict[str, Any] = {}
    email = None
    for name, value in said.items():
        known = standard_name(name)
        if known == "email":
            email = email or value
        elif known != "consent" and not _is_of_google(name):
            traits.setdefault(known or name, value)
    return traits, email
