"""A changed model file: exactly the points that were meant, and all else as it was written."""

import re
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from warmlead.learning.editing import EditError, ModelText, Restated
from warmlead.model.document import read
from warmlead.model.loading import ready_names, ready_text

MOST_POINTS = 1000
SECTIONS = ("signals", "fit", "bonuses")


def comments(text: str) -> Counter[str]:
    """The comments of a file whose texts hold no ``#``, as those of the ready models do not."""
    return Counter(re.findall(r"#.*$", text, re.MULTILINE))


@pytest.mark.parametrize("name", ready_names())
@settings(max_examples=examples(20), deadline=None)
@given(seed=st.randoms(use_true_random=False))
def test_new_points_change_nothing_else_of_a_ready_model(name: str, seed: Random) -> None:
    text = ready_text(name)
    value = read(text).value
    assert isinstance(value, dict)
    changed = ModelText(text)
    for section in SECTIONS:
        entries = value.get(section, {})
        assert isinstance(entries, dict)
        for entry, of_entry in entries.items():
            assert isinstance(of_entry, dict)
            of_entry["points"] = points = seed.randint(-MOST_POINTS, MOST_POINTS)
            changed.state((section, entry, "points"), points)
    value["base"] = base = seed.randint(-MOST_POINTS, MOST_POINTS)
    changed.state_top("base", base)
    new = changed.changed()
    assert read(new).value == value
    assert comments(new) == comments(text)
    without_points = re.compile(r"points: -?\d+")
    lines = [without_points.sub("", each).splitlines() for each in (text, new)]
    at = lines[1].index(f"base: {base}")
    assert lines[1][at - 1] == ""
    assert lines[1][: at - 1] + lines[1][at + 1 :] == lines[0]


STYLES = {
    "block": """signals:
  seen:
    on: page_viewed # every page
    points: 5

# what opens it
stages:
  mql: {enter: score >= 50}
""",
    "flow": """signals: {seen: {on: page_viewed, points: 5}} # all
fit: {}
stages: {mql: {enter: score >= 50}}""",
    "flow root": """{signals: {seen: {on: page_viewed, points: 5, }, }, # all
stages: {mql: {enter: score >= 50}}}""",
    "deep": """signals:
    seen: {on: page_viewed, points: 5} # c
    # more to come
bonuses:
    often:
        when: >-
            last_30d.seen >= 3 &&
            score > 50
        points: 3


# end
""",
    "Windows": """signals:
  seen: {on: page_viewed, points: 5} # ö
fit:
  dach: {when: country == "DE", points: 3} # c
stages:
  mql:
    enter: >-
      fit >= 1 &&
      score >= 50
""".replace("\n", "\r\n"),
    "no end": """signals: {seen: {on: page_viewed, points: 5}}
fit:
  all: {when: "true", points: 1}""",
}


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)
def test_entries_are_added_in_the_style_of_their_section(text: str) -> None:
    changed = ModelText(text)
    changed.add("fit", "from_a_fair", {"when": 'first.campaign == "fair, 2026"', "points": 7})
    long = " && ".join(["last_30d.page_viewed >= 3"] * 4)
    changed.add("bonuses", "eager", {"when": long, "points": -3, "title": "Eager: often here"})
    changed.state_top("base", 12)
    changed.state(("signals", "seen", "points"), -20)
    new = changed.changed()
    value = read(new).value
    assert isinstance(value, dict)
    assert value["base"] == 12
    assert comments(new) == comments(text)
    assert ("\n" in new.replace("\r\n", "")) == ("\n" in text.replace("\r\n", ""))
    if not text.startswith(("{", "signals: {")):
        assert max(map(len, new.splitlines())) <= len(f"        when: {long}")


def test_a_new_section_stands_behind_those_that_make_points() -> None:
    changed = ModelText(STYLES["block"])
    changed.add("fit", "dach", {"when": 'country == "DE"', "points": 7})
    assert changed.changed() == STYLES["block"].replace(
        "points: 5\n", 'points: 5\n\nfit:\n  dach: {when: country == "DE", points: 7}\n'
    )


@pytest.mark.parametrize("style", ["deep", "Windows"])
def test_numbers_in_a_folded_condition_are_replaced_where_they_stand(style: str) -> None:
    text = STYLES[style]
    path = ("bonuses", "often", "when") if style == "deep" else ("stages", "mql", "enter")
    value = read(text).value
    for part in path:
        assert isinstance(value, dict)
        value = value[part]
    assert isinstance(value, str)
    numbers = [
        Restated(found.start(), found.end(), 100 + i)
        for i, found in enumerate(re.finditer(r"(?<=>= )\d+|(?<=> )\d+", value))
    ]
    changed = ModelText(text)
    changed.restate(path, numbers)
    assert len(numbers) == 2
    expected = text.replace(">= 3 &&", ">= 100 &&").replace("> 50", "> 101")
    expected = expected.replace(">= 1 &&", ">= 100 &&").replace("score >= 50", "score >= 101")
    assert changed.changed() == expected


def test_a_text_that_says_something_else_is_refused() -> None:
    with pytest.raises(EditError):
        ModelText("signals: [")
    changed = ModelText(STYLES["block"])
    with pytest.raises(EditError, match=r"signals\.seen is not a number"):
        changed.state(("signals", "seen"), 5)
    with pytest.raises(EditError, match="cannot be added"):
        changed.add("signals", "seen", {"points": 1})
