"""Stories with a bypass that has terms, steps that have conditions, and the lead's own clock."""

from typing import Any

import pytest

from unit.cli.conftest import Workspace

MODEL = """
signals:
  demo_requested: {on: demo_requested, points: 60, per_day: 1, half_life: 60d}
  crm_page: {on: page_viewed, when: path.startsWith("/crm"), points: 1, per_day: 1, half_life: 30d}
stages:
  mql:
    enter: score >= 90
    leave: score < 40
    bypass: [{signal: demo_requested, when: "!free_mailbox", trust: signed}]
sequences:
  education:
    start: stage == "mql"
    stop: stage == "disqualified"
    goal: stage == "sql"
    hours: {days: mon-sun, from: "20:00", to: "02:00", time_zone: lead or UTC}
    steps:
      - {after: 0h, message: crm-guide, when: crm_page}
      - {after: 1h, message: general-guide, when: crm_page == false}
      - {after: 3d, message: case-study}
"""
STORY = """
start: 2026-03-02
days: 6
lead: {email: EMAIL, traits: {country: JP}}
events:
  - {at: day 1 10:00, event: demo_requested, trust: TRUST}
"""


def sent(workspace: Workspace, email: str, trust: str, more: str = "") -> list[tuple[str, str]]:
    model = workspace.write("model.yaml", MODEL)
    text = STORY.replace("EMAIL", email).replace("TRUST", trust) + more
    story = workspace.write("story.yaml", text)
    played: Any = workspace.json("model", "simulate", str(story), "--model", str(model))
    return [
        (line["at"], line["data"]["event"]["data"]["message"])
        for day in played["days"]
        for line in day["lines"]
        if line["kind"] == "sent" and "message" in line["data"]["event"]["data"]
    ]


@pytest.mark.parametrize(
    ("email", "trust", "messages"),
    [
        # 10:00 UTC is 19:00 in Tokyo: the guide waits for 20:00, an hour after the first step
        (
            "ada@acme.com",
            "signed",
            [("03-02 12:00", "general-guide"), ("03-05 11:00", "case-study")],
        ),
        ("ada@acme.com", "public", []),
        ("ada@gmail.com", "signed", []),
    ],
)
def test_a_story_follows_the_terms_of_a_bypass_and_the_conditions_of_steps(
    workspace: Workspace, email: str, trust: str, messages: list[tuple[str, str]]
) -> None:
    told = [(at[5:16].replace("T", " "), message) for at, message in sent(workspace, email, trust)]

    assert told == messages


@pytest.mark.slow
def test_a_statement_of_sales_ends_a_sequence_before_its_next_step(workspace: Workspace) -> None:
    accepted = "  - {at: day 4 10:59, sales: accepted}\n"

    told = sent(workspace, "ada@acme.com", "signed", accepted)

    assert [message for _, message in told] == ["general-guide"]


COOLING = """
signals:
  form_submitted: {on: form_submitted, points: 40, half_life: 60d}
  demo_requested: {on: demo_requested, points: 40, half_life: 60d}
stages:
  mql: {enter: score >= 30, leave: score < 20, cooldown: 10d, bypass: [demo_requested]}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "entered"),
    [
        ("day 1 08:30", ["03-02 08:00", "03-13 00:00"]),  # sales knew of it: the cooldown holds
        ("day 1 09:01", ["03-02 08:00", "03-02 09:01"]),
        ("day 2 00:01", ["03-02 08:00", "03-03 00:01"]),
    ],
)
def test_a_bypass_ends_a_cooldown_from_the_moment_of_the_rejection_on(
    workspace: Workspace, asked: str, entered: list[str]
) -> None:
    model = workspace.write("model.yaml", COOLING)
    events = sorted(
        [
            "{at: day 1 08:00, event: form_submitted}",
            "{at: day 1 09:00, sales: rejected, reason: unreachable}",
            f"{{at: {asked}, event: demo_requested}}",
        ]
    )
    listed = "\n".join(f"  - {event}" for event in events)
    head = "start: 2026-03-02\ndays: 12\nlead: {email: ada@acme.com}\nevents:\n"
    story = workspace.write("story.yaml", head + listed)
    played: Any = workspace.json("model", "simulate", str(story), "--model", str(model))
    at = [
        line["at"][5:16].replace("T", " ")
        for day in played["days"]
        for line in day["lines"]
        if line["kind"] == "sent" and line["data"]["event"]["data"]["stage"] == "mql"
    ]

    assert at == entered
