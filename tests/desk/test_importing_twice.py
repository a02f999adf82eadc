"""A pipeline that imports the same files every night fills no list, whatever became of their drafts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ratchet.config import read_settings
from ratchet.desk.contract import Desk
from ratchet.desk.vault_views import Arrival
from ratchet.security.principal import Principal
from ratchet.vault.seeding import shipped_texts
from ratchet.wiring import open_house

RUNBOOK = "# Baskets of the shop stay empty\n\n## Symptoms\n- totals are zero\n\n## Owner\nuser:default/yash\n"
SHIPPED = shipped_texts()["pbs_vacuum_triage.playbook.yaml"]


@pytest.fixture(scope="module")
def ana(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home: Path = tmp_path_factory.mktemp("nightly") / "home"
    house = open_house(read_settings({}, home), lambda _: None)
    yield house.desk(Principal(kind="person", name="ana", role="approver", channel="cli"))
    house.close()


def test_a_file_that_came_before_is_there_already_also_when_its_draft_was_edited(ana: Desk) -> None:
    first = ana.vault.bring(Arrival(text=RUNBOOK))
    assert first.new
    ana.edit(first.playbook.id, {"guidance": "Look at the cache first.\n"})
    again = ana.vault.bring(Arrival(text=RUNBOOK))
    assert (again.new, again.playbook.id, again.playbook.guidance) == (
        False, first.playbook.id, "Look at the cache first.\n",
    )  # fmt: skip
    ana.discard(first.playbook.id, "not ours")
    assert ana.vault.bring(Arrival(text=RUNBOOK)).new


def test_a_text_that_took_the_next_number_is_not_offered_a_third_time(ana: Desk) -> None:
    text = SHIPPED.replace("\n  symptoms:\n", "\n  symptoms:\n    - ours\n", 1)
    first = ana.vault.bring(Arrival(text=text))
    assert first.new and any("is another text already" in note for note in first.notes)
    with_claims = f"{text.rstrip()}\n  review: {{last: '2026-01-01'}}\n"
    for again in (text, with_claims):
        found = ana.vault.bring(Arrival(text=again))
        assert (found.new, found.playbook.id) == (False, first.playbook.id)
