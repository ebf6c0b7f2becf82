"""``warmlead model review``: what passed, what came back and why, on one page; what is missing."""

import re

from unit.cli.conftest import Workspace


def test_a_person_reads_what_passed_why_leads_came_back_and_what_is_missing(
    year: Workspace,
) -> None:
    done = year.run("model", "review", "--month", "2025-08")
    assert done.code == 0, done.err
    words = " ".join(done.out.split())
    assert words.startswith("2025-08: 36 leads became known, 7 became MQLs; sales accepted 2 and")
    assert "sent 1 back." in words
    assert "50-74 7 4 4" in words  # of seven two were accepted, and four won, the two among them
    assert "not ready 1" in words
    assert "Alarm. The scores have shifted" in words
    assert words.endswith(
        "What the data would change Too few leads: of 30 with the outcome that are "
        "needed there are 24."
    )


def test_a_program_reads_a_stable_shape(year: Workspace) -> None:
    made = year.json("model", "review", "--month", "2025-08")
    assert made.keys() == {
        *("month", "model", "version", "as_of", "became_known", "mqls", "accepted", "rejected"),
        *("passed", "reasons", "unused", "answers", "look", "look_from", "suggested", "missing"),
    }
    assert made["passed"] == [{"band": "50-74", "mqls": 7, "sqls": 4, "customers": 4}]
    assert (made["reasons"], made["suggested"]) == ({"not_ready": 1}, None)


def test_the_page_fetches_nothing_is_small_and_shows_texts_as_they_are(year: Workspace) -> None:
    model = year.folder / "a<b>c.yaml"
    (year.folder / "watched.yaml").rename(model)
    year.settings["WARMLEAD_MODEL"] = str(model)
    page = year.folder / "review.html"
    done = year.run("model", "review", "--month", "2025-08", "--page", str(page))
    assert done.code == 0, done.err
    shown = page.read_text()
    assert "a&lt;b&gt;c.yaml" in shown
    assert "default-src 'none'" in shown
    assert not re.search(r"<script|src=|href=|https?:", shown)
    assert len(shown) < 60_000
    assert "What the bar let through" in shown
    assert "@example.com" not in shown


def test_a_month_that_is_not_over_is_refused(year: Workspace) -> None:
    done = year.run("model", "review", "--month", "this-month")
    assert (done.code, "is not over." in done.err) == (2, True)


def test_what_the_data_would_change_is_said_with_who_may_have_made_them_up(
    crowded: Workspace,
) -> None:
    done = crowded.run("model", "review", "--page", "review.html")
    assert done.code == 0, done.err
    assert "120 leads, of which 40 (33%) became customer" in done.out
    for shown in (done.out, (crowded.folder / "review.html").read_text()):
        assert "Of 80 of 120 leads (67%) only the public has said who they are" in shown
