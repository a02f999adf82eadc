"""The fold of a timeline, and what follows from any state that it can reach."""

from collections import Counter
from datetime import timedelta
from random import Random
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from ratchet.domain import timeline as e
from ratchet.domain.gate import quorum_met
from ratchet.domain.incident import Incident
from ratchet.domain.move import next_move
from ratchet.domain.telling import fold
from ratchet.domain.timeline import Recorded
from tests.store.walks import START, approval, following, intended, opened, packet, plan

picks = st.lists(st.integers(0, 16 * 5040), max_size=40)


def walk(chosen: list[int]) -> tuple[list[Recorded[e.Event]], list[Incident]]:
    """The events of one possible life, and the incident after each."""
    now, events, states = START, [], []
    incident = Incident(id="i1")
    coming: list[e.Event] = [opened(1)]
    for pick in [*chosen, None]:
        for event in coming:
            events.append(Recorded[e.Event](seq=incident.seq + 1, at=now, by="ratchet", event=event))
            incident = incident.apply(events[-1])
            states.append(incident)
        if pick is not None:
            coming, now = following(incident, now, pick)
    return events, states


@given(picks)
def test_the_fold_is_the_state_after_every_event(chosen):
    events, states = walk(chosen)
    for n, state in enumerate(states, start=1):
        assert fold("i1", events[:n]) == state
        assert state.seq == n


@given(picks)
def test_a_timeline_folds_the_same_after_it_was_written_and_read(chosen):
    events, states = walk(chosen)
    read = [Recorded[e.Event].model_validate_json(one.model_dump_json()) for one in events]
    assert fold("i1", read) == states[-1]
    assert Incident.model_validate_json(states[-1].model_dump_json()) == states[-1]


@given(picks, st.integers(-3600, 90_000))
def test_there_is_a_next_move_in_every_state_and_it_keeps_the_rules(chosen, seconds):
    for state in walk(chosen)[1]:
        move = next_move(state, START + timedelta(seconds=seconds))
        if move.kind == "act":
            again = state.op is not None and state.op.state == "absent"
            assert state.status == "awaiting_approval" or (state.status == "acting" and again)
            assert state.packet is not None
            assert state.standing is not None or quorum_met(state.packet, state.approvals)
        if any(op.state in ("intended", "unknown") for op in state.ops):
            assert move.kind in ("doubt", "settle", "wait")


def test_walks_reach_every_kind_of_event():
    """A property over states that are never reached proves nothing."""
    dice = Random(7)
    lives = [walk([dice.randrange(16 * 5040) for _ in range(60)])[0] for _ in range(150)]
    reached = Counter(one.event.kind for life in lives for one in life)
    assert {
        event for event in get_args(get_args(e.Event)[0]) if event.model_fields["kind"].default not in reached
    } == set()


def test_an_approval_for_another_epoch_never_leads_to_an_act():
    incident = fold("i1", recorded([opened(1), e.Planned(plan=plan())]))
    asked = packet(incident, START)
    late = approval(asked, "user:ana", START).model_copy(update={"epoch": 7})
    waiting = incident.apply(at(3, e.Asked(packet=asked)))
    assert next_move(waiting.apply(at(4, e.Granted(approval=late))), START).kind == "wait"
    granted = waiting.apply(at(4, e.Granted(approval=approval(asked, "user:ana", START))))
    assert next_move(granted, START).kind == "act"


def test_one_person_twice_is_not_two_people():
    incident = fold("i1", recorded([opened(1)]))
    asked = packet(incident, START, quorum=2)
    waiting = incident.apply(at(2, e.Asked(packet=asked)))
    for seq, by in ((3, "user:ana"), (4, "user:Ana")):
        waiting = waiting.apply(at(seq, e.Granted(approval=approval(asked, by, START))))
        assert next_move(waiting, START).kind == "wait"
    assert next_move(waiting.apply(at(5, e.Granted(approval=approval(asked, "user:bo", START)))), START).kind == "act"


def test_taking_over_voids_approvals_but_not_the_duty_to_settle():
    incident = fold("i1", recorded([opened(1)]))
    waiting = incident.apply(at(2, e.Asked(packet=packet(incident, START))))
    acting = waiting.apply(at(3, intended(waiting, START)))
    held = acting.apply(at(4, e.Taken(by="user:ana", reason="mine")))
    assert (held.approvals, held.epoch, held.status) == ((), 1, "held")
    assert next_move(held, START).kind == "doubt"


def at(seq: int, event: e.Event) -> Recorded[e.Event]:
    return Recorded[e.Event](seq=seq, at=START, by="ratchet", event=event)


def recorded(events: list[e.Event]) -> list[Recorded[e.Event]]:
    return [at(seq, event) for seq, event in enumerate(events, start=1)]
