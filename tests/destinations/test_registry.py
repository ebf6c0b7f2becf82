"""The file of destinations: every fault at once, each with its place and what to do."""

from pathlib import Path

import pytest

from warmlead.destinations.registry import TOOLS, destinations_in, destinations_of
from warmlead.destinations.selection import condition_problem, short_kind
from warmlead.domain.errors import ConfigurationError
from warmlead.messages.contract import MESSAGES
from warmlead.settings import Settings

GOOD = {"to": "webhook", "url": "https://hooks.example.com/in", "secrets": ["whsec_YQ=="]}
PRODUCTION = Settings(env="production")


def problems(content: object, using: Settings | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as raised:
        destinations_in(content, using or Settings())
    return raised.value.problems


def test_every_fault_is_named_with_its_place() -> None:
    found = problems(
        {
            "A b": GOOD,
            "nothing": None,
            "unknown": {"to": "zapier"},
            "bare": {"to": "webhook"},
            "odd": {**GOOD, "colour": "red", "when": "x >"},
            "wrong": {
                **GOOD,
                "url": "http://example.com",
                "secrets": ["whsec_%"],
                "headers": {"Host": "x"},
            },
            "chosen": {**GOOD, "messages": ["handoff.ofered"], "when": "scor > 3"},
        }
    )
    places = [problem.partition(": ")[0] for problem in found]
    assert places == [
        *("A b", "nothing", "unknown.to", "bare.url", "bare.secrets", "odd.colour"),
        *("wrong.url", "wrong.secrets", "wrong.headers.Host"),
        *("chosen.messages", "chosen.when"),
    ]
    text = "\n".join(found)
    assert "there are webhook" in text
    assert "did you mean handoff.offered?" in text
    assert "did you mean score?" in text


def test_what_is_for_ones_own_machine_is_a_fault_in_production() -> None:
    local = {**GOOD, "allow_local": True, "secrets": ["whsec_YQ=="]}
    assert destinations_in({"a": local}, Settings())
    found = problems({"a": local}, PRODUCTION)
    assert [problem.partition(": ")[0] for problem in found] == ["a.allow_local", "a.secrets"]


@pytest.mark.parametrize("content", [[], "x", 3, {3: GOOD}])
def test_what_is_no_mapping_of_destinations(content: object) -> None:
    assert problems(content)


def test_a_file_with_secrets_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "destinations.yaml"
    file.write_text("a: {to: webhook, url: 'https://x.example/', secrets: [env:A_SECRET]}\n")
    using = Settings(destinations=file)
    assert list(destinations_of(using, {"A_SECRET": "whsec_YQ=="})) == ["a"]
    with pytest.raises(ConfigurationError, match="the variable A_SECRET is not set"):
        destinations_of(using, {})
    with pytest.raises(ConfigurationError, match="cannot be read"):
        destinations_of(Settings(destinations=tmp_path / "none.yaml"), {})
    assert destinations_of(Settings(), {}) == {}


def test_secrets_are_not_shown() -> None:
    for tool in TOOLS:
        shown = repr(tool.settings_type())
        assert "secret" not in shown
    [made] = destinations_in({"a": {**GOOD, "secrets": ["whsec_c2VjcmV0"]}}, Settings()).values()
    assert "c2VjcmV0" not in repr(made)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ""),
        ("score >= 60 && stage == 'mql'", ""),
        ('traits.country in ["US", "CA"]', ""),
        ('"score" in changed', ""),
        ("scor > 3", "did you mean score?"),
        ("score", "true or false"),
        ("score > 3 and grade == 'A'", "&&"),
        ("owner = 'ann'", "=="),
        ("score > 'a'", "no matching overload"),
        ("(" * 3_000, "cannot be understood"),
    ],
)
def test_what_is_wrong_with_a_condition(text: str, problem: str) -> None:
    found = condition_problem(text)
    assert problem in found
    assert bool(found) == bool(problem)


def test_short_names_of_messages_are_one_each() -> None:
    assert len({short_kind(kind) for kind in MESSAGES}) == len(MESSAGES)
    assert short_kind("warmlead.handoff.offered.v1") == "handoff.offered"
