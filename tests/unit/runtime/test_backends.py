"""What a process reads at its start: a compiled model whose dates have grown old."""

import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from warmlead.model.loading import ready_model
from warmlead.model.plan import write_compiled
from warmlead.runtime import backends
from warmlead.settings import read_settings

TODAY = datetime.now(UTC).date()


@pytest.mark.parametrize(
    ("until", "logged"),
    [
        (None, []),
        (TODAY + timedelta(days=200), []),
        (TODAY + timedelta(days=100), ["holidays_run_out"]),
        (date(2024, 12, 31), ["holidays_run_out"]),
    ],
)
def test_a_function_logs_that_the_holidays_of_its_model_run_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, until: date | None, logged: list[str]
) -> None:
    path = tmp_path / "model.json"
    plan = structs.replace(ready_model("b2b-saas").plan, holidays_until=until)
    path.write_text(write_compiled(plan), encoding="utf-8")

    with caplog.at_level(logging.INFO, "warmlead"):
        rules = backends.rules(read_settings({"WARMLEAD_MODEL": str(path)}))
    assert rules.version == plan.version
    assert [record.message for record in caplog.records] == logged
