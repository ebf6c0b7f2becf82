"""Reading a story: what an event states is what a sender would have stated."""

from warmlead.simulation.story import read_story

STORY = """
lead: {email: ada@example.com}
events:
  - at: day 1 10:00
    event: page_viewed
    attribution: {utm_source: google, utm_medium: cpc, landing_page: "/webinar?utm_source=google"}
"""


def test_an_event_may_state_the_page_on_which_its_visit_began() -> None:
    checked = read_story(STORY)

    assert checked.script, checked.findings
    (event,) = checked.script.events
    assert event.attribution["landing_page"] == "/webinar"
    assert event.attribution["utm_source"] == "google"


def test_what_no_visit_has_is_a_fault() -> None:
    checked = read_story(STORY.replace("landing_page:", "landing:"))

    assert [found.message for found in checked.findings] == [
        "is not a UTM parameter, a click id, referrer or landing_page"
    ]
