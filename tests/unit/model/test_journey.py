"""``show``: which signals make steps of the journey, what the steps show, and what is a slip."""

import pytest

from builders import an_event
from warmlead.domain.journey import step_of
from warmlead.model.document import Severity
from warmlead.model.loading import check, load, ready_model, ready_names
from warmlead.model.plan import read_compiled, rules_of, write_compiled

STAGES = "stages: {mql: {enter: score >= 10, leave: score < 5}}\n"


def model(signal: str, others: str = "") -> str:
    other = "  other: {on: demo_requested, points: 40, half_life: 30d, show: never}\n"
    return f"signals:\n  it: {{half_life: 30d, {signal}}}\n{other}{STAGES}{others}"


@pytest.mark.parametrize(
    ("signal", "shown"),
    [
        ("on: content_downloaded, points: 20", ()),  # worth enough
        ("on: page_viewed, points: -10", ()),  # and so is what speaks against
        ("on: page_viewed, points: 4", None),
        ("on: email_bounced, points: -10", None),  # not the lead's doing
        ("on: [email_bounced, page_viewed], points: -10", ()),
        ("on: email_bounced, points: -10, show: campaign", ("campaign",)),
        ("on: page_viewed, points: 1, show: [path, title]", ("path", "title")),
        ("on: page_viewed, points: 10, show: never", None),
        ("on: page_viewed, points: 10, show: [path, path]", ("path",)),
    ],
)
def test_a_signal_makes_steps_if_it_says_so_or_is_worth_enough(
    signal: str, shown: tuple[str, ...] | None
) -> None:
    rules = load(model(signal), name="m").rules
    assert rules.shown == ({} if shown is None else {"it": shown})


def test_a_compiled_model_shows_the_same() -> None:
    plan = load(model("on: page_viewed, points: 1, show: [path, title]"), name="m").plan
    again = read_compiled(write_compiled(plan).encode(), name="m")
    assert rules_of(again).shown == {"it": ("path", "title")}


@pytest.mark.parametrize(
    ("signal", "severity", "column", "message", "suggestion"),
    [
        (
            "on: content_downloaded, points: 20, show: [kind, contnet]",
            *(Severity.WARNING, 73, '"contnet" is not a standard property of events'),
            'did you mean "content"?',
        ),
        (
            "on: page_viewed, points: 20, show: []",
            *(Severity.ERROR, 59, "names nothing", "name a property, or write never"),
        ),
        (
            "on: page_viewed, points: 20, show: Landing Page",
            *(Severity.ERROR, 59, "", ""),
        ),
    ],
)
def test_a_slip_is_found_at_its_place(
    signal: str, severity: Severity, column: int, message: str, suggestion: str
) -> None:
    (found,) = check(model(signal))
    assert (found.severity, found.line, found.column) == (severity, 2, column)
    assert message in found.message
    assert suggestion in found.suggestion


@pytest.mark.parametrize(
    "signal",
    [
        "on: form_submitted, points: 5, show: [favourite_colour, what_do_you_need]",  # a form's own
        "on: form_submitted, points: 5, show: message",
    ],
)
def test_fields_of_a_form_are_no_slips(signal: str) -> None:
    assert check(model(signal)) == []


def test_a_declared_property_is_no_slip() -> None:
    text = model("on: form_submitted, points: 5, show: contnet", "properties: {contnet: string}\n")
    assert check(text) == []


@pytest.mark.parametrize("name", ready_names())
def test_the_ready_made_models_show_what_sales_asks_for(name: str) -> None:
    shown = ready_model(name).rules.shown
    assert any(shown.values())
    assert "email_opened" not in shown


def test_a_demo_request_under_the_ready_made_model_is_a_step_with_its_words() -> None:
    rules = ready_model("b2b-saas").rules
    event = an_event(name="demo_requested", properties={"comments": "We need SSO.", "product": "A"})
    step = step_of(event, rules.classify(event), rules)
    assert step
    assert step.details == (("product", "A"), ("message", "We need SSO."))
