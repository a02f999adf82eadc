"""What a missing right means for the shipped playbooks."""

from collections.abc import Sequence
from importlib.resources import files

import pytest

from ratchet.desk.lacks import with_playbooks
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Missing
from ratchet.vault.files import PlaybookFiles
from tests.vault.conftest import known, playbook_files

__all__ = ["known", "playbook_files"]


@pytest.fixture(scope="module")
def shipped(playbook_files: PlaybookFiles) -> list[Playbook]:
    texts = sorted(files("ratchet.library").joinpath("playbooks").iterdir(), key=lambda each: each.name)
    return [playbook_files.load(each.read_text(encoding="utf-8"), each.name) for each in texts]


def lost(shipped: Sequence[Playbook], *probes: str, optional: bool = False) -> Missing:
    return with_playbooks(Missing(what="x", remedy="y", probes=probes, optional=optional), shipped, ())


def test_one_tool_of_several_weakens_and_names_the_steps(shipped: list[Playbook]) -> None:
    found = lost(shipped, "postgres.drop_slot")
    assert found.playbooks == ()
    assert any(line.startswith("pbs_replication_lag@1.0: step ") for line in found.weakens), found.weakens


def test_a_probe_that_some_hypotheses_ask_weakens_and_names_them(shipped: list[Playbook]) -> None:
    found = lost(shipped, "postgres.prepared_transactions")
    assert found.playbooks == ()
    assert any(line.startswith("pbs_connection_triage@1.0: hypothesis ") for line in found.weakens), found.weakens


def test_without_every_probe_every_playbook_is_disabled(shipped: list[Playbook]) -> None:
    everything = {use.uses for playbook in shipped for use in playbook.spec.probes.values()}
    found = lost(shipped, *everything)
    assert set(found.playbooks) == {playbook.pin for playbook in shipped}
    assert found.weakens == ()


def test_all_steps_gone_disables_unless_the_right_is_a_part_of_what_the_tool_can_do(shipped: list[Playbook]) -> None:
    tools = {step.uses for playbook in shipped for step in playbook.spec.steps.values() if step.uses}
    with_steps = {playbook.pin for playbook in shipped if playbook.spec.steps}
    assert set(lost(shipped, *tools).playbooks) == with_steps
    assert lost(shipped, *tools, optional=True).playbooks == ()


def test_what_nothing_asks_for_touches_nothing(shipped: list[Playbook]) -> None:
    found = lost(shipped, "postgres.nothing")
    assert (found.playbooks, found.weakens) == ((), ())
