"""Consent: who may be written to, by whose word, and what takes a no back."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.domain.worlds import NOON, World, event_of, rules_of
from warmlead.domain.consent import (
    MAX_OF_CAUSE,
    Cause,
    Consent,
    ConsentFact,
    Lifting,
    Status,
    SuppressionPolicy,
    Whose,
    consent_of,
    facts_of_days,
    statements_in,
    with_facts,
)
from warmlead.domain.consent_fields import Bounce, bounce_in
from warmlead.domain.event import Event, Property, Trust, event_stating, id_of_content
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.lead import Lead

ADA = "ada@example.com"
NEW = "ada@example.org"
MINUTE = timedelta(minutes=1)
SIGNED, PUBLIC = Trust.SIGNED, Trust.PUBLIC


class Told:
    """What is stated of one person, minute by minute."""

    def __init__(self) -> None:
        self.world = World(rules_of())
        self.minute = 0

    def hear(
        self,
        name: str,
        trust: Trust = SIGNED,
        *,
        email: str | None = ADA,
        user_id: str | None = None,
        traits: Mapping[str, Property] | None = None,
        **properties: Property,
    ) -> "Told":
        self.minute += 1
        at = NOON + self.minute * MINUTE
        event = event_of(
            f"{self.minute}",
            at,
            name=name,
            trust=trust,
            email=email,
            user_id=user_id,
            traits=traits,
            properties=properties,
        )
        self.world.apply([event], at)
        return self

    @property
    def lead(self) -> Lead:
        return self.world.lead_of(Identifier(Kind.EMAIL, ADA))

    def consent(self, suppression: SuppressionPolicy | None = None) -> Consent:
        return self.lead.consent(suppression or SuppressionPolicy())

    def status(self, suppression: SuppressionPolicy | None = None) -> Status:
        consent = self.consent(suppression)
        refused = consent.status not in (Status.UNKNOWN, Status.SUBSCRIBED)
        assert consent.may_be_mailed is not refused
        return consent.status


def test_consent_is_unknown_without_statements() -> None:
    assert Told().hear("page_viewed").consent() == Consent()


def test_the_last_word_counts_within_a_day() -> None:
    told = Told().hear("email_unsubscribed", PUBLIC)
    assert told.status() is Status.UNSUBSCRIBED
    assert told.hear("newsletter_subscribed", PUBLIC).status() is Status.SUBSCRIBED
    assert told.hear("email_unsubscribed", PUBLIC).status() is Status.UNSUBSCRIBED


@pytest.mark.parametrize(
    ("said_no", "said_yes", "resubscribed", "is_lifted"),
    [
        (PUBLIC, PUBLIC, Lifting.EQUAL, True),
        (PUBLIC, SIGNED, Lifting.EQUAL, True),
        (SIGNED, PUBLIC, Lifting.EQUAL, False),
        (SIGNED, SIGNED, Lifting.EQUAL, True),
        (SIGNED, PUBLIC, Lifting.ANYONE, True),
        (PUBLIC, PUBLIC, Lifting.SIGNED, False),
        (PUBLIC, SIGNED, Lifting.SIGNED, True),
    ],
)
def test_a_subscription_lifts_refusals_of_equal_or_lower_trust(
    said_no: Trust, said_yes: Trust, resubscribed: Lifting, is_lifted: bool
) -> None:
    told = Told().hear("email_unsubscribed", said_no).hear("email_subscribed", said_yes)
    found = told.status(SuppressionPolicy(resubscribed=resubscribed))
    assert found is (Status.SUBSCRIBED if is_lifted else Status.UNSUBSCRIBED)


def test_a_public_refusal_holds_beside_a_lifted_signed_one() -> None:
    told = Told().hear("email_unsubscribed").hear("email_subscribed")
    assert told.status() is Status.SUBSCRIBED
    assert told.hear("email_unsubscribed", PUBLIC).status() is Status.UNSUBSCRIBED


@pytest.mark.parametrize("name", ["email_bounced", "email_marked_spam"])
def test_signed_suppressions_of_a_mail_system_are_always_shown(name: str) -> None:
    told = Told().hear(name, PUBLIC)
    assert told.consent() == Consent()
    assert [(fact.trust, fact.source) for fact in told.lead.consent_facts] == [(PUBLIC, "tests")]
    assert Told().hear(name).consent().may_be_mailed is False


def test_a_model_may_believe_anybody_or_only_signed_senders() -> None:
    everybody = SuppressionPolicy(complained=Whose.ANYONE, hard_bounce=Whose.ANYONE)
    assert Told().hear("email_marked_spam", PUBLIC).status(everybody) is Status.COMPLAINED
    assert Told().hear("email_bounced", PUBLIC, kind="hard").status(everybody) is Status.BOUNCED
    strict = SuppressionPolicy(unsubscribed=Whose.SIGNED, hard_bounce=Whose.NEVER)
    assert Told().hear("email_unsubscribed", PUBLIC).status(strict) is Status.UNKNOWN
    assert Told().hear("email_bounced", kind="hard").status(strict) is Status.UNKNOWN


@pytest.mark.parametrize("anyone", Lifting)
def test_only_a_signed_subscription_lifts_a_complaint(anyone: Lifting) -> None:
    policy = SuppressionPolicy(resubscribed=anyone)
    told = Told().hear("email_marked_spam").hear("newsletter_subscribed", PUBLIC)
    assert told.status(policy) is Status.COMPLAINED
    assert told.hear("newsletter_subscribed").status(policy) is Status.SUBSCRIBED


@pytest.mark.parametrize("name", ["email_delivered", "email_opened", "email_clicked"])
def test_a_mail_that_arrived_lifts_a_bounce_and_nothing_else(name: str) -> None:
    told = Told().hear("email_bounced", kind="hard")
    assert told.status() is Status.BOUNCED
    assert told.hear(name, PUBLIC).status() is Status.BOUNCED
    assert told.hear(name).status() is Status.UNKNOWN
    assert Told().hear("email_unsubscribed").hear(name).status() is Status.UNSUBSCRIBED


def test_soft_bounces_suppress_after_a_number_without_a_delivery() -> None:
    told = Told()
    for _ in range(4):
        told.hear("email_bounced", kind="soft")
    assert told.status() is Status.UNKNOWN
    assert told.status(SuppressionPolicy(soft_bounces=4)) is Status.BOUNCED
    told.hear("email_delivered").hear("email_bounced", kind="soft")
    assert told.status(SuppressionPolicy(soft_bounces=2)) is Status.UNKNOWN
    for _ in range(4):
        told.hear("email_bounced", kind="soft")
    assert told.status() is Status.BOUNCED
    assert told.status(SuppressionPolicy(soft_bounces=0)) is Status.UNKNOWN


def test_a_bounce_of_a_replaced_address_does_not_suppress_the_new_one() -> None:
    told = Told().hear("identified", user_id="7")
    told.hear("email_bounced", user_id="7", kind="hard")
    assert told.status() is Status.BOUNCED
    told.hear("identified", email=NEW, user_id="7")
    assert told.lead.email == NEW
    assert told.status() is Status.UNKNOWN
    told.hear("email_bounced", user_id="7", kind="hard")  # of the old one, once more
    assert (told.lead.email, told.status()) == (NEW, Status.UNKNOWN)
    told.hear("email_bounced", email=NEW, kind="hard")
    assert told.status() is Status.BOUNCED
    assert told.hear("identified", user_id="7").lead.email == ADA


def test_a_bounce_of_an_unknown_address_does_not_suppress_the_current_one() -> None:
    told = Told().hear("identified", user_id="7")
    told.hear("email_bounced", email=NEW, user_id="7")
    assert (told.lead.email, told.status()) == (ADA, Status.UNKNOWN)


def test_a_bounce_without_an_address_applies_to_the_address_of_that_time() -> None:
    told = Told().hear("identified", user_id="7").hear("email_bounced", email=None, user_id="7")
    assert told.status() is Status.BOUNCED
    told.hear("identified", email=NEW, user_id="7")
    assert told.status() is Status.UNKNOWN
    told.hear("email_bounced", email=None, user_id="7")
    assert told.status() is Status.BOUNCED


def test_a_refusal_follows_the_person_to_a_new_address() -> None:
    told = Told().hear("email_unsubscribed", user_id="7").hear("identified", user_id="7")
    told.hear("identified", email=NEW, user_id="7")
    assert (told.lead.email, told.status()) == (NEW, Status.UNSUBSCRIBED)


def test_an_anonymous_refusal_follows_the_browser_to_the_person() -> None:
    world = World(rules_of())
    said = event_of("1", NOON, name="email_unsubscribed", anonymous_id="b")
    known = event_of("2", NOON + MINUTE, anonymous_id="b", email=ADA)
    world.apply([said], NOON)
    world.apply([known], NOON)
    lead = world.lead_of(Identifier(Kind.EMAIL, ADA))
    assert lead.consent(SuppressionPolicy()).status is Status.UNSUBSCRIBED


def test_a_refusal_is_told_before_a_later_bounce() -> None:
    told = Told().hear("email_unsubscribed", mailing_list="news").hear("email_bounced")
    consent = told.consent()
    assert (consent.status, consent.refused) == (Status.UNSUBSCRIBED, True)
    assert consent.decided_by
    assert consent.decided_by.mailing_list == "news"
    assert consent.decided_by.at == NOON + MINUTE


def test_consent_as_it_was_known_at_a_past_time() -> None:
    told = Told().hear("newsletter_subscribed").hear("email_unsubscribed")
    policy = SuppressionPolicy()
    assert told.lead.consent(policy, NOON + MINUTE).status is Status.SUBSCRIBED
    assert told.lead.consent(policy, NOON).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("trait", "value", "refuses"),
    [
        ("unsubscribed", True, True),
        ("unsubscribed", "true", True),
        ("unsubscribed", "checked", True),
        ("unsubscribed", "Ja", True),
        ("unsubscribed", "2026-01-01T09:00:00Z", True),
        ("unsubscribe", 1, True),
        ("unsubscribe", "all", True),
        ("unsubscribed_at", "2026-01-01T09:00:00Z", True),
        ("unsubscribed_from_emails", True, True),
        ("data_item_unsubscribed_from_emails", True, True),  # Intercom
        ("data_unsubscribed", True, True),  # Resend
        ("contact_unsubscribed", "1", True),
        ("hs_email_optout", "1", True),
        ("hs_email_optout_value", "true", True),
        ("hs_email_optout_12345", "true", True),
        ("hasoptedoutofemail", True, True),  # Salesforce
        ("email_opt_out_c", "はい", True),
        ("opt_out", ["yes"], True),
        ("opt_out", "Please do not write to me", True),
        ("do_not_contact", "true", True),
        ("marketing_consent", False, True),
        ("marketing_consent", "withdrawn", True),
        ("gdpr_consent", "revoked", True),
        ("consent", "no", True),
        ("consent", "I do not agree", True),
        ("accepts_marketing", False, True),  # Shopify
        ("email_marketing_consent_state", "unsubscribed", True),
        ("email_opt_in", "nein", True),
        ("subscribed", False, True),
        ("status", "unsubscribed", True),
        ("subscription_status", "Opted out", True),
        ("unsubscribed", False, False),
        ("unsubscribed", "no", False),
        ("unsubscribed", "null", False),
        ("unsubscribed", None, False),
        ("unsubscribe", "https://example.com/unsubscribe", False),
        ("unsubscribed_at", "", False),
        ("opt_out", "No, keep me", False),
        ("abmelden", "ja", True),
        ("newsletter_abbestellen", "Newsletter abbestellen", True),
        ("austragen", "1", True),
        ("abmelden", "nein", False),
        ("abmeldung_kurs", "ja", False),
        ("werbung", "Nein, danke", True),
        ("werbung", "Plakat", False),
        ("keine_werbung", "on", True),
        ("se_desabonner", "oui", True),
        ("darse_de_baja", "sí", True),
        ("cancelar_inscricao", "sim", True),
        ("disiscrivimi", "sì", True),
        ("uitschrijven", "ja", True),
        ("wypisz_mnie", "tak", True),
        ("odhlasit_odber", "ano", True),
        ("sms_opt_out", True, False),
        ("push_unsubscribed", True, False),
        ("friend_unsubscribed", True, False),
        ("consent", True, False),
        ("consent", "Yes, I agree", False),
        ("consent", ["0", "1"], False),
        ("newsletter", "Weekly", False),
        ("subscription", "cancelled", False),  # a paid plan
        ("status", "open", False),
    ],
)
def test_a_record_can_refuse_consent_but_not_restore_it(
    trait: str, value: Property, refuses: bool
) -> None:
    told = Told().hear("identified", PUBLIC, traits={trait: value})
    assert told.status() is (Status.UNSUBSCRIBED if refuses else Status.UNKNOWN)
    told = Told().hear("email_unsubscribed", PUBLIC).hear("identified", traits={trait: value})
    assert told.status() is Status.UNSUBSCRIBED


def test_a_form_may_say_it_in_a_field() -> None:
    told = Told().hear("form_submitted", PUBLIC, email_opt_out="yes")
    assert told.status() is Status.UNSUBSCRIBED


def test_agreeing_in_a_form_is_no_subscription() -> None:
    told = Told().hear("email_unsubscribed", PUBLIC)
    assert told.hear("form_submitted", traits={"consent": True}).status() is Status.UNSUBSCRIBED


@pytest.mark.parametrize("name", ["newsletter_subscribed", "email_subscribed"])
@pytest.mark.parametrize("consent", ["no", False, "nein", "who knows", ["0"]])
def test_a_form_for_a_newsletter_whose_box_says_no_is_no_subscription(
    name: str, consent: Property
) -> None:
    told = Told().hear("email_unsubscribed").hear(name, traits={"consent": consent})
    assert told.status() is Status.UNSUBSCRIBED
    assert Told().hear(name, marketing_consent=consent).status() is not Status.SUBSCRIBED


@pytest.mark.parametrize("consent", ["yes", "Oui", "on", "sí", "はい", "I agree", True, ["0", "1"]])
def test_a_form_for_a_newsletter_whose_box_says_yes_is_a_subscription(consent: Property) -> None:
    told = Told().hear("email_unsubscribed")
    told.hear("newsletter_subscribed", traits={"consent": consent})
    assert told.status() is Status.SUBSCRIBED


@pytest.mark.parametrize(
    ("properties", "bounce"),
    [
        ({"kind": "soft"}, Bounce.SOFT),
        ({"kind": "Hard"}, Bounce.HARD),
        ({"kind": "HardBounce"}, Bounce.HARD),  # Postmark
        ({"type": "Transient"}, Bounce.SOFT),
        ({"type": "SpamNotification"}, Bounce.SOFT),
        ({"kind": "Unsubscribe"}, Bounce.UNSUBSCRIBED),
        ({"kind": "SpamComplaint"}, Bounce.COMPLAINED),
        ({"type": "bounce", "reason": "550 5.1.1 no such user"}, Bounce.HARD),  # SendGrid
        ({"type": "blocked", "reason": "550 5.7.1 blocked"}, Bounce.SOFT),
        ({"severity": "permanent", "reason": "bounce"}, Bounce.HARD),  # Mailgun
        ({"severity": "temporary", "reason": "greylisted"}, Bounce.SOFT),
        ({"bounce_type": "Permanent", "bounce_sub_type": "General"}, Bounce.HARD),  # Amazon SES
        ({"bounce_type": "Undetermined"}, Bounce.SOFT),
        ({"bounce_description": "bad_mailbox"}, Bounce.HARD),  # Mandrill
        ({"bounce_description": "mailbox_full"}, Bounce.SOFT),
        ({"failure_message": "550 5.1.1 The account does not exist"}, Bounce.HARD),  # Customer.io
        ({"failure_message": "452 4.2.2 over quota"}, Bounce.SOFT),
        ({"status": "5.2.2"}, Bounce.SOFT),
        ({"status": "5.7.26"}, Bounce.SOFT),
        ({"code": 450}, Bounce.SOFT),
        ({"code": 550}, Bounce.HARD),
        ({"message": "sent to 4504 people at 5.1.1.1"}, Bounce.HARD),
        ({"kind": True, "reason": ["hard"]}, Bounce.HARD),
        ({"kind": ["soft"]}, Bounce.SOFT),
        ({"kind": "4.2.2"}, Bounce.SOFT),
        ({"kind": "450"}, Bounce.SOFT),
        ({"kind": 450}, Bounce.SOFT),
        ({"bounce_type": "5.1.1"}, Bounce.HARD),
        ({"category": "soft"}, Bounce.SOFT),
        ({"category": "content", "status": "5.1.1"}, Bounce.HARD),  # the category of the mail
        ({"is_hard": False}, Bounce.SOFT),
        ({"hard_bounce": "false", "error": "user unknown"}, Bounce.SOFT),  # Mailjet
        ({"hard_bounce": True}, Bounce.HARD),
        ({"temporary": True}, Bounce.SOFT),
        ({"soft": True, "hard": True}, Bounce.HARD),
        ({}, Bounce.HARD),
    ],
)
def test_the_kind_of_a_bounce_is_read_from_the_words_of_many_vendors(
    properties: dict[str, Property], bounce: Bounce
) -> None:
    assert bounce_in(properties) is bounce


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("Bounced Address", Cause.HARD_BOUNCE),
        ("Unsubscribed Address", Cause.UNSUBSCRIBED),
        ("Spam Reporting Address", Cause.COMPLAINED),
        ("Invalid", Cause.HARD_BOUNCE),
        ("Missing attribute", None),
    ],
)
def test_a_mail_that_was_not_attempted_counts_as_its_stated_suppression(
    reason: str, cause: Cause | None
) -> None:
    event = event_of("1", NOON, name="email_dropped", email=ADA, properties={"reason": reason})
    assert [fact.cause for fact in statements_in(event)] == ([cause] if cause else [])


def test_reading_a_long_bounce_takes_no_longer_than_a_short_one() -> None:
    noise = "5." * 400_000
    assert bounce_in({"kind": noise, "reason": noise, "message": noise}) is Bounce.HARD


# --- what is kept ---------------------------------------------------------------------------


def facts_of(events: list[Event], chance: Random) -> tuple[ConsentFact, ...]:
    """The facts after the events, each once or more, in any order and any portions."""
    arrivals = [*events, *chance.choices(events, k=len(events))]
    chance.shuffle(arrivals)
    facts: tuple[ConsentFact, ...] = ()
    while arrivals:
        size = chance.choice([1, 1, 3])
        facts = with_facts(facts, [f for event in arrivals[:size] for f in statements_in(event)])
        del arrivals[:size]
    return facts


@st.composite
def statements(draw: st.DrawFn) -> Event:
    """One of a few events, perhaps a copy of another with other times."""
    number = draw(st.integers(0, 30))
    name = ("email_unsubscribed", "newsletter_subscribed", "email_bounced", "email_opened")
    at = NOON + draw(st.integers(0, 40)) * MINUTE
    return event_of(
        str(number),
        at,
        name=name[number % 4],
        trust=draw(st.sampled_from(Trust)),
        received_at=at + draw(st.integers(0, 3)) * MINUTE,
        email=ADA,
        properties={"kind": draw(st.sampled_from(["hard", "soft"]))},
    )


@given(st.lists(statements(), min_size=1, max_size=60), st.integers(0, 2**32))
def test_any_order_and_repetition_of_copies_keeps_the_same(events: list[Event], seed: int) -> None:
    chance = Random(seed)
    expected = facts_of(events, chance)
    assert all(facts_of(events, chance) == expected for _ in range(4))
    assert list(expected) == sorted(expected)


def test_no_more_is_kept_than_a_model_may_ask_for() -> None:
    told = Told()
    for _ in range(MAX_OF_CAUSE + 5):
        told.hear("email_bounced", kind="soft").hear("email_unsubscribed")
        told.hear("email_bounced", kind="hard")
    causes = [fact.cause for fact in told.lead.consent_facts]
    assert causes.count(Cause.SOFT_BOUNCE) == MAX_OF_CAUSE
    assert causes.count(Cause.UNSUBSCRIBED) == MAX_OF_CAUSE
    assert causes.count(Cause.HARD_BOUNCE) == 1
    most = SuppressionPolicy(soft_bounces=MAX_OF_CAUSE, unsubscribed=Whose.SIGNED)
    assert told.hear("email_subscribed").status(most) is Status.SUBSCRIBED


def test_a_subscription_that_is_sent_again_lifts_no_refusal_in_between() -> None:
    def at(id_: str, name: str, minute: int) -> Event:
        return event_of(id_, NOON + minute * MINUTE, name=name, email=ADA)

    said = [at("a", "email_subscribed", 0), at("b", "email_unsubscribed", 5)]
    said.append(at("a", "email_subscribed", 10))  # its sender named no time, and had no answer
    world = World(rules_of())
    world.apply(said, NOON)
    lead = world.lead_of(Identifier(Kind.EMAIL, ADA))
    assert lead.consent(SuppressionPolicy()).status is Status.UNSUBSCRIBED


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_last_post_of_the_same_form_counts(order: Sequence[int]) -> None:
    def at(id_: str, name: str, minute: int) -> Event:
        return event_of(id_, NOON + minute * MINUTE, name=name, email=ADA)

    same = id_of_content("of the form's fields and the day")
    said = [at(same, "newsletter_subscribed", 0), at("b", "email_unsubscribed", 5)]
    said.append(at(same, "newsletter_subscribed", 10))
    world = World(rules_of())
    for number in order:
        world.apply([said[number]], NOON)
        world.apply([said[number]], NOON)  # the bus delivers it twice
    lead = world.lead_of(Identifier(Kind.EMAIL, ADA))
    assert lead.consent(SuppressionPolicy()).status is Status.SUBSCRIBED
    assert len(lead.consent_facts) == 3
    assert lead.kept_events == 2


def test_a_form_that_is_posted_twice_at_once_says_it_once() -> None:
    at = NOON + timedelta(milliseconds=300)
    twice = [
        event_of(id_of_content("x"), when, name="newsletter_subscribed", email=ADA)
        for when in (NOON, at)
    ]
    world = World(rules_of())
    world.apply(twice, NOON)
    (fact,) = world.lead_of(Identifier(Kind.EMAIL, ADA)).consent_facts
    assert event_stating(fact.key) == twice[0].key
    assert fact.at == NOON


@pytest.mark.parametrize("trust", Trust)
@pytest.mark.parametrize(
    ("refused", "subscribed", "status"),
    [
        ("News", "Offers", Status.UNSUBSCRIBED),
        ("News", " news", Status.SUBSCRIBED),
        ("News", "", Status.SUBSCRIBED),
        ("", "Offers", Status.SUBSCRIBED),
    ],
)
def test_a_subscription_to_another_list_lifts_no_refusal(
    refused: str, subscribed: str, status: Status, trust: Trust
) -> None:
    told = Told().hear("email_unsubscribed", trust, mailing_list=refused)
    told.hear("newsletter_subscribed", trust, mailing_list=subscribed)
    assert told.status() is status


def test_refusals_of_two_lists_need_two_subscriptions() -> None:
    told = Told().hear("email_unsubscribed", mailing_list="News")
    told.hear("email_unsubscribed", mailing_list="Offers")
    assert told.hear("email_subscribed", mailing_list="Offers").status() is Status.UNSUBSCRIBED
    assert told.hear("email_subscribed", mailing_list="News").status() is Status.SUBSCRIBED


REFUSED, SUBSCRIBED = "email_unsubscribed", "newsletter_subscribed"


@pytest.mark.parametrize("trust", Trust)
@pytest.mark.parametrize(
    ("said", "public", "signed"),
    [
        # (name, minute stated, minute of receipt) of each, as they came
        ([(SUBSCRIBED, 9, 0), (REFUSED, 1, 1)], Status.UNSUBSCRIBED, Status.SUBSCRIBED),
        ([(SUBSCRIBED, 5, 5), (REFUSED, 1, 6)], Status.UNSUBSCRIBED, Status.SUBSCRIBED),
        ([(REFUSED, 9, 5), (SUBSCRIBED, 6, 6)], Status.UNSUBSCRIBED, Status.UNSUBSCRIBED),
        ([(REFUSED, 1, 5), (SUBSCRIBED, 2, 6)], Status.UNSUBSCRIBED, Status.SUBSCRIBED),
        ([(REFUSED, 1, 5), (SUBSCRIBED, 6, 6)], Status.SUBSCRIBED, Status.SUBSCRIBED),
    ],
)
def test_no_stated_time_of_a_public_sender_lifts_a_refusal(
    said: list[tuple[str, int, int]], public: Status, signed: Status, trust: Trust
) -> None:
    events = [
        event_of(
            name,
            NOON + stated * MINUTE,
            received_at=NOON + received * MINUTE,
            name=name,
            email=ADA,
            trust=trust,
        )
        for name, stated, received in said
    ]
    expected = public if trust is PUBLIC else signed
    for order in (events, events[::-1]):
        facts = facts_of(order, Random(0))
        assert consent_of(SuppressionPolicy(), facts, facts).status is expected


@pytest.mark.parametrize(
    ("last_day", "status"),
    [
        ({}, Status.UNKNOWN),
        ({"email_unsubscribed": 5}, Status.UNSUBSCRIBED),
        ({"email_bounced": 5, "page_viewed": 9}, Status.BOUNCED),
        ({"email_bounced": 5, "email_opened": 9}, Status.BOUNCED),
        ({"email_unsubscribed": 5, "newsletter_subscribed": 5}, Status.UNSUBSCRIBED),
        ({"email_unsubscribed": 5, "newsletter_subscribed": 6}, Status.SUBSCRIBED),
        ({"email_marked_spam": 7, "newsletter_subscribed": 6}, Status.COMPLAINED),
    ],
)
def test_with_days_only_a_possibly_later_refusal_suppresses(
    last_day: dict[str, int], status: Status
) -> None:
    facts = facts_of_days(last_day.items())
    assert consent_of(SuppressionPolicy(), facts, facts).status is status


def test_a_consent_day_yields_to_its_signed_event() -> None:
    day = day_of(to_ms(NOON))
    facts = facts_of_days([("email_unsubscribed", day)])
    known = event_of("1", NOON, name="email_unsubscribed", email=ADA, trust=SIGNED)
    (fact,) = with_facts(facts, statements_in(known))
    assert fact.at == NOON
