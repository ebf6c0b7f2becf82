"""The file of who speaks for sales: every fault is named, no secret is, and nothing is open."""

import re
from pathlib import Path

import pytest

from senders.configured import file_of, sales_senders
from warmlead.domain.errors import ConfigurationError
from warmlead.senders.registry import REGISTRY, senders_of
from warmlead.settings import Settings

SALES = file_of("sales")

SALES_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "docs/sales.md",
    *(
        ROOT / f"shared/warmlead/senders/{sender}/README.md"
        for sender in (each.name for each in REGISTRY if each.function == "sales")
    ),
]


def changed(sender: str, **fields: object) -> dict[str, object]:
    """The file with one sender's settings changed; ``None`` leaves one out."""
    settings = {**SALES[sender], **fields}
    return {sender: {name: value for name, value in settings.items() if value is not None}}


def in_production(path: Path) -> Settings:
    return Settings(env="production", sales=path)


def problems_of(raw: object, *, production: bool = False) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as error:
        sales_senders(raw, production=production)
    return error.value.problems


def test_each_sender_has_its_path() -> None:
    senders = sales_senders(SALES, production=True)
    assert {path: sender.name for sender in senders for path in sender.paths} == {
        f"/{each.path}": each.name for each in REGISTRY if each.function == "sales"
    }
    assert sales_senders(None) == []


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (["x"], "the file must be a mapping of senders by name"),
        ({"zoho": {}}, "zoho: is not known; there are generic, hubspot, "),
        ({"hubspot": 3}, "hubspot: must be a mapping of names to values"),
        ({"generic": {}}, "generic: give a signature, or say allow_unsigned: true"),
        (changed("hubspot", url=None), "hubspot.url: is missing"),
        (changed("hubspot", url="/sales/hubspot"), "hubspot: url must be the whole address"),
        (changed("hubspot", url="https://x/h?a=1"), "hubspot: url must be the whole address"),
        (changed("hubspot", secrets=[]), "hubspot.secrets: "),
        (changed("hubspot", secrets=[""]), "hubspot.secrets: "),
        (changed("hubspot", portals=["mine"]), "hubspot.portals: "),
        (changed("hubspot", currency="EURO"), "hubspot: currency is not a code of ISO 4217"),
        (changed("hubspot", numbers="1200"), "hubspot.numbers: must be 1,234.56 or 1.234,56 or"),
        (changed("hubspot", stagse={}), "hubspot.stagse: is not known; there are "),
        (changed("hubspot", stages={"a": 3}), "hubspot.stages.a: must be a mapping of the"),
        (
            changed("hubspot", stages={"dealstage": {"won": "won", "gone": "vanished"}}),
            "hubspot.stages.dealstage.gone: must be one of touched, accepted, not_ready,",
        ),
        (changed("salesforce", tokens=["short"]), "salesforce.tokens: "),
        (
            changed("salesforce", tokens=None, signature=None),
            "salesforce: give tokens, a signature, or both",
        ),
        (changed("pipedrive", user="a:b"), "pipedrive.user: "),
        (changed("pipedrive", companies=[]), "pipedrive.companies: "),
    ],
)
def test_a_fault_is_named_with_its_place(raw: object, problem: str) -> None:
    (found,) = problems_of(raw)
    assert found.startswith(problem)


def test_all_faults_are_named_and_no_secret() -> None:
    raw = {
        **changed("hubspot", url=None, stages={"a": {"x": "hunter2"}, "b": {"y": "z", "1": "won"}}),
        **changed("pipedrive", passwords="hunter2"),
    }
    found = problems_of(raw)
    assert [problem.partition(": ")[0] for problem in found] == [
        "hubspot.url",
        "hubspot.stages.a.x",
        "hubspot.stages.b.y",
        "pipedrive.passwords",
    ]
    assert "hunter2" not in str(found)


def test_production_accepts_no_unsigned_sender() -> None:
    raw = {"generic": {"allow_unsigned": True}}
    assert len(sales_senders(raw)) == 1
    assert problems_of(raw, production=True) == (
        "generic.allow_unsigned: is only for one's own machine",
    )


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("generic", "signature.secrets"),
        ("hubspot", "secrets"),
        ("salesforce", "tokens"),
        ("salesforce", "signature.secrets"),
        ("pipedrive", "passwords"),
        ("slack", "secrets"),
    ],
)
def test_production_takes_no_secret_of_a_sender_that_is_easily_guessed(
    sender: str, name: str
) -> None:
    for secret in ("s", "abcdef" * 6, "ab" * 20, " the secret of a sender "):
        value: object = [SALES_SECRET, secret]
        for part in reversed(name.split(".")):
            value = {part: value}
        assert isinstance(value, dict)
        raw = changed(sender, **value)
        (problem,) = (p for p in problems_of(raw, production=True) if "random text" in p)
        assert problem.startswith(f"{sender}.{name}: each must be a random text of at least 16")
        assert secret not in problem or secret == "s"


def test_all_faults_of_the_file_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "sales.yaml"
    path.write_text(
        "generic: {allow_unsigned: true}\n"
        "hubspot: {secrets: [env:HS], url: x, portals: [1], stages: {}}\n"
        "pipedrive: {user: w, passwords: [short], companies: [1], stages: {a: 3}}\n"
    )
    with pytest.raises(ConfigurationError) as error:
        senders_of("sales", in_production(path), {})
    assert [problem.partition(": ")[0] for problem in error.value.problems] == [
        "hubspot.secrets",
        "hubspot",
        "pipedrive.stages.a",
        "generic.allow_unsigned",
        "pipedrive.passwords",
    ]


def test_settings_do_not_show_their_secrets() -> None:
    shown = repr([vars(sender) for sender in sales_senders(SALES)])
    for name in ("secrets", "tokens", "passwords"):
        for sender in SALES.values():
            assert not any(secret in shown for secret in sender.get(name, []))


def test_secrets_come_from_the_environment_and_numbers_in_yaml_are_texts(tmp_path: Path) -> None:
    path = tmp_path / "sales.yaml"
    path.write_text(
        "pipedrive: {user: w, passwords: [env:PD], companies: [1], "
        "stages: {stage_id: {3: won}, done: {yes: touched}}}"
    )
    assert len(senders_of("sales", in_production(path), {"PD": "a-password-of-tests"}).all()) == 1
    with pytest.raises(ConfigurationError) as error:
        senders_of("sales", in_production(path), {})
    assert error.value.problems == ("pipedrive.passwords: the variable PD is not set",)
    with pytest.raises(ConfigurationError) as missing:
        senders_of("sales", in_production(tmp_path / "no.yaml"), {})
    assert "it cannot be read" in str(missing.value)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_the_documented_settings_are_valid(page: Path, tmp_path: Path) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    assert shown
    for number, text in enumerate(shown):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text)
        assert len(senders_of("sales", in_production(path), Anything()).all()) == 1


class Anything(dict[str, str]):
    """An environment in which each variable is set."""

    def get(self, *_: object) -> str:
        return "a-secret-of-the-tests-0123456789"
