"""The functions of one deployment on a store and a bus, composed as ``warmlead.wiring`` does it."""

from collections.abc import Mapping
from pathlib import Path

from builders import StandingClock, lead_ids
from faults.sites import Switches, doing
from faults.workload import FORMS, WRITE_KEYS
from warmlead.application.accept import Accepted, accept
from warmlead.application.apply import Scoring, apply
from warmlead.application.messages import read_events, set_aside
from warmlead.application.send import sweep
from warmlead.buses.topology import SCORE
from warmlead.domain.errors import RejectedError, UnavailableError
from warmlead.model.loading import Model, load
from warmlead.ports import EventBus, LeadStore, Message, RawRequest
from warmlead.sources.generic import GenericSource
from warmlead.sources.segment import SegmentSource
from warmlead.web.outcomes import answer_error
from warmlead.web.senders import Sender, answer_sender

SENDERS: Mapping[str, Sender] = {
    "generic": GenericSource(FORMS),
    "segment": SegmentSource(WRITE_KEYS),
}


def sender_of(path: str) -> Sender:
    """Whose path it is."""
    return SENDERS["generic" if path.startswith("/generic") else "segment"]


def campaign_model(changes: Mapping[str, str] | None = None) -> Model:
    """The campaign's model; ``changes`` replace texts in it, for a second version."""
    text = Path(__file__).with_name("model.yaml").read_text(encoding="utf-8")
    for old, new in (changes or {}).items():
        text = text.replace(old, new)
    return load(text, name="campaign")


MODEL = campaign_model()


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
        self._scoring = Scoring(model.rules, model.titles, lead_ids)

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

    async def tick(self) -> int:
        """The minute in which what was left behind is sent."""
        with doing("sweep"):
            try:
                await sweep(store=self._store, bus=self._bus, now=self._clock.now())
            except UnavailableError as error:
                return answer_error(error).status
        return 200
