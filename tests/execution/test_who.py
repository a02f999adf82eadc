"""Who answers after an act: another server proves neither that it happened nor that it helped."""

from collections.abc import Iterator
from typing import Any

import pytest

from ratchet.desk.targets import Targets
from ratchet.desk.views import TargetRequest
from ratchet.domain.errors import Refusal
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Took
from ratchet.domain.target import Fingerprint, SecretRef, Target
from ratchet.domain.timeline import Sampled, Settled
from ratchet.execution.checks import Outcome
from ratchet.execution.who import WHO, Who, who_answers
from ratchet.lab.embedded import Cluster
from tests.proof import life as lives
from tests.proof.life import Life, Shelf, living
from tests.tools.conftest import Bench


@pytest.fixture
def life() -> Iterator[Life]:
    with living() as one:
        yield one


def approved(life: Life, klass: str = "A") -> str:
    incident = life.alert(klass)
    life.run()
    life.approve(incident, "ana", "ben")
    return incident


def patient(klass: str) -> Playbook:
    """The same book with a window that waits long enough for whoever was away."""
    book = lives.playbook(klass)
    verify = book.spec.verify
    assert verify is not None
    longer = verify.model_copy(update={"give_up_after": 120.0})
    return book.model_copy(update={"spec": book.spec.model_copy(update={"verify": longer})})


def told(life: Life, incident: str, kind: type) -> list:
    return [one.event for one in life.store.timeline(incident) if isinstance(one.event, kind)]


def exchanged(life: Life, how: str) -> None:
    """Another server answers under the name: a promoted replica, or a stranger."""
    life.world.node += how == "timeline"
    life.world.name = "9" if how == "identity" else life.world.name


@pytest.mark.parametrize("how", ["timeline", "identity"])
def test_a_server_that_took_over_does_not_prove_that_the_act_helped(life: Life, how: str) -> None:
    incident = approved(life)
    life.between = "after_send", lambda: exchanged(life, how)
    life.run()
    life.settle(30)
    seen = life.store.incident(incident)
    assert len(life.world.ledger) == 1
    assert (seen.status, seen.verified and seen.verified.passed) == ("escalated", False)
    samples = told(life, incident, Sampled)
    assert [each.value for each in samples] == [None, None]
    assert "Another server answers than the one that the step was for" in samples[0].lines[WHO]


def test_one_that_takes_over_in_the_middle_of_the_window_breaks_it(life: Life) -> None:
    incident = approved(life)
    life.run()
    while not told(life, incident, Sampled):
        life.settle(1)
    exchanged(life, "timeline")
    life.settle(30)
    assert life.store.incident(incident).status == "escalated"


@pytest.mark.parametrize(("away", "samples"), [(15, 3), (30, 6)])
def test_a_time_in_which_nobody_looked_is_no_part_of_a_sustained_recovery(
    life: Life, monkeypatch: pytest.MonkeyPatch, away: float, samples: int
) -> None:
    monkeypatch.setitem(lives.BOUND, "v-A-0", patient("A"))
    incident = approved(life)
    life.run()
    while len(told(life, incident, Sampled)) < 2:
        life.settle(1)
    life.crash()
    life.world.passes(away)
    life.settle(20)
    seen = life.store.incident(incident)
    assert (seen.status, len(told(life, incident, Sampled))) == ("resolved", samples)


@pytest.mark.parametrize("klass", ["A", "B"])
def test_a_lost_outcome_is_not_looked_up_on_another_server(life: Life, klass: str) -> None:
    incident = approved(life, klass)
    life.world.mood = "answer_lost"
    life.between = "before_took", lambda: exchanged(life, "timeline")
    life.run()
    life.world.mood = "well"
    life.settle(60)
    settled = told(life, incident, Settled)
    assert [each.took for each in settled] == ["cannot_tell"]
    assert "timeline 2 instead of 1" in settled[0].because
    assert life.store.incident(incident).status == "escalated"


def test_without_an_exchange_the_same_life_is_resolved(life: Life) -> None:
    incident = approved(life)
    life.run()
    life.settle(30)
    assert life.store.incident(incident).status == "resolved"


def register(life: Life, name: str, primary: str | None) -> None:
    """Somebody says anew, or for the first time, which server replicates which."""
    toolbox: Any = life.world
    ref = SecretRef(kind="env", name="X")
    desk = Targets(life.store, toolbox, Shelf(), (lambda request, _: request.target, lambda _: ""))
    target = Target(name=name, kind="postgres", diag=ref, act=ref, replica_of=primary)
    desk.add(TargetRequest(target=target), "user:ana")


def test_a_replica_of_a_replica_is_locked_with_the_primary_or_not_registered(life: Life) -> None:
    with pytest.raises(Refusal, match="db-r is no primary: it belongs to db"):
        register(life, "db-c", "db-r")
    with pytest.raises(Refusal, match="db is registered as the primary of db-r"):
        register(life, "db", "other")
    register(life, "db-c", "db")
    assert {t.name: t.conflict_group for t in life.store.targets()}["db-c"] == "db"


def test_what_was_asked_under_another_lock_than_the_target_s_present_one_is_asked_anew(life: Life) -> None:
    incident = life.alert(target="other")
    life.run()
    register(life, "other", "db")
    assert life.approve(incident, "ana")
    life.run()
    seen = life.store.incident(incident)
    assert (life.world.ledger, seen.ops, seen.revision) == ([], (), 2)
    assert seen.packet is not None and seen.packet.conflict_group == "db"


def test_a_target_keeps_its_lock_while_an_act_on_it_may_still_land(life: Life) -> None:
    incident = life.alert(target="other")
    life.run()
    life.world.mood = "delayed"
    assert life.approve(incident, "ana")
    life.run()
    assert life.store.incident(incident).may_land is not None
    with pytest.raises(Refusal, match="nobody knows yet how the act of INC-1 ended"):
        register(life, "other", "db")
    life.world.mood = "well"
    life.settle(60)
    register(life, "other", "db")


@pytest.mark.postgres
def test_a_replica_behind_the_name_of_its_primary_is_another_server(
    pg_pair: tuple[Cluster, Cluster], life: Life
) -> None:
    primary, replica = pg_pair
    bench = Bench()
    bench.point("db", primary.dsn())
    shown = bench.hands.fingerprint("db")
    assert isinstance(shown, Fingerprint)
    incident = life.alert()
    life.run()
    packet = life.store.incident(incident).packet
    assert packet is not None
    packet = packet.model_copy(update={"fingerprint": shown})
    assert who_answers(bench.hands, packet).same is True
    bench.point("db", replica.dsn(), tags=("moved",))
    assert who_answers(bench.hands, packet).because.endswith("role standby instead of primary.")
    bench.point("db", "this is no conninfo")
    assert who_answers(bench.hands, packet).same is None
    bench.targets.clear()
    assert who_answers(bench.hands, packet).same is None
    bench.hands.close()


@pytest.mark.parametrize(
    ("who", "value", "then"),
    [
        (Who(same=True), True, True), (Who(same=True), False, False),
        (Who(same=False, because="x"), True, None), (Who(same=False, because="x"), False, None),
        (Who(same=None, because="x"), True, None), (Who(same=None, because="x"), False, False),
    ],
)  # fmt: skip
def test_a_sample_is_as_good_as_what_is_known_of_who_gave_it(who: Who, value: bool, then: bool | None) -> None:
    outcome = Outcome(value=value, lines={"c": "1 == 1"}, failed=(), unknown=(), evidence=())
    assert who.judged(outcome).value is then
    took = who.settled(Took(verdict="yes", because="looked"))
    assert (took.verdict, took.reachable) == ("yes" if who.same else "cannot_tell", who.same is not None)
