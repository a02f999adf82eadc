"""Calls that wait for each other share one transaction, and each still gets its own answer."""

import threading
from collections.abc import Sequence
from itertools import count

import pytest

from ratchet.domain.errors import Code, Refusal, invalid
from ratchet.domain.ports import Opening
from ratchet.store.shared_turn import SharedTurn
from tests.store.walks import alert

PATIENCE = 10.0


class Book:
    """Writes one transaction at a time; the first one waits until it is let go, so that others gather behind it."""

    def __init__(self) -> None:
        self.transactions: list[list[str]] = []
        self.begun, self.go = threading.Event(), threading.Event()
        self.refuse: dict[str, Refusal | RuntimeError] = {}
        self.turn = SharedTurn[str, str](self.write)

    def write(self, calls: Sequence[str]) -> list[str]:
        self.transactions.append(list(calls))
        if not self.begun.is_set():
            self.begun.set()
            assert self.go.wait(PATIENCE)
        for call in calls:
            if call in self.refuse:
                raise self.refuse[call]
        return [f"{call} is kept" for call in calls]

    def gathered(self, names: Sequence[str]) -> dict[str, str]:
        """`first` alone, and all the names while it is being written; what each was answered."""
        answers: dict[str, str] = {}

        def call(name: str) -> None:
            try:
                answers[name] = self.turn.take(name)
            except (Refusal, RuntimeError) as error:
                answers[name] = str(error)

        threads = [threading.Thread(target=call, args=(name,)) for name in ("first", *names)]
        threads[0].start()
        assert self.begun.wait(PATIENCE)
        for thread in threads[1:]:
            thread.start()
        while len(self.turn._waiting) < len(names):
            assert threads[0].is_alive()
        self.go.set()
        for thread in threads:
            thread.join(PATIENCE)
        return answers


def test_who_waits_is_written_together_and_each_gets_its_own_answer() -> None:
    book = Book()
    answers = book.gathered(["a", "b", "c"])
    assert sorted(map(len, book.transactions)) == [1, 3]
    assert answers == {name: f"{name} is kept" for name in ("first", "a", "b", "c")}


def test_one_bad_call_is_answered_for_itself_and_spoils_nobody_elses() -> None:
    book = Book()
    book.refuse["b"] = invalid("b is wrong.", "Mend b.")
    answers = book.gathered(["a", "b", "c"])
    assert answers["b"] == "b is wrong. Mend b."
    assert (answers["a"], answers["c"]) == ("a is kept", "c is kept")


def test_a_database_that_cannot_be_written_is_said_to_everybody_at_once() -> None:
    book = Book()
    book.refuse["b"] = Refusal(Code.UNAVAILABLE, "The disk is full.", "Make room.")
    answers = book.gathered(["a", "b", "c"])
    assert len(book.transactions) == 2
    assert {answers[name] for name in "abc"} == {"The disk is full. Make room."}


def test_a_fault_of_the_program_leaves_nobody_without_an_answer() -> None:
    book = Book()
    book.refuse["b"] = RuntimeError("a bug")
    answers = book.gathered(["a", "b", "c"])
    assert set(answers) == {"first", "a", "b", "c"}
    assert "a bug" in answers["b"]


@pytest.mark.parametrize("senders", [8])
def test_a_rush_of_new_alerts_from_many_senders_is_kept_whole(store, senders: int) -> None:
    ids = count(1)

    def correlate(one, known):
        return Opening(incident_id=f"i{next(ids)}", target="shop", target_reason="only one")

    def send(who: int) -> None:
        for n in range(10):
            (incident,) = store.receive([alert(f"f{who}.{n}")], correlate, f"service:{who}")
            assert store.timeline(incident.id)[0].by == f"service:{who}"

    threads = [threading.Thread(target=send, args=(who,)) for who in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(store.incidents(limit=200).items) == senders * 10
    assert store.verify().ok
