"""The functions of one deployment on a store and a bus, composed as the real ones are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from builders import StandingClock, lead_ids
from faults.sites import Switches, doing
from faults.workload import FORMS, SALES, WRITE_KEYS
from warmlead.application.accept import accept, read_events, set_aside
from warmlead.application.apply import Scoring, apply
from warmlead.application.due import EvaluationContext, RunProgress, decay, follow_up
from warmlead.buses.topology import SCORE
from warmlead.domain.errors import RejectedError, UnavailableError
from warmlead.model.loading import Model, load
from warmlead.ports import Accepted, EventBus, LeadStore, Message, RawRequest
from warmlead.senders.base import Sender, answer_sender
from warmlead.senders.generic import GenericSource
from warmlead.senders.sales import GenericSalesSource
from warmlead.senders.segment import SegmentSource
from warmlead.web.answers import answer_error

SENDERS: Mapping[str, Sender] = {
    "generic": GenericSource(FORMS),
    "sales": GenericSalesSource(SALES),
    "segment": SegmentSource(WRITE_KEYS),
}


def sender_of(path: str) -> Sender:
    """Whose path it is: that of ``sales``, of a form, or of a tracking client."""
    if path == "/generic":
        return SENDERS["sales"]
    return SENDERS["generic" if path.startswith("/generic/") else "segment"]


def campaign_model(
    changes: Mapping[str, str] | None = None, *, quiet: bool = False, nurtures: bool = False
) -> Model:
    """The campaign's model; ``changes`` replace texts in it, for a second version.

    With ``quiet`` nothing comes between events: no handoff, and sequences only if it ``nurtures``.
    """
    text = Path(__file__).with_name("model.yaml").read_text(encoding="utf-8")
    for old, new in (changes or {}).items():
        if old not in text:
            raise ValueError(f"the campaign's model does not say {old}")
        text = text.replace(old, new)
    if quiet:
        before, _, rest = text.partition("handoff:")
        text = before + "".join(rest.partition("sequences:")[1:] if nurtures else ())
    return load(text, name="campaign")


MODEL = campaign_model()
QUIET = campaign_model(quiet=True)
NURTURING = campaign_model(quiet=True, nurtures=True)

PAGE_LEADS = 2
"""Small pages, so that the few people of a trial fill several."""


class Functions(Protocol):
    """What may be asked of one deployment, whichever process it is in."""

    async def post(self, request: RawRequest) -> int:
        """A sender's request."""
        ...

    async def push(self, message: Message) -> int:
        """A message of ``lead-events``."""
        ...

    async def decay(self) -> int:
        """A call of Cloud Scheduler's."""
        ...

    async def follow_up(self) -> int:
        """The call of a minute."""
        ...


class Deployment:
    """What a client, Pub/Sub and Cloud Scheduler may ask for; each answers with a status.

    An error that is not expected passes through: it is a fault of ours, whatever was done to us.
    """

    def __init__(
        self,
        store: LeadStore,
        bus: EventBus,
        clock: StandingClock,
        switches: Switches,
        model: Model = MODEL,
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._visit = switches.visit
        self._scoring = Scoring(model.rules, lead_ids)
        self._settling = EvaluationContext(store, bus, model.rules, clock, PAGE_LEADS, PAGE_LEADS)

    async def post(self, request: RawRequest) -> int:
        """A sender's request."""

        async def taken(request: RawRequest, sender: Sender) -> Accepted:
            return await accept(request, sender, bus=self._bus, ids=lead_ids)

        with doing("accept"):
            answer = await answer_sender(request, sender_of(request.path), taken)
            self._visit("accept.answered")
        return answer.status

    async def push(self, message: Message) -> int:
        """A message of ``lead-events``; what is answered with 2xx does not come again."""
        if not SCORE.is_for(message.attributes):
            return 200
        now = self._clock.now()
        with doing("apply"):
            try:
                try:
                    events = read_events(message.body)
                except RejectedError as error:
                    await set_aside(message.body, error, bus=self._bus, now=now)
                    return 200
                await apply(
                    events,
                    store=self._store,
                    bus=self._bus,
                    scoring=self._scoring,
                    clock=self._clock,
                )
            except UnavailableError as error:
                return answer_error(error).status
            self._visit("apply.done")
        return 200

    async def decay(self) -> int:
        """A call of Cloud Scheduler's, of those that let leads fade."""
        with doing("decay"):
            try:
                status = _status_of(await decay(self._settling))
            except UnavailableError as error:
                return answer_error(error).status
            self._visit("decay.done")
        return status

    async def follow_up(self) -> int:
        """The call of a minute: what is due, and what was left unsent."""
        with doing("followup"):
            try:
                status = _status_of((await follow_up(self._settling)).due)
            except UnavailableError as error:
                return answer_error(error).status
            self._visit("followup.done")
        return status


def _status_of(run: RunProgress) -> int:
    """How a run is answered; a lead that could not be settled for no good reason is our fault."""
    for _, error in run.failures:
        if not isinstance(error, UnavailableError):
            raise error
    return 503 if run.failed else 200
