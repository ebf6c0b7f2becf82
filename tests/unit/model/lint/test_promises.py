"""Promises that cannot be meant: of stages, of office hours, of holidays. » marks the place."""

import pytest

from warmlead.model.document import Severity
from warmlead.model.loading import check

HANDOFF = """\
signals:
  demo: {on: demo_requested, points: 10, half_life: 30d}
stages:
  mql: {enter: score >= 10, leave: score < 5}
  pql: {enter: score >= 30, leave: score < 20, cooldown: 30d}
handoff:
  first_touch_within: 1h
  accept_within: 16h
"""
HOURS = '  hours: {from: "09:00", to: "18:00", time_zone: UTC, holidays: %s}\n'
OPEN = HOURS % "US"

# (lines of the section, fragment of the message, suggestion)
FAULTS = [
    ("  stages: {»mqls: none}\n", 'the model has no stage "mqls"', 'did you mean "mql"?'),
    ("  stages: {mql: »no}\n", "or makes no offers", "write none"),
    ("  stages: {mql: »false}\n", "or makes no offers", "write none"),
    ("  stages: {pql: {first_touch_within: »17h}}\n", "is longer than accept_within", ""),
    ("  stages: {pql: {accept_within: »30m}}\n", "is shorter than first_touch_within", ""),
    ("  stages: {pql: {remind_after: »1h}}\n", "the time to speak to the lead is up", "let it be"),
    ("  stages: {pql: {»first_touch: 2h}}\n", "unknown key", 'did you mean "first_touch_within"?'),
    ("  stages: {pql: {routes: [{»user: ann}]}}\n", "unknown key", ""),
    ("  stages: {pql: {routes: [»{when: demo}]}}\n", "has no owner", "add owner: or owners:"),
    (
        '  stages: {pql: {routes: [{when: »stage == "mql", owner: ann}]}}\n',
        "no lead takes this route: these routes are for pql",
        "move it to handoff.routes",
    ),
    (
        '  routes: [{when: »stage == "pql", owner: a}]\n  stages: {pql: {routes: [{owner: b}]}}\n',
        "no lead takes this route: pql has routes of its own",
        "move it to handoff.stages.pql.routes",
    ),
    (
        '  routes: [{when: »stage == "sql", owner: ann}]\n',
        "leads are offered in a stage of the model only",
        "",
    ),
    ("  stages: {pql: {routes: [{when: »dmo, owner: ann}]}}\n", "unknown", "demo"),
    (
        '  stages: {mql: none}\n  routes: [{when: »stage == "mql", owner: ann}, {owner: bob}]\n',
        "no lead takes this route: mql makes no offers",
        "leave out mql: none in handoff.stages",
    ),
    (HOURS % "[»DE-XX]", '"DE" has no part "XX"', "its parts are BB, BE"),
    (HOURS % "[»GB-ENGL]", '"GB" has no part "ENGL"', 'did you mean "GB-ENG"?'),
    (HOURS % "[»SG-1]", '"SG" has no part "1"', "write SG"),
    (HOURS % "[US, »XX]", 'there are no holidays of "XX"', ""),
    (HOURS % "[»de-by]", '"de-by" is no holiday', "write DE-BY"),
    (HOURS % "[»Germany]", '"Germany" is no holiday', "write DE"),
    (HOURS % "[»USA]", '"USA" is no holiday', "write US"),
    (HOURS % "[»13-45]", '"13-45" is no holiday', ""),
    (HOURS % "[»2026-02-30]", '"2026-02-30" is no holiday', ""),
    (OPEN.replace('"09:00"', "»9"), "a time of day is", 'write "09:00"'),
    (OPEN.replace('"18:00"', '»"08:00"'), "end before they begin", "swap from and to"),
    (OPEN.replace('"18:00"', '»"09:00"'), "no time is left", ""),
    (OPEN.replace("UTC", "»Berlin"), "is not a time zone", 'did you mean "Europe/Berlin"?'),
    (OPEN.replace(", time_zone: UTC", "").replace("hours", "»hours"), '"time_zone" is missing', ""),
    ("  routes: [{owner: ann, »time_zone: UTC}]\n", "takes no effect", "add hours: to handoff"),
    ("  routes: [{owner: ann, »holidays: US}]\n", "takes no effect", "add hours: to handoff"),
    (OPEN + "  routes: [{owner: ann, holidays: [»XX]}]\n", "there are no holidays", ""),
    (
        OPEN + "  routes: [{when: demo, owner: ann, time_zone: UTC}, »{owner: ann}]\n",
        '"ann" has other hours',
        "write the same",
    ),
    (
        OPEN + "  stages: {pql: {accept_within: »3000h}}\n",
        "takes more than a year of office hours: a week has 45 hours",
        "write working time",
    ),
]  # fmt: skip
DOUBTS = [
    ("  stages: {»mql: {}}\n", "changes nothing", "leave it out, or write none"),
    (
        OPEN + "  stages: {pql: {accept_within: »24h}}\n",
        "is working time, and so is longer than it looks: a week has 45 hours",
        "write the hours of work",
    ),
]


@pytest.mark.parametrize(("lines", "fragment", "suggestion"), FAULTS + DOUBTS)
def test_what_cannot_be_meant_is_found_at_its_place(
    lines: str, fragment: str, suggestion: str
) -> None:
    text = HANDOFF + lines
    before = text[: text.index("»")]
    place = (before.count("\n") + 1, len(before) - before.rfind("\n"))

    (found,) = check(text.replace("»", ""))

    assert (found.line, found.column) == place, found
    assert fragment in found.message
    assert suggestion in found.suggestion
    is_doubt = (lines, fragment, suggestion) in DOUBTS
    assert found.severity is (Severity.WARNING if is_doubt else Severity.ERROR)


def test_sales_that_gets_back_at_once_what_it_rejects_is_doubted() -> None:
    text = HANDOFF.replace(", cooldown: 30d", "")

    (found,) = check(text)

    assert (found.line, found.column, found.severity) == (4, 3, Severity.WARNING)
    assert found.message == "has no cooldown: a lead that sales rejects is offered again at once"
    assert check(text.replace("score < 5}", "score < 5, cooldown: 0d}")) == []
    assert check(text + "  stages: {mql: none}\n")[0].line == 5
    assert check(text[: text.index("handoff:")]) == []


def test_a_section_by_which_no_stage_is_offered_is_doubted() -> None:
    (found,) = check(HANDOFF + "  stages: {mql: none, pql: none}\n")

    assert (found.line, found.message) == (6, "no stage is offered")


@pytest.mark.parametrize(
    "lines",
    [
        OPEN,
        HOURS % "[DE-BY, GB-SCT, UK, 12-24, 02-29, 2026-12-28]",
        "  stages: {mql: none}\n",
        "  remind_after: 30m\n  stages: {pql: {first_touch_within: 30m}}\n",  # half of that
        "  stages: {pql: {routes: [{when: demo, owner: ann}, {owner: bob}]}}\n",
        OPEN + "  routes: [{owner: ann, time_zone: America/New_York, holidays: [US-CA, 12-31]}]\n",
    ],
)
def test_what_can_be_meant_is_no_finding(lines: str) -> None:
    assert check(HANDOFF + lines) == []
