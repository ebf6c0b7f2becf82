"""GoTo Webinar's webhooks: who registers for a webinar, and comes to it."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.ports import RawRequest
from warmlead.senders.proofs import KeyInAddress, Proof
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Asked, Said, WebhookSender, WebhookSettings, records, text
from warmlead.web.answers import Answer

_REGISTERED, _JOINED = "registrant.added", "registrant.joined"


class GoToWebinarSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets stand in the address: ``?key=…``. Forms are named by the keys of webinars."""


class GoToWebinarSource(WebhookSender):
    """Registrants (https://developer.goto.com/guides/GoToWebinar/08_HOW_webhooks).

    How GoTo signs is not published in full, so the secret stands in the address.
    """

    name = "gotowebinar"
    path = "gotowebinar"
    proof: ClassVar[Proof] = KeyInAddress()
    meanings: ClassVar = {
        _REGISTERED: "webinar_registered",
        _JOINED: "webinar_attended",
        "webinar.created": None,
        "webinar.changed": None,
    }
    once = "the event, the webinar or its session, and the registrant"
    retries = "not published"
    tries_address = "GET, answered with 200"

    def handshake(self, request: RawRequest) -> Answer | None:
        """Success for the GET with which GoTo tries an address; it does nothing else.

        Raises ``RejectedError`` for a key that is not ours, so that a mistyped one shows at once.
        """
        self.form_of(request)
        if request.method != "GET":
            return None
        if self.proof.is_claimed(request):
            self.proof.verify(request, self._settings.secrets, lambda: self._document(request))
        return Answer(200, b"")

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What one registrant did."""
        kind = text(item.get("eventName"))
        if kind not in (_REGISTERED, _JOINED):
            yield Said(kind)
            return
        is_new = kind == _REGISTERED
        webinar, registrant = text(item.get("webinarKey")), text(item.get("registrantKey"))
        occasion = webinar if is_new else text(item.get("sessionKey")) or webinar
        time = item.get("registrationDate" if is_new else "joinTime")
        fact = Fact(
            id=f"{kind}:{occasion}:{registrant}" if registrant else None,
            time=time or item.get("timestamp"),
            form=webinar,
            email=item.get("email"),
            anonymous_id=f"gotowebinar:{registrant}" if registrant else None,
            traits=_traits(item) if is_new else {},
            properties={"webinar": item.get("webinarTitle")},
        )
        answers = records(item.get("responses")) if is_new else []
        asked = [Asked((text(one.get("question")),), one.get("answer")) for one in answers]
        yield Said(kind, fact, asked)


def _traits(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "first_name": item.get("firstName"),
        "last_name": item.get("lastName"),
        "phone": item.get("phone"),
        "company": item.get("organization"),
        "title": item.get("jobTitle"),
        "industry": item.get("industry"),
    }
