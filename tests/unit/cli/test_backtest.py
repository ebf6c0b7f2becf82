"""``warmlead model backtest``: what people and programs read, and when it refuses to judge."""

import json
from datetime import datetime

import pytest

from unit.cli.conftest import Workspace


def test_a_person_reads_figures_changes_and_addresses(crowded: Workspace) -> None:
    done = crowded.run("model", "backtest", "in-use", "turned.yaml", "--within", "60d")
    assert done.code == 0, done.err
    assert "120 leads, 40 of them (33%) reached customer within 60 days" in done.out
    assert "0.812" in done.out
    assert "-0.625" in done.out
    assert "75% (60%–86%)" in done.out
    assert "80 leads pass with turned.yaml" in done.out
    assert "<lead-" in done.out
    assert "[red]more" in done.out


def test_a_program_reads_a_stable_shape_without_addresses(crowded: Workspace) -> None:
    report = crowded.json("model", "backtest", "in-use", "turned.yaml", "--within", "60d")
    assert "example.com" not in json.dumps(report)
    assert report.keys() == {
        *("outcome", "since", "until", "after_hours", "within_days", "as_of", "leads", "won"),
        *("weeks", "left_out", "public", "models", "changes"),
    }
    of_models = {frozenset(model) for model in report["models"]}
    fields = ("name", "version", "auc", "gain", "at_bar", "tenths", "reliability", "gaps")
    assert of_models == {frozenset(fields)}
    (change,) = report["changes"]
    example = change["more"]["examples"][0]
    assert example.keys() == {"id", "known_at", "judged_at", "won", "before", "after"}
    assert example["after"].keys() == {"score", "reasons"}


def test_a_page_fetches_nothing_names_nobody_and_shows_texts_as_they_are(
    crowded: Workspace,
) -> None:
    done = crowded.run(
        *("model", "backtest", "in-use", "turned.yaml", "--within", "60d", "--page", "page.html")
    )
    assert done.code == 0, done.err
    page = (crowded.folder / "page.html").read_text()
    assert "<b>" not in page
    assert "&lt;b&gt;Demo&lt;/b&gt; &amp; [red]more" in page
    assert "example.com" not in page
    assert "src=" not in page
    assert "href=" not in page
    assert len(page) < 60_000


def test_a_signal_that_histories_do_not_know_is_said_loudly(crowded: Workspace) -> None:
    refused = crowded.run("model", "backtest", "in-use", "new.yaml", "--within", "60d")
    assert refused.code == 1
    assert "of 25 more the history does not know what a model counts" in refused.err
    done = crowded.run(
        *("model", "backtest", "in-use", "new.yaml", "--within", "60d", "--as-if-none")
    )
    assert done.code == 0, done.err
    assert "Not known of the past, for new.yaml: read (25 leads)" in done.out
    assert "warmlead replay" in done.out


def test_too_few_leads_are_not_judged_and_what_is_missing_is_said(crowded: Workspace) -> None:
    cut = crowded.json("model", "backtest", "in-use", "--within", "60d")
    middle = (datetime.fromisoformat(cut["as_of"])).date().toordinal() - 170
    since = datetime.fromordinal(middle).date().isoformat()
    done = crowded.run("model", "backtest", "in-use", "--within", "60d", "--from", since)
    assert done.code == 1
    assert "of 100 ripe leads that are needed there are" in done.err
    assert "became known at another time than asked for" in done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--outcome", "custmer"), "There is no stage 'custmer'"),
        (("--after", "soon"), "--after: a duration is a whole number and a unit"),
        (("--within", "0d"), "--within must be longer than 0"),
        (("--from", "yesterday"), "--from: 'yesterday' is not a date"),
        (("turned.yaml", "turned.yaml"), "Name each model once"),
        (("--page", "no/such/folder.html"), "cannot be written"),
    ],
)
def test_what_cannot_be_understood_is_a_wrong_use(
    crowded: Workspace, options: tuple[str, ...], said: str
) -> None:
    done = crowded.run("model", "backtest", "in-use", *options)
    assert done.code == 2
    assert said in done.err
