"""Stripe's webhooks: customers, trials, subscriptions and purchases."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from msgspec import structs

from warmlead.parsing.signatures import WebhookScheme
from warmlead.ports import Ignored
from warmlead.senders.claims import Claims
from warmlead.senders.forms import Mend
from warmlead.senders.proofs import Proof, Signed
from warmlead.senders.stripe.prices import Price, money_of, price_of
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, WebhookSender, WebhookSettings, group, part, text

_CUSTOMER = ("customer.created", "customer.updated")
_CHECKED_OUT = "checkout.session.completed"
_PAID_LATER = "checkout.session.async_payment_succeeded"
_BOUGHT = "checkout.session.completed (payment)"
_CREATED = "customer.subscription.created"
_UPDATED = "customer.subscription.updated"
_DELETED = "customer.subscription.deleted"
_TRIAL_ENDS = "customer.subscription.trial_will_end"

_TRIAL_STARTED = "trial started"
_TRIAL_ENDED = "trial ended"
_SUBSCRIBED = "subscription started"
_WON = "subscription won"
_UPGRADED = "subscription upgraded"
_FREE = "a plan that costs nothing"
_OTHER = "customer.updated (not of the person)"
_OF_PERSON = frozenset(("email", "name", "phone", "address", "metadata", "preferred_locales"))

_NOT_PAID_YET = frozenset(("trialing", "incomplete", "paused"))
"""The states from which a subscription becomes active for the first time."""
_DAY_S = 86_400


class StripeSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are signing secrets of endpoints. ``test_mode``: what is not live counts too."""

    test_mode: bool = False


class StripeSource(WebhookSender):
    """Events of an account (https://docs.stripe.com/webhooks).

    Customers are also known by Stripe's id of them, as most events name no address.
    """

    name = "stripe"
    path = "stripe"
    proof: ClassVar[Proof] = Signed(
        WebhookScheme(header="Stripe-Signature", text="{time}.{body}", pairs=("t", "v1"))
    )
    meanings: ClassVar = {
        **dict.fromkeys((*_CUSTOMER, _CHECKED_OUT), "identified"),
        _BOUGHT: "order_completed",
        _PAID_LATER: "order_completed",
        _TRIAL_STARTED: "trial_started",
        _TRIAL_ENDS: "trial_ending",
        _TRIAL_ENDED: "trial_ended",
        _SUBSCRIBED: "subscription_started",
        _WON: "sales_won",
        _UPGRADED: "subscription_upgraded",
        _DELETED: "subscription_cancelled",
        **dict.fromkeys((_CREATED, _UPDATED, _FREE, _OTHER)),
        **dict.fromkeys(("invoice.paid", "invoice.payment_succeeded")),
    }
    once = "what happened, and the subscription; or `id` of the event"
    retries = "for up to 3 days, ever more slowly, after any answer but 2xx"

    def claims_of(self, kind: str, name: str) -> Claims:  # noqa: ARG002  # whatever it says
        """Nothing: who pays is a customer of whom the company knows more than what they type."""
        return Claims.NOTHING

    def facts(self, item: Any, settings: WebhookSettings, mend: Mend) -> Iterator[Fact | Ignored]:  # noqa: ANN401  # whatever JSON holds
        """What an event of this account and of live mode says."""
        counts_tests = isinstance(settings, StripeSettings) and settings.test_mode
        if isinstance(item, dict) and item.get("livemode") is not True and not counts_tests:
            yield Ignored("test_mode", "It is not of live mode. To count it, set test_mode: true.")
        elif isinstance(item, dict) and item.get("account"):
            yield Ignored("connected_account", "It is about a customer of a connected account.")
        else:
            # Whoever opens a payment link may write any client_reference_id into its address.
            by_link = bool(part(item, "data", "object", "payment_link"))
            for fact in super().facts(item, settings, mend):
                is_claimed = by_link and isinstance(fact, Fact)
                yield structs.replace(fact, claims=Claims.PERSON) if is_claimed else fact

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What an event says of its customer."""
        kind, about = text(item.get("type")), group(item, "data", "object")
        if kind in _CUSTOMER:
            yield _customer(kind, about, item)
        elif kind in (_CHECKED_OUT, _PAID_LATER):
            yield _checked_out(kind, about, item)
        elif kind in (_CREATED, _UPDATED, _DELETED, _TRIAL_ENDS):
            yield from _subscription(kind, about, item)
        else:
            yield Said(kind)


def _customer_id(value: Any) -> str | None:  # noqa: ANN401  # whatever JSON holds
    id_ = text(value) or text(part(value, "id"))
    return f"stripe:{id_}" if id_ else None


def _customer(kind: str, about: Mapping[str, Any], item: Mapping[str, Any]) -> Said:
    fact = Fact(
        fields=dict(group(about, "metadata")),
        id=text(item.get("id")) or None,
        time=item.get("created"),
        email=about.get("email"),
        anonymous_id=_customer_id(about.get("id")),
        traits={**_traits(about), "language": part(about, "preferred_locales", 0)},
    )
    before = part(item, "data", "previous_attributes")
    is_other = isinstance(before, dict) and _OF_PERSON.isdisjoint(before)
    return Said(_OTHER if is_other else kind, fact)


def _traits(about: Mapping[str, Any]) -> dict[str, Any]:
    address = group(about, "address")
    return {
        "name": about.get("name"),
        "phone": about.get("phone"),
        "city": address.get("city"),
        "region": address.get("state"),
        "postal_code": address.get("postal_code"),
        "country": address.get("country"),
    }


def _checked_out(kind: str, about: Mapping[str, Any], item: Mapping[str, Any]) -> Said:
    """A purchase, if something was paid; else whose session it was."""
    person = group(about, "customer_details")
    is_bought = about.get("mode") == "payment" and about.get("payment_status") == "paid"
    properties: dict[str, Any] = {}
    if is_bought and (paid := money_of(about.get("amount_total"), about.get("currency"))):
        order = text(about.get("payment_intent")) or text(about.get("id"))
        properties = {"order": order, "total": paid.number, "currency": paid.currency}
    said = _BOUGHT if is_bought else kind if kind == _CHECKED_OUT else _UPDATED
    session = text(about.get("id"))
    fact = Fact(
        fields={
            **group(about, "metadata"),
            "client_reference_id": about.get("client_reference_id"),
        },
        id=f"{said}:{session}" if session else None,
        time=item.get("created"),
        email=person.get("email") or about.get("customer_email"),
        anonymous_id=_customer_id(about.get("customer")),
        traits=_traits(person),
        properties=properties,
    )
    return Said(said, fact)


def _subscription(kind: str, about: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[Said]:
    """What happened to a subscription; a change that means nothing here is the event itself."""
    before = group(item, "data", "previous_attributes")
    price = price_of(about)
    told = _FREE if price.is_free else _happened(kind, about, before, price, item)
    yield Said(told, _fact(told, about, price, item))
    if told == _SUBSCRIBED:
        yield Said(_WON, _fact(_WON, about, price, item))


def _happened(
    kind: str,
    about: Mapping[str, Any],
    before: Mapping[str, Any],
    price: Price,
    item: Mapping[str, Any],
) -> str:
    now = text(about.get("status"))
    if kind == _CREATED:
        return {"trialing": _TRIAL_STARTED, "active": _SUBSCRIBED}.get(now, kind)
    if kind == _UPDATED:
        return _changed(now, text(before.get("status")), price, price_of(before))
    if kind == _DELETED:
        ended = _TRIAL_ENDED if _ended_in_trial(about) else kind
        return _UPDATED if now == "incomplete_expired" else ended  # such a one has never begun
    # Stripe says it too when a trial is ended at once: then there is nothing to remind of.
    ends = _seconds(about.get("trial_end"))
    return kind if now == "trialing" and ends > _seconds(item.get("created")) else _UPDATED


def _changed(now: str, was: str, price: Price, before: Price) -> str:
    if now == "active" and (was in _NOT_PAID_YET or before.is_free):
        return _SUBSCRIBED
    if now == "paused" and was == "trialing":
        return _TRIAL_ENDED
    return _UPGRADED if now == "active" and _costs_more(price, before) else _UPDATED


def _ended_in_trial(about: Mapping[str, Any]) -> bool:
    trial_end = _seconds(about.get("trial_end"))
    return 0 < _seconds(about.get("ended_at")) <= trial_end


def _costs_more(now: Price, before: Price) -> bool:
    if now.total is None or before.total is None or now.interval != before.interval:
        return False
    is_same = now.total.currency == before.total.currency
    return is_same and now.total.amount > before.total.amount


def _fact(said: str, about: Mapping[str, Any], price: Price, item: Mapping[str, Any]) -> Fact:
    id_ = text(about.get("id"))
    properties: dict[str, Any] = {"plan": price.plan}
    if said == _WON:
        total = price.total
        properties = {"value_cents": total.cents, "currency": total.currency} if total else {}
    elif said in (_SUBSCRIBED, _UPGRADED):
        properties |= {"interval": price.interval, "seats": price.seats}
        if price.total:
            properties |= {"amount": price.total.number, "currency": price.total.currency}
    elif said == _TRIAL_STARTED:
        properties["days"] = _days(about.get("trial_start"), about.get("trial_end"))
    elif said == _TRIAL_ENDS:
        properties["days"] = _days(item.get("created"), about.get("trial_end"))
    elif said == _DELETED:
        why = group(about, "cancellation_details")
        properties |= {"reason": why.get("feedback") or why.get("reason")}
        properties |= {"message": why.get("comment")}
    # A subscription starts and ends once; its trial may be prolonged, and it may grow again.
    again = {_TRIAL_ENDS: text(about.get("trial_end")), _UPGRADED: text(item.get("id"))}
    parts = [said, id_, again.get(said, "")]
    return Fact(
        fields=dict(group(about, "metadata")) if said != _WON else {},
        id=":".join(filter(None, parts)) if id_ else None,
        time=item.get("created"),
        anonymous_id=_customer_id(about.get("customer")),
        properties=properties,
    )


def _days(start: Any, end: Any) -> int | None:  # noqa: ANN401  # whatever JSON holds
    began, ended = _seconds(start), _seconds(end)
    return round((ended - began) / _DAY_S) if 0 < began < ended else None


def _seconds(value: Any) -> int:  # noqa: ANN401  # whatever JSON holds
    """A time in seconds since 1970; 0 for none, and for what cannot be one."""
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return value if is_count and 0 < value < _MOST_S else 0


_MOST_S = 10**11
