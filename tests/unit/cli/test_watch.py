"""``warmlead model watch``: what people and programs read of a month, and what is asked wrongly."""

import json

from unit.cli.conftest import Workspace


def test_a_person_reads_the_alarm_the_bands_and_the_outcomes(year: Workspace) -> None:
    done = year.run("model", "watch", "--month", "2025-08")
    assert done.code == 0, done.err
    assert "2025-08: 36 leads became known." in done.out
    assert "Compared with: model file, 600 leads, of which 120 became customer" in done.out
    assert "Alarm. The scores have shifted (PSI " in done.out
    assert [line.split() for line in done.out.splitlines() if "%" in line][-3:] == [
        ["below", "20", "33%", "81%"],
        ["20–49", "42%", "0%"],
        ["50", "and", "more", "25%", "19%"],
    ]

    done = year.run("model", "watch", "--month", "2025-03")
    assert "no alarm" in done.out
    assert "2025-01: 8 of 36 leads became customer; 14 were expected" in " ".join(done.out.split())


def test_a_program_reads_a_stable_shape_and_what_the_function_kept(year: Workspace) -> None:
    first = year.json("model", "watch", "--month", "2025-08")
    assert first.keys() == {"look", "kept"}
    assert (first["look"]["alarms"], first["kept"]) == (["scores"], [])

    done = year.run("run", "report", "--period", "month", "--as-of", "2025-09-30")
    assert "Alarm. The scores have shifted" in done.out
    done = year.run("run", "report", "--period", "month", "--as-of", "2025-09-30")
    assert "Alarm" not in done.out
    kept = year.json("model", "watch", "--month", "2025-09")["kept"]
    assert [(each["month"], each["look"]) for each in kept] == [("2025-08", first["look"])]
    shown = year.run("report", "2025-08").out.partition("Does the model still hold?")[2]
    (row,) = [line.split() for line in shown.splitlines() if line.startswith("2025-08")]
    assert (row[:2], row[-1]) == (["2025-08", "36"], "alarm")
    told = json.loads(year.run("report", "2025-08", "--format", "json").out)
    assert told["looks"] == [first["look"]]


def test_what_is_no_month_or_too_young_is_refused(year: Workspace) -> None:
    done = year.run("model", "watch", "--month", "2025-W08")
    assert (done.code, "'2025-W08' is not a month." in done.err) == (2, True)
    done = year.run("model", "watch", "--month", "this-month")
    assert (done.code, "can be judged from" in done.err) == (1, True)
