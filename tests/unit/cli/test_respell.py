"""``warmlead lead respell``: what an earlier release kept apart, looked at, then joined."""

import asyncio

import pytest

from builders import a_lead, an_event, keeping, kept_before
from unit.cli.conftest import Workspace, happened
from warmlead.domain.errors import ConfigurationError
from warmlead.domain.lead import Lead
from warmlead.domain.snapshot import Snapshot
from warmlead.runtime import backends
from warmlead.settings import read_settings

COMPOSED = "josé@example.com"
OLD = "jose\u0301@example.com"


def an_earlier_release_kept(workspace: Workspace, *values: str) -> list[str]:
    """Leads of addresses as they were spelt, each known by an account too; their ids."""

    async def keep() -> list[str]:
        async with backends.embedded(read_settings(workspace.settings)) as system:
            leads = [_lead(value, nth) for nth, value in enumerate(values)]
            for lead in leads:
                others = {id_: lead.id for id_ in lead.trails if id_ != lead.id}
                await system.store.update([lead.id], keeping(lead, aliases=others))
            return [lead.id for lead in leads]

    return asyncio.run(keep())


def _lead(value: str, nth: int) -> Lead:
    event = an_event(id=f"old-{nth}", email="ada@example.com", user_id=f"u-{nth}")
    scored = Snapshot(score=0, engagement=0, fit=0, day=1, model_version="of an earlier release")
    return kept_before(a_lead(event, snapshot=scored), value)


@pytest.fixture(autouse=True)
def _ids_of_the_builders(workspace: Workspace) -> None:
    workspace.settings["WARMLEAD_ID_SECRET"] = "a secret of the tests"


@pytest.mark.slow
def test_respell_shows_the_plan_first_and_applies_it_once(workspace: Workspace) -> None:
    (old_id,) = an_earlier_release_kept(workspace, OLD)
    workspace.take(happened("page_viewed", id="new", email=COMPOSED))
    assert len(workspace.json("lead", "list")) == 2

    looked = workspace.run("lead", "respell")
    assert looked.code == 0
    assert "is the same person as" in looked.out
    assert "Nothing was written" in looked.out
    assert len(workspace.json("lead", "list")) == 2

    done = workspace.json("lead", "respell", "--apply")
    assert (done["applied"], done["renamed"], done["joined"]) == (True, 1, 1)
    (found,) = workspace.json("lead", "list")
    assert found["email"] == COMPOSED
    for who in (old_id, OLD, COMPOSED, "u-0"):
        assert workspace.json("lead", "show", who)["id"] == found["id"]

    again = workspace.json("lead", "respell", "--apply")
    assert (again["leads"], again["renamed"], again["found"]) == (1, 0, [])


def test_it_names_leads_that_strangers_may_share(workspace: Workspace) -> None:
    async def keep() -> str:
        async with backends.embedded(read_settings(workspace.settings)) as system:
            lead = kept_before(a_lead(), "null@null.com")
            await system.store.update([lead.id], keeping(lead))
            return lead.id

    shared = asyncio.run(keep())
    an_earlier_release_kept(workspace, "bob@example.com")
    done = workspace.run("lead", "respell")
    assert "1 lead known by nothing that is an identity" in done.out
    assert shared in done.out
    assert workspace.json("lead", "respell")["nobodies"] == [shared]


@pytest.mark.slow
def test_before_it_was_run_a_person_is_found_by_either_form(workspace: Workspace) -> None:
    an_earlier_release_kept(workspace, OLD)
    assert workspace.json("lead", "show", COMPOSED)["email"] == OLD
    assert workspace.json("lead", "erase", COMPOSED, "--yes")["leads"]
    assert workspace.json("lead", "list") == []


def test_when_the_secret_is_rotated_all_leads_get_their_new_ids(workspace: Workspace) -> None:
    old, new = "a secret of the tests", "the secret from today on"
    workspace.take(
        happened("page_viewed", id="1", email="ada@example.com", user_id="u-1"),
        happened("page_viewed", id="2", email="bob@example.com"),
    )
    assert workspace.run("lead", "erase", "bob@example.com", "--yes").code == 0
    before = workspace.json("lead", "show", "ada@example.com")
    workspace.settings["WARMLEAD_ID_SECRET"] = f"{new};former={old}"
    assert workspace.json("lead", "show", "ada@example.com")["id"] == before["id"]
    done = workspace.json("lead", "respell", "--apply")
    assert (done["leads"], done["renamed"], done["left"]) == (1, 1, 0)
    rotated = workspace.json("lead", "show", "ada@example.com")
    assert rotated["id"] != before["id"]
    assert rotated["score"] == before["score"]
    erased_again = workspace.run("lead", "erase", "bob@example.com", "--yes")
    assert "was erased before" in erased_again.out

    workspace.settings["WARMLEAD_ID_SECRET"] = new
    for who in ("ada@example.com", "u-1", before["id"]):
        assert workspace.json("lead", "show", who)["id"] == rotated["id"]
    exported = workspace.run("lead", "export", "ada@example.com")
    assert '"lead-events"' in exported.out, "the archive is found by the former id"


@pytest.mark.parametrize(
    "value", [";former=old", "new;former=", "a;former=a", "a;former=b;former=c"]
)
def test_a_rotation_without_two_secrets_is_refused(workspace: Workspace, value: str) -> None:
    workspace.settings["WARMLEAD_ID_SECRET"] = value
    with pytest.raises(ConfigurationError, match="new;former=old"):
        workspace.run("lead", "list")
