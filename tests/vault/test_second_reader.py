"""The sole author of a draft does not activate what decides whether, and on what, a step acts, nor what proves it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ratchet.cli.page import plain
from ratchet.cli.pages.vault import difference_page
from ratchet.domain.errors import Code
from ratchet.domain.playbook import Playbook
from ratchet.vault.files import PlaybookFiles
from tests.vault.recorded import Records
from tests.vault.test_life import ANA, BO, SERIES, Room, refused

CHAIN = "lock_chain"


@pytest.fixture
def room(tmp_path: Path, playbook_files: PlaybookFiles) -> Iterator[Room]:
    records = Records(tmp_path, playbook_files, only=SERIES)
    yield Room(records)
    records.close()


def with_probe(room: Room, name: str, **change: object) -> Playbook:
    probes = room.records.active(SERIES).spec.probes
    return room.spec(probes={**probes, name: probes[name].model_copy(update=change)})


def with_confirm(room: Room, old: str, new: str) -> Playbook:
    triage = room.records.active(SERIES).spec.triage
    rules = tuple(
        rule.model_copy(update={"confirm": rule.confirm.replace(old, new)}) if rule.id == CHAIN else rule
        for rule in triage.hypotheses
    )
    assert rules != triage.hypotheses
    return room.spec(triage=triage.model_copy(update={"hypotheses": rules}))


@pytest.mark.parametrize(
    ("name", "change", "kind"),
    [
        ("canary", {"uses": "postgres.ping"}, "weaker"), ("ping", {"where": "replicas"}, "weaker"),
        ("holders", {"where": "replicas"}, "wider"),
    ],
)  # fmt: skip
def test_the_probe_behind_a_proof_a_precondition_or_an_act_is_not_swapped_by_one_person(
    room: Room, name: str, change: dict[str, object], kind: str
) -> None:
    draft = room.draft(with_probe(room, name, **change))
    found = room.reviewing.difference(draft.id, "")
    assert [(one.kind, one.place) for one in found.changes if one.widens] == [(kind, f"probes.{name}")]
    assert any(f"probes.{name}" in one for one in room.reviewing.examine(draft.id, ANA).objections)
    no = refused(room.reviewing.activate, draft.id, "a typo", ANA)
    assert (no.code, f"probes.{name}" in no.message) == (Code.FORBIDDEN, True)


def test_a_guard_that_goes_from_the_end_of_a_long_condition_is_seen_and_takes_two(room: Room) -> None:
    confirm = room.records.active(SERIES).hypothesis(CHAIN).confirm
    assert len(confirm) > 300
    last = confirm.rpartition(" and not any(")[2]
    draft = room.draft(with_confirm(room, f" and not any({last}", ""))
    found = room.reviewing.difference(draft.id, "")
    (change,) = (one for one in found.changes if one.place == f"hypotheses.{CHAIN}.confirm")
    assert (change.kind, change.before != change.after) == ("wider", True)
    page = list(plain(difference_page(found)))
    (place,) = (line.strip() for line in page if line.strip().startswith("~ "))
    assert f"[and not any({last} -> (nothing)]" in place
    gone, new = (next(line for line in page if line.strip().startswith(f"{sign} ")) for sign in "-+")
    assert last in gone and gone != new
    no = refused(room.reviewing.activate, draft.id, "typo", ANA)
    assert (no.code, "what confirms it" in no.message) == (Code.FORBIDDEN, True)
    assert room.reviewing.activate(draft.id, "read it", BO, draft.digest, "http").state == "active"


def test_one_person_adds_a_guard_alone(room: Room) -> None:
    confirm = room.records.active(SERIES).hypothesis(CHAIN).confirm
    draft = room.draft(with_confirm(room, confirm, f"({confirm}) and tree.rows >= 0"))
    assert not room.reviewing.difference(draft.id, "").widens
    assert room.reviewing.activate(draft.id, "one guard more", ANA).state == "active"
