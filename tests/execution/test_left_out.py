"""A playbook that cannot be read stops nothing else, is told to whoever is asked, and takes no yes in advance."""

import pytest

from ratchet.domain.errors import Code, Refusal
from ratchet.execution.worker import Worker
from tests.proof.life import Life, Shelf, living

TORN = Refusal(Code.FAILED, "The text of pbs_torn@1.0 is not the one that was kept.", "Restore it: `ratchet doctor`.")
SENTENCE = f"1 active playbook could not be read and judged nothing here. {TORN.message} {TORN.remedy}"


@pytest.fixture
def torn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shelf, "left_out", lambda self: [TORN])


@pytest.mark.usefixtures("torn")
def test_whoever_approves_is_told_what_was_not_heard() -> None:
    with living() as life:
        incident = life.alert("A", "db")
        life.run()
        packet = life.store.incident(incident).packet
        assert packet is not None
        assert SENTENCE in packet.approval_prompt
        assert [each.signal for each in packet.against] == [SENTENCE]


@pytest.mark.usefixtures("torn")
def test_a_standing_grant_waits_for_a_person_while_a_playbook_was_not_heard() -> None:
    with living() as life:
        incident = granted(life)
        assert (life.store.incident(incident).status, life.store.incident(incident).standing) == (
            "awaiting_approval", None
        )  # fmt: skip


def test_the_same_grant_covers_it_when_every_playbook_was_heard() -> None:
    with living() as life:
        assert life.store.incident(granted(life)).standing is not None


def test_a_refusal_within_a_move_is_handed_over_with_its_words_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_shelf: Shelf, _version: str) -> None:
        raise TORN

    monkeypatch.setattr(Shelf, "version", refuse)
    with living() as life:
        incident = life.alert("A", "db")
        Worker(life.engine, life.store, life.clock)._advance(incident)
        handoff = life.store.incident(incident).handoff
        assert handoff is not None
        assert handoff.detail == f"{TORN.message} {TORN.remedy}"
        assert TORN.message in handoff.human_action_required


def granted(life: Life) -> str:
    """An incident whose step was said yes to in advance, when it was decided."""
    life.grant_ahead("A")
    incident = life.alert("A", "db")
    life.run()
    return incident
