"""Every seeded fault is found, and by the check that is meant to find it.

Planning and reading a plan takes seconds, so faults that rules find are seeded several at a time:
in one environment, no two of one rule, no two in the same lines. In a thorough run, as that of
``make check-infra``, each is alone: then certainly none stands for another.
"""

from collections.abc import Sequence

import pytest

from effort import is_thorough
from infra.faults import FAULTS, FMT, INIT, PLAN, VALIDATE, Fault
from infra.policy import RULES
from infra.terraform import Workspace

BY_TERRAFORM = (FMT, INIT, VALIDATE, PLAN)
MOST_AT_ONCE = 10


def at_once() -> list[list[Fault]]:
    """The faults: what Terraform finds alone, what rules find in groups.

    In a group each fault has a rule of its own and lines of its own, in one environment.
    """
    groups: list[list[Fault]] = []
    for fault in FAULTS:
        into = None
        if fault.found_by not in BY_TERRAFORM and not is_thorough():
            into = next((group for group in groups if _fits(fault, group)), None)
        if into is None:
            groups.append([fault])
        else:
            into.append(fault)
    return groups


def _fits(fault: Fault, group: Sequence[Fault]) -> bool:
    return (
        len(group) < MOST_AT_ONCE
        and group[0].environment == fault.environment
        and {each.found_by for each in group}.isdisjoint((fault.found_by, *BY_TERRAFORM))
        and not any(fault.also == each.found_by or each.also == fault.found_by for each in group)
        and not any(each.file == fault.file and _meet(each, fault) for each in group)
    )


def _meet(one: Fault, other: Fault) -> bool:
    """Whether both change a line, or parts of one."""
    ones, others = ([line.strip() for line in each.old.splitlines()] for each in (one, other))
    return any(a in b or b in a for a in ones for b in others)


def named(faults: Sequence[Fault]) -> str:
    """What the test of some faults is called."""
    more = len(faults) - 1
    return f"{faults[0].kind} and {more} more" if more else faults[0].kind


@pytest.mark.parametrize("faults", at_once(), ids=named)
def test_a_fault_is_found(faults: Sequence[Fault], workspace: Workspace) -> None:
    for fault in faults:
        path = workspace.folder / fault.file
        text = path.read_text()
        assert fault.old in text, "the fault no longer fits: mend it in faults.py"
        path.write_text(text.replace(fault.old, fault.new))
        workspace.environment = fault.environment

    by = [fault.found_by for fault in faults]
    assert set(by) <= set(found(workspace, by[0]))


def found(workspace: Workspace, by: str) -> list[str]:
    """What finds something: the check of this name; if it is no check of Terraform, our rules."""
    if by == FMT:
        return [by] if workspace.run("fmt", "-check", "-recursive", "../..").code else []
    if by == INIT:
        return [by] if workspace.init().code else []
    if by == VALIDATE:
        return [by] if workspace.run("validate", "-no-color").code else []
    if by == PLAN:
        return [by] if workspace.plan().code else []
    ran = workspace.plan(foreseeing=True)
    assert ran.code == 0, ran.output
    plan = workspace.planned()
    return [rule.__name__ for rule in RULES if list(rule(plan))]


def test_every_rule_finds_a_fault() -> None:
    assert {rule.__name__ for rule in RULES} <= {fault.found_by for fault in FAULTS}


@pytest.mark.parametrize("environment", ["dev", "prod", "all"])
def test_without_a_fault_nothing_is_found(environment: str, workspace: Workspace) -> None:
    workspace.environment = environment

    assert [found(workspace, by) for by in (FMT, INIT, VALIDATE, PLAN, "rules")] == [[]] * 5


def test_faults_have_different_names() -> None:
    assert len({fault.kind for fault in FAULTS}) == len(FAULTS)
