"""Settings: what variables mean, and that every fault is told at once, without a value."""

from pathlib import Path

import pytest

from warmlead.domain.errors import ConfigurationError
from warmlead.domain.event import Trust
from warmlead.settings import Settings, id_secrets, read_settings

SECRETS = {
    "WARMLEAD_WRITE_KEYS": "pk_site_5fQ9xLr2Tz",
    "WARMLEAD_ID_SECRET": "VqF3-an-id-secret-of-the-tests-8Zk2w",
}
DOCUMENTED = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")


def problems_of(**variables: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_settings({f"WARMLEAD_{name}": value for name, value in variables.items()})
    return list(caught.value.problems)


def test_variables_become_what_they_stand_for() -> None:
    found = read_settings(
        {
            "WARMLEAD_DATA": "/var/leads",
            "WARMLEAD_FORMS": "forms.yaml",
            "WARMLEAD_FORM_BYTES": "2000",
            "WARMLEAD_BODY_TIMEOUT_S": "2.5",
            "WARMLEAD_WRITE_KEYS": "site, server:signed,odd:one:public",
            "WARMLEAD_MODEL": "",
            "HOME": "/home/ada",
        }
    )
    assert found.data == Path("/var/leads")
    assert found.forms == Path("forms.yaml")
    assert (found.form_bytes, found.body_timeout_s) == (2000, 2.5)
    assert found.write_keys == {
        "site": Trust.PUBLIC,
        "server": Trust.SIGNED,
        "odd:one": Trust.PUBLIC,
    }
    assert found.model == Settings().model


def test_all_faults_are_reported_together_without_values() -> None:
    problems = problems_of(
        ENV="staging",
        FORM_BYTES="lots",
        TRACK_EVENT_BYTES="1023",
        BODY_TIMEOUT_S="nan",
        WRITE_KEYS="secret:owner",
        MODLE="b2b-saas",
    )
    assert {problem.partition(":")[0] for problem in problems[1:]} == {
        "WARMLEAD_ENV",
        "WARMLEAD_FORM_BYTES",
        "WARMLEAD_TRACK_EVENT_BYTES",
        "WARMLEAD_BODY_TIMEOUT_S",
        "WARMLEAD_WRITE_KEYS",
    }
    assert problems[0].startswith("WARMLEAD_MODLE is not a setting; there are WARMLEAD_ENV, ")
    told = "\n".join(problems)
    for value in ("staging", "lots", "nan", "secret", "owner"):
        assert value not in told


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ENV", "staging", "must be development or production"),
        ("PUSH_AUTH", "none", "must be iam or token"),
        ("FORM_BYTES", "1e3", "must be a whole number from 1024 to 10000000"),
        ("FORM_BYTES", "10000001", "must be a whole number from 1024 to 10000000"),
        ("BODY_TIMEOUT_S", "0", "must be a number above 0 and at most 60"),
        ("BODY_TIMEOUT_S", "inf", "must be a number above 0 and at most 60"),
        ("WRITE_KEYS", "a:owner", "must be signed or public"),
    ],
)
def test_a_fault_says_what_would_be_right(name: str, value: str, told: str) -> None:
    assert problems_of(**{name: value}) == [f"WARMLEAD_{name}: {told}"]


def test_settings_that_depend_on_each_other_are_reported_together() -> None:
    problems = problems_of(ENV="production", BACKEND="gcp", PUSH_ACCOUNT="push@example.com")
    for name in ("PROJECT", "PUSH_AUDIENCE"):
        assert any(problem.startswith(f"WARMLEAD_{name} ") for problem in problems)
    assert len(problems) == 2


def test_production_demands_only_the_secrets_that_are_used() -> None:
    settings = read_settings({"WARMLEAD_ENV": "production"})
    settings.demand()
    with pytest.raises(ConfigurationError) as caught:
        settings.demand("write_keys", "id_secret")
    told = [problem.split()[0] for problem in caught.value.problems]
    assert told == ["WARMLEAD_WRITE_KEYS", "WARMLEAD_ID_SECRET"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WRITE_KEYS", "k"),
        ("WRITE_KEYS", "123456789abcdef"),
        ("WRITE_KEYS", "a" * 40),
        ("WRITE_KEYS", "pk_site_5fQ9xLr2Tz,short:signed"),
        ("ID_SECRET", "k"),
        ("ID_SECRET", "ab" * 40),
        ("ID_SECRET", "abcdef" * 6),
        ("ID_SECRET", "0123456789" * 4 + "01"),
        ("ID_SECRET", "VqF3-an-id-secret-of-the-tests-8Zk2w\n"),
        ("ID_SECRET", "short;former=VqF3-an-id-secret-of-the-tests-8Zk2w"),
    ],
)
def test_production_takes_no_secret_that_is_easily_guessed_or_damaged(
    name: str, value: str
) -> None:
    settings = read_settings({"WARMLEAD_ENV": "production", **SECRETS, f"WARMLEAD_{name}": value})
    with pytest.raises(ConfigurationError) as caught:
        settings.demand("write_keys", "id_secret")
    (problem,) = caught.value.problems
    assert problem.startswith(f"WARMLEAD_{name} must be")
    assert value not in problem or value == "k"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (",", "a key is empty"),
        (":signed", "a key is empty"),
        ("site,site", "a key is given twice"),
        ("site,site:signed", "a key is given twice"),
        ("site one,two", "a key has a blank in it"),
        ("site\tone", "a key has a blank in it"),
        ("site\u00a0one", "a key has a blank in it"),
    ],
)
def test_a_list_of_keys_that_may_be_misread_is_refused(keys: str, told: str) -> None:
    (problem,) = problems_of(WRITE_KEYS=keys)
    assert problem.startswith(f"WARMLEAD_WRITE_KEYS: {told}")


@pytest.mark.parametrize(
    ("settings", "demanded"),
    [
        ({}, True),
        ({"PUSH_AUTH": "token"}, True),
        ({"PUSH_AUTH": "iam"}, False),
        ({"PUSH_AUDIENCE": "https://a.example", "PUSH_ACCOUNT": "push@example.com"}, False),
    ],
)
def test_production_demands_a_check_of_pushes(settings: dict[str, str], demanded: bool) -> None:
    named = {f"WARMLEAD_{name}": value for name, value in settings.items()}
    found = read_settings({"WARMLEAD_ENV": "production", **named})
    assert bool(found.faults_for("push")) is demanded
    assert found.faults_for() == []
    assert read_settings(named).faults_for("push") == []


def test_production_takes_secrets_of_ones_own() -> None:
    read_settings({"WARMLEAD_ENV": "production", **SECRETS}).demand("write_keys", "id_secret")


def test_a_rotated_secret_is_two_in_one_value() -> None:
    value = f"{SECRETS['WARMLEAD_ID_SECRET']};former=the one before"
    assert id_secrets(value) == (SECRETS["WARMLEAD_ID_SECRET"], "the one before")
    assert id_secrets("the only one") == ("the only one", "")
    rotated = {**SECRETS, "WARMLEAD_ENV": "production", "WARMLEAD_ID_SECRET": value}
    read_settings(rotated).demand("id_secret")


PRODUCTION = {"WARMLEAD_ENV": "production"}


def test_a_local_machine_demands_no_secrets() -> None:
    read_settings({}).demand("write_keys", "id_secret")


def test_a_deployed_function_does_not_keep_data_on_a_disk_that_it_loses() -> None:
    with pytest.raises(ConfigurationError, match="WARMLEAD_BACKEND=gcp"):
        read_settings({"K_SERVICE": "score", **PRODUCTION})
    deployed = {"WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": "p", "K_SERVICE": "score"}
    assert read_settings({**deployed, **PRODUCTION}).backend == "gcp"


@pytest.mark.parametrize("env", [{}, {"WARMLEAD_ENV": ""}, {"WARMLEAD_ENV": "development"}])
def test_a_deployed_function_takes_no_settings_of_ones_own_machine(env: dict[str, str]) -> None:
    deployed = {"WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": "p", "K_SERVICE": "score"}
    with pytest.raises(ConfigurationError, match="WARMLEAD_ENV must be production"):
        read_settings({**deployed, **env})


def test_own_hosts_are_hosts_by_commas() -> None:
    given = " Example.com, *.shop.example. ,localhost,, xn--mller-kva.example"
    found = read_settings({"WARMLEAD_OWN_HOSTS": given}).own_hosts
    assert found == {"example.com", "shop.example", "localhost", "xn--mller-kva.example"}


@pytest.mark.parametrize(
    "hosts",
    [
        *("https://example.com", "example.com/shop", "example.com:443", "müller.example"),
        *("example.com example.org", "a..b", ".".join(["a" * 60] * 5), "a" * 64),
    ],
)
def test_an_invalid_host_is_reported_without_its_value(hosts: str) -> None:
    (problem,) = problems_of(OWN_HOSTS=f"example.org,{hosts}")
    assert problem.startswith("WARMLEAD_OWN_HOSTS: must be hosts, by commas")
    assert hosts not in problem


def test_every_setting_is_documented() -> None:
    names = [f"`WARMLEAD_{name.upper()}`" for name in Settings.__struct_fields__]
    assert [name for name in names if f"| {name} |" not in DOCUMENTED] == []
