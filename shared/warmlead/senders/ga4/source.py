"""Google Analytics 4: the Measurement Protocol, and rows of the export to BigQuery."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Trust
from warmlead.domain.event_names import our_name
from warmlead.parsing.charsets import Tell
from warmlead.ports import RawRequest
from warmlead.senders.claims import Claims
from warmlead.senders.forms import Submissions
from warmlead.senders.ga4.hits import Hit, fact_of, of_payload, of_row
from warmlead.senders.person import event_name
from warmlead.senders.proofs import KeyInAddress, Proof
from warmlead.senders.submission import FORM_SUBMITTED
from warmlead.senders.webhooks import (
    MAX_KIND,
    Said,
    WebhookSender,
    WebhookSettings,
    group,
    part,
    text,
)

COLLECT = "/ga4/mp/collect"
EXPORT = "/ga4/export"

MAX_EVENTS = 25
"""Limit of the events of one post, and of its user properties, as Google has it."""

_MAX_VALUE = 500
"""Characters that are kept of what each event of a post repeats: Google keeps fewer."""

_COMMON = ("client_id", "app_instance_id", "user_id", "timestamp_micros")
_DAY = "received_on"

_PUBLISHED = """
    page_view screen_view form_start file_download view_search_results video_start video_complete
    sign_up login view_item view_item_list add_to_cart remove_from_cart add_to_wishlist
    select_promotion view_cart begin_checkout purchase refund
"""
UNWANTED = """
    session_start first_visit user_engagement scroll
    app_remove app_update app_exception app_clear_data os_update
    ad_click ad_exposure ad_impression ad_query ad_reward adunit_exposure
    notification_receive notification_foreground notification_dismiss
    qualify_lead working_lead disqualify_lead close_convert_lead close_unconvert_lead
"""
"""What Google Analytics adds by itself, and what shows nobody's interest."""

_TEST = "debug or internal traffic"
_NOBODY = "a row without an id"


class Ga4Settings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are API secrets. ``test_mode``: debugged and internal traffic counts too."""

    test_mode: bool = False


class Ga4Source(WebhookSender):
    """Events of Google Analytics 4, from one's own servers and out of BigQuery.

    https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference
    https://support.google.com/analytics/answer/7029846
    """

    name = "ga4"
    path = "ga4"
    proof: ClassVar[Proof] = KeyInAddress(parameter="api_secret")
    meanings: ClassVar = {
        **{published: our_name(published) for published in _PUBLISHED.split()},
        **dict.fromkeys(("form_submit", "generate_lead"), FORM_SUBMITTED),
        "click": "outbound_link_clicked",
        "search": "site_searched",
        "video_progress": "video_watched",
        "tutorial_complete": "onboarding_completed",
        "first_open": "app_installed",
        "app_open": "app_opened",
        **dict.fromkeys((*UNWANTED.split(), _TEST, _NOBODY)),
    }
    keeps_other_names = True
    once = "`transaction_id`; else the row, or `timestamp_micros` and all that an event says"
    retries = "as your server or your job does"

    @property
    def paths(self) -> Sequence[str]:
        """One for the Measurement Protocol, and one for rows of the export."""
        return [COLLECT, EXPORT]

    def form_of(self, request: RawRequest) -> tuple[str, WebhookSettings]:
        """No form: whatever happened on the website comes here."""
        if request.path.rstrip("/") not in self.paths:
            raise RejectedError(Reason.NOT_FOUND, "No sender is configured at this path.")
        return "", self._settings

    def claims_of(self, kind: str, name: str) -> Claims:  # noqa: ARG002  # whatever it says
        """Nothing: your server answers for what it posts, and rows of the export are public."""
        return Claims.NOTHING

    def check(self, request: RawRequest) -> Trust:
        """Signed, or public for rows of the export: anybody's browser may have made them."""
        trust = super().check(request)
        return Trust.PUBLIC if request.path.rstrip("/") == EXPORT else trust

    def read(self, request: RawRequest, settings: WebhookSettings, tell: Tell) -> Submissions:
        """The rows of the body, or each event of a post with what is said of all of them."""
        found = super().read(request, settings, tell)
        if request.path.rstrip("/") == EXPORT:
            return found
        day = request.received_at.date().isoformat()
        events = [one for payload in found.items for one in _apart(payload, day)]
        if len(events) > MAX_EVENTS:
            message = f"A post has {MAX_EVENTS} events at most."
            raise RejectedError(Reason.TOO_MANY_EVENTS, message)
        return Submissions(events, found.suspect)

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What an event says; a post to the protocol has been taken apart."""
        for hit in _hits(item):
            yield self._judged(hit, is_row="event_name" in item)

    def _judged(self, hit: Hit, *, is_row: bool) -> Said:
        settings = self._settings
        if hit.is_test and not (isinstance(settings, Ga4Settings) and settings.test_mode):
            return Said(_TEST)
        if is_row and not hit.is_of_somebody:
            return Said(_NOBODY)
        if not hit.name:
            raise RejectedError(Reason.EVENT_NAME_MISSING, "An event needs a name.")
        ours = settings.events.get(hit.name, self.meanings.get(hit.name)) or event_name(hit.name)
        return Said(hit.name, fact_of(hit, ours))


def _apart(payload: Any, day: str) -> Iterator[Any]:  # noqa: ANN401  # whatever JSON holds
    """The events of a post, each with what is said of all; what has none is left as it is."""
    events = _events(payload) if isinstance(payload, dict) else None
    if events is None:
        yield payload
        return
    said = group(payload, "user_properties")
    common: dict[str, Any] = {name: _short(payload[name]) for name in _COMMON if name in payload}
    common["user_properties"] = {
        name[:MAX_KIND]: {"value": _short(part(said, name, "value"))}
        for name in list(said)[:MAX_EVENTS]
    }
    for event in events:
        yield {**common, "events": [event], _DAY: day}


def _events(payload: Mapping[str, Any]) -> list[Any] | None:
    """The events of a post; some clients send a single one without a list around it."""
    found = payload.get("events")
    if isinstance(found, dict):
        return [found]
    return found if isinstance(found, list) else None


def _short(value: Any) -> Any:  # noqa: ANN401  # whatever JSON holds
    if isinstance(value, str):
        return value[:_MAX_VALUE]
    return value if isinstance(value, int | float) else None


def _hits(item: Mapping[str, Any]) -> Iterator[Hit]:
    if "event_name" in item:
        yield of_row(item)
        return
    events = _events(item)
    if events is None:
        message = "It is neither a post to the Measurement Protocol nor a row of the export."
        raise RejectedError(Reason.EVENT_INVALID, message)
    for event in events:
        if not isinstance(event, dict):
            raise RejectedError(Reason.EVENT_INVALID, "An event must be a JSON object.")
        yield of_payload(item, event, text(item.get(_DAY)))
