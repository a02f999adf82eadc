"""One text that cannot be read is left out alone, and whatever is concluded without it says so."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.escalation import Handoff, Stop
from ratchet.domain.hypothesis import Conclusion
from ratchet.domain.playbook import Playbook
from ratchet.domain.series import Activated, Version, VersionDrafted
from ratchet.domain.timeline import Concluded
from ratchet.execution.handoffs import hand_over
from ratchet.store import tables as t
from ratchet.tools.replay import Replay
from ratchet.triage.investigate import Investigator
from ratchet.vault.canonical import text_digest
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.policy import shipped_policy
from ratchet.vault.shelf import VaultShelf
from ratchet.wiring.health import Health
from tests.vault import worlds as w
from tests.vault.recorded import Records

BROKEN, WHOLE = "pbs_vacuum_triage", "pbs_connection_triage"


@pytest.fixture
def records(tmp_path: Path, playbook_files: PlaybookFiles) -> Iterator[Records]:
    found = Records(tmp_path, playbook_files)
    yield found
    found.close()


def active(records: Records) -> Version:
    version = records.store.series(BROKEN).active
    assert version is not None
    return version


def tampered(records: Records) -> None:
    """Somebody wrote into the state past Ratchet: the text is another one under the same digest."""
    series, version = records.store.series(BROKEN), active(records)
    changed = version.model_copy(update={"text": version.text.replace("escalate", "proceed")})
    others = tuple(changed if one.id == version.id else one for one in series.versions)
    body = series.model_copy(update={"versions": others}).model_dump_json()
    with records.store._journal.writing("somebody") as ledger:
        ledger.connection.execute(update(t.series).where(t.series.c.id == BROKEN).values(body=body))


def outgrown(records: Records) -> None:
    """The active text of a site names a probe that this release no longer has."""
    version = active(records)
    text = version.text.replace("uses: postgres.ping", "uses: postgres.gone")
    assert text != version.text
    old = version.model_copy(
        update={"id": "pb_manual_old", "version": "9.0", "text": text, "digest": text_digest(text), "state": "draft"}
    )
    events = VersionDrafted(version=old), Activated(version_id=old.id, by="user:ana", reason="ours")
    records.store.commit_series(records.store.series(BROKEN), *events, by="user:ana")


SPOILS = {
    "tampered": (tampered, "is not the one that was kept under its digest"),
    "outgrown": (outgrown, "does not load in this release: PB010"),
}


@pytest.fixture(params=sorted(SPOILS))
def said(request: pytest.FixtureRequest, records: Records) -> str:
    """One active text is spoiled; what has to be said of it."""
    spoil, words = SPOILS[str(request.param)]
    spoil(records)
    return words


def concluded(records: Records) -> tuple[str, Conclusion]:
    """What is concluded of an incident on a healthy server, and the incident."""
    name = records.record(w.healthy())
    incident = records.store.incident(name)
    evidence = records.store.evidence(incident.evidence)
    investigator = Investigator(Replay(evidence), records.shelf, records.store.targets, records.clock)
    return name, investigator.conclude(incident, evidence)


def test_the_other_playbooks_stay_on_the_shelf_and_the_one_is_told(records: Records, said: str) -> None:
    series = {version.series for version, _ in records.shelf.candidates("postgres")}
    assert WHOLE in series and BROKEN not in series and len(series) > 5
    (no,) = records.shelf.left_out()
    assert said in no.message and BROKEN in no.message and "`ratchet " in no.remedy
    with pytest.raises(Refusal) as asked:
        records.shelf.version(active(records).id)
    assert asked.value.code in (Code.FAILED, Code.INVALID), "asked for by name it is refused as before"


def test_an_unknown_cause_is_not_said_without_the_playbook_that_was_not_heard(records: Records, said: str) -> None:
    name, conclusion = concluded(records)
    assert conclusion.outcome == "unknown_cause"
    assert "1 active playbook could not be read and judged nothing here." in conclusion.why
    assert said in conclusion.why and "`ratchet " in conclusion.why
    assert conclusion.suggested_action.startswith("Mind what was left out")
    told = handoff(records, name, conclusion, conclusion.why)
    assert told.detail.count(said) == 1
    assert "Mind what was left out" in told.human_action_required


def test_every_handoff_says_it_and_a_whole_shelf_says_nothing(records: Records) -> None:
    name, conclusion = concluded(records)
    assert "could not be read" not in conclusion.why
    assert handoff(records, name, conclusion, "The step failed.").detail == "The step failed."
    tampered(records)
    told = handoff(records, name, conclusion, "The step failed.")
    assert told.detail.startswith("The step failed. 1 active playbook could not be read")


def test_an_incident_whose_own_playbook_was_spoiled_is_still_handed_over(records: Records) -> None:
    name, conclusion = concluded(records)
    ours = next(n for n, each in enumerate(conclusion.hypotheses) if each.playbook.startswith(BROKEN))
    chosen = conclusion.model_copy(update={"chosen": ours})
    tampered(records)
    told = handoff(records, name, chosen, "")
    assert "is not the one that was kept under its digest" in told.human_action_required


def handoff(records: Records, name: str, conclusion: Conclusion, detail: str) -> Handoff:
    incident = records.store.incident(name)
    incident = records.store.commit(incident, Concluded(conclusion=conclusion), by="ratchet", wake_at=None)
    return hand_over(incident, Stop.UNKNOWN_CAUSE, detail, records.clock(), (records.shelf, w.PRIMARY))


@pytest.mark.parametrize("spoil", [tampered, outgrown])
def test_the_doctor_is_not_well_and_readiness_does_not_call_it_well(
    records: Records, tmp_path: Path, spoil: Callable[[Records], None]
) -> None:
    looked = Replay(records.store.evidence(records.store.incident(records.record(w.healthy())).evidence))
    health = Health(
        tmp_path, (records.store, records.store.audit), (looked, timedelta), records.shelf, shipped_policy()
    )
    assert health.ready()[1].ok is True
    spoil(records)
    ready = health.ready()[1]
    assert (ready.name, ready.ok) == ("playbooks", None), "the others are worth sending requests for"
    assert "1 left out" in ready.detail and BROKEN in ready.detail and "`ratchet " in ready.remedy
    (line,) = [one for one in health.doctor() if one.name == "playbooks"]
    assert (line.ok, line.remedy) == (False, ready.remedy)


class Counted(PlaybookFiles):
    """Notes each text that is read."""

    def __init__(self, files: PlaybookFiles) -> None:
        super().__init__(files.known, files.causes, files.clock)
        self.read_texts: list[str] = []

    def load(self, text: str, where: str) -> Playbook:
        self.read_texts.append(text)
        return super().load(text, where)


def test_threads_that_all_begin_at_once_read_each_text_once(records: Records, playbook_files: PlaybookFiles) -> None:
    together = threading.Barrier(4)
    files = Counted(playbook_files)
    shelf = VaultShelf(records.store, files)

    def ask(_number: int) -> int:
        together.wait(30)
        return len(shelf.candidates("postgres"))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(4)))
    assert len(set(found)) == 1
    assert found[0] > 1
    assert len(files.read_texts) == len(set(files.read_texts))
