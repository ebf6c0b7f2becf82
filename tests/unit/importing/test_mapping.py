"""A mapping file: what is valid, and how its faults are told."""

from pathlib import Path

import pytest

from warmlead.domain.errors import ConfigurationError
from warmlead.importing.mapping import read_mapping
from warmlead.importing.ready import ready_mapping, ready_mappings

SOUND = """
name: demo
currency: EUR
files:
  "leads*":
    email: Email
    facts:
      - {event: contact_requested, at: Created}
      - {stage: mql, at: MQL since}
"""


def test_a_file_is_found_by_its_name_also_as_a_file_of_errors() -> None:
    mapping = read_mapping(SOUND, name="m.yaml")
    for name in ("leads.csv", "leads-2025.csv", "leads.csv.errors.csv"):
        assert mapping.of_file(Path("/any") / name) is mapping.files["leads*"]
    assert mapping.of_file(Path("deals.csv")) is None


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ("email", "emial", "line 6, column 5: files.leads*.emial: is not known here"),
        ("email", "emial", 'did you mean "email"?'),
        ("stage:", "stag:", 'did you mean "stage"?'),
        ("{event: contact_requested, at: Created}", "{event: x, said: won, at: C}", "name one of"),
        ("stage: mql", "said: wno", 'did you mean "won"?'),
        ("event: contact_requested", "event: Contact requested", "files.leads*.facts[0].event"),
        ("email: Email", "origin: {sourc: S}", "line 6, column 14: files.leads*.origin.sourc: "),
        ("email: Email", "origin: [{sourc: S}]", "line 6, column 15: files.leads*.origin[0]."),
        ("email: Email", "origin: {sourc: S}", 'did you mean "source"?'),
        ("    email: Email\n", "", "give email, user_id or anonymous_id"),
        ("name: demo", "name: No!", "name"),
        ("currency: EUR", "numbers: many", "numbers"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place_and_what_was_meant(
    wrong: str, right: str, told: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_mapping(SOUND.replace(wrong, right, 1), name="m.yaml")
    assert told in str(raised.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_mapping(
            SOUND.replace("email", "emial").replace("at: Created", "on: Created"), name="m"
        )
    assert len(raised.value.problems) > 1


def test_what_is_not_yaml_is_told_with_its_place() -> None:
    with pytest.raises(ConfigurationError, match="line 2"):
        read_mapping("files:\n\t- a", name="m.yaml")


def test_a_stage_that_the_model_does_not_have_is_refused() -> None:
    mapping = read_mapping(SOUND, name="m.yaml")
    mapping.demand_stages(["mql"])
    with pytest.raises(ConfigurationError, match="the model has no stage mql; it has pql"):
        mapping.demand_stages(["pql"])


@pytest.mark.parametrize("tool", ready_mappings())
def test_a_ready_mapping_is_valid(tool: str) -> None:
    assert read_mapping(ready_mapping(tool), name=tool).name == tool


def test_there_are_ready_mappings_for_the_usual_tools() -> None:
    assert ready_mappings() == ["ga4", "hubspot", "pipedrive", "salesforce"]
    with pytest.raises(ConfigurationError, match="the ready ones are ga4"):
        ready_mapping("siebel")
