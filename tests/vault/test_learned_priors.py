"""What people confirmed meets the shipped playbooks: recorded evidence is judged again, by triage itself."""

from collections.abc import Iterator

import pytest

from ratchet.desk.incidents import hypothesis_view
from ratchet.domain.hypothesis import Conclusion
from ratchet.domain.incident import Incident
from ratchet.domain.spoken import Rated
from ratchet.tools.replay import Replay
from ratchet.triage.investigate import Investigator
from ratchet.triage.learned import Learned
from ratchet.vault.files import PlaybookFiles
from tests.vault import worlds as w
from tests.vault.recorded import Records
from tests.vault.test_differential_examples import CASES

LEAK = "connection_exhaustion_idle_leak"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory, playbook_files: PlaybookFiles) -> Iterator[Records]:
    found = Records(tmp_path_factory.mktemp("learned"), playbook_files, only="pbs_connection_triage")
    yield found
    found.close()


def leak(records: Records) -> Incident:
    return records.store.incident(records.record({**w.healthy(), **CASES["idle leak"][0]}))


def concluded(records: Records, incident: Incident) -> Conclusion:
    evidence = records.store.evidence(incident.evidence)
    learned = Learned(records.store.lives, records.clock).priors
    triage = Investigator(Replay(evidence), records.shelf, records.store.targets, records.clock, learned)
    return triage.conclude(incident, evidence)


def test_a_confirmed_cause_moves_the_next_ranking_and_not_the_one_before(records):
    before, rated = leak(records), leak(records)
    plain = concluded(records, before)
    assert plain.leading is not None and plain.leading.learned is None
    word = Rated(by="user:ana", cause=LEAK)
    records.store.commit(rated, word, by="user:ana", wake_at=None)
    after = leak(records)
    said = concluded(records, after)
    assert said.leading is not None and said.leading.learned is not None
    assert (said.outcome, said.cause) == (plain.outcome, plain.cause) == ("cause", LEAK)
    assert said.confidence > plain.confidence
    assert (said.leading.learned.confirmed, said.leading.learned.of) == (1, 1)
    shown = hypothesis_view(said.leading).prior
    assert shown is not None and shown.said.endswith("1 confirmed of 1 here)")
    assert concluded(records, before) == plain, "judged again, an earlier incident says what it said"


def test_what_was_confirmed_often_does_not_make_a_healthy_server_ill(records):
    for _ in range(5):
        records.store.commit(leak(records), Rated(by="user:ana", cause=LEAK), by="user:ana", wake_at=None)
    well = records.store.incident(records.record(w.healthy()))
    assert concluded(records, well).outcome == "unknown_cause"
