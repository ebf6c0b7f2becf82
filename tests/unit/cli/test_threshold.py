"""``warmlead model threshold``: the views of the bar, for people and for programs."""

import pytest

from unit.cli.conftest import Workspace

ASKED = ("--capacity", "5/week", "--target", "50%", "--contact-cost", "10", "--deal-value", "100")


def test_a_person_reads_the_views_and_the_curve(crowded: Workspace) -> None:
    done = crowded.run("model", "threshold", "--within", "60d", *ASKED)
    assert done.code == 0, done.err
    assert "the lowest bar that at most 5 pass in a week" in done.out
    assert "the lowest bar whose rate is at least 50%" in done.out
    assert "75%" in done.out
    assert "(60%–86%)" in done.out
    assert "← today" in done.out


def test_a_program_reads_a_stable_shape(crowded: Workspace) -> None:
    report = crowded.json("model", "threshold", "--within", "60d", *ASKED)
    assert report.keys() == {
        *("model", "version", "stage", "outcome", "since", "until", "after_hours", "within_days"),
        *("as_of", "leads", "won", "weeks", "always", "never", "left_out", "gaps"),
        *("public", "views", "curve"),
    }
    views = {view["view"]: (view["bar"], view["passed"], view["won"]) for view in report["views"]}
    assert views == {
        "today": (30, 40, 30),
        "capacity": (30, 40, 30),
        "target": (30, 40, 30),
        "value": (0, 120, 40),
    }
    assert [step["bar"] for step in report["curve"]] == [0, 30]
    assert report["curve"][0].keys() == {"bar", "passed", "won", "mqls_a_week", "precision"}


def test_a_page_draws_the_curve_and_fetches_nothing(crowded: Workspace) -> None:
    done = crowded.run("model", "threshold", "--within", "60d", *ASKED, "--page", "bar.html")
    assert done.code == 0, done.err
    page = (crowded.folder / "bar.html").read_text()
    assert page.count("<polyline") == 2
    assert "src=" not in page
    assert "href=" not in page


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--capacity", "many"), "--capacity: 'many' is not a number"),
        (("--capacity", "0"), "--capacity: '0' is not a number"),
        (("--target", "130%"), "--target: '130%' is not a rate"),
        (("--contact-cost", "20", "--deal-value", "inf"), "are numbers"),
        (("--page", "no/such/folder.html"), "there is no such folder"),
        (("--contact-cost", "20"), "--contact-cost and --deal-value belong together"),
    ],
)
def test_what_cannot_be_understood_is_a_wrong_use(
    crowded: Workspace, options: tuple[str, ...], said: str
) -> None:
    done = crowded.run("model", "threshold", *options)
    assert done.code == 2
    assert said in done.err
