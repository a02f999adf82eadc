"""The guards of the intent: each refuses something that no other guard would, so none can be removed unseen."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from ratchet.domain import protocol
from ratchet.domain.gate import MAX_AGE, DecisionPacket
from ratchet.domain.incident import Incident
from ratchet.domain.op import Op
from ratchet.domain.protocol import GUARDS, Bid, Books, refuse_intent
from ratchet.domain.standing import StandingGrant, Use
from ratchet.domain.target import Target
from tests.domain.test_gate import HERE, NOW, approval, packet, reread

YES = "user:ana"


def incident(asked: DecisionPacket, **changes: Any) -> Incident:
    """An incident that waits with one approval of exactly this packet."""
    alert = {"source": "x", "fingerprint": "f", "starts_at": NOW, "labels": {}}
    fields = {
        "id": "01A", "number": 1, "status": "awaiting_approval", "packet": asked, "target": "shop-db",
        "approvals": (approval(YES, asked),), "alerts": (alert,), "seq": 9, **changes,
    }  # fmt: skip
    return Incident.model_validate(fields)


def books(asked: DecisionPacket, **changes: Any) -> Books:
    fields = {"now": NOW, "high_water": NOW, "stored_packet": asked, "playbook_active": True, **changes}
    return Books.model_validate(fields)


def op(step: str = "terminate", state: str = "failed_clean", number: int = 1) -> Op:
    grant = {
        "op_id": f"01A.0.{number}", "decision": "dec_1", "packet_digest": "d", "action_digest": "a",
        "incident_id": "INC-1", "approved_by": (YES,), "not_after": NOW, "settle_after": NOW,
    }  # fmt: skip
    return Op.model_validate({"grant": grant, "step": step, "attempt": number, "state": state, "intended_at": NOW})


def bid(
    on: Callable[[DecisionPacket], dict[str, Any]] = lambda _: {},
    asked: DecisionPacket | None = None,
    **changes: Any,
) -> Bid:
    """A bid that every guard accepts, but for what the test changes: `on` gives changes of the incident."""
    shown = asked or packet()
    book_changes = {key: value for key, value in changes.items() if key != "reread"}
    return Bid(incident(shown, **on(shown)), shown, changes.get("reread", reread()), books(shown, **book_changes))


def edited(shown: DecisionPacket) -> DecisionPacket:
    return shown.model_copy(update={"title": "Terminate everything"})


def swapped() -> DecisionPacket:
    """A packet whose stored act is not the one its action digest names, with matching bytes otherwise."""
    return packet(action_digest="sha256:" + "1" * 64)


def old_epoch(shown: DecisionPacket) -> dict[str, Any]:
    return {"epoch": 1}


REFUSED: dict[str, Bid] = {
    "_kill_switch": bid(paused="ana paused it: lunch"),
    "_state": bid(lambda _: {"status": "verifying"}),
    "_alert_open": bid(
        lambda _: {"alerts": ({"source": "x", "fingerprint": "f", "starts_at": NOW, "status": "resolved"},)}
    ),
    "_owner": bid(lambda _: {"owner": "user:ben"}),
    "_epoch": bid(old_epoch),
    "_bytes": bid(stored_packet=edited(packet())),
    "_action": bid(asked=swapped()),
    "_quorum": bid(asked=packet(quorum=2)),
    "_expiry": bid(now=packet().expires_at, high_water=packet().expires_at, reread=reread(at=packet().expires_at)),
    "_clock": bid(high_water=NOW + timedelta(seconds=3)),
    "_freeze": bid(freeze="Black Friday"),
    "_lock": bid(holder="01B.0.1"),
    "_cooldown": bid(cool_until=NOW + timedelta(seconds=1)),
    "_budget": bid(lambda _: {"ops": tuple(op("other", number=n) for n in range(protocol.MUTATIONS))}),
    "_playbook": bid(playbook_active=False),
    "_fresh": bid(reread=reread(at=NOW - MAX_AGE - timedelta(milliseconds=1))),
    "_world": bid(reread=reread(fingerprint=HERE.model_copy(update={"timeline": 2}))),
}


def test_a_bid_with_nothing_wrong_is_accepted() -> None:
    assert refuse_intent(bid()) is None


def test_every_guard_has_a_bid_that_only_it_refuses() -> None:
    assert set(REFUSED) == {guard.__name__ for guard in GUARDS}


def test_what_was_read_while_another_operation_was_at_work_is_read_again() -> None:
    no = refuse_intent(bid(acted_until=NOW + timedelta(milliseconds=1)))
    assert no is not None and (no.guard, no.then) == ("fresh", "conflict")
    assert refuse_intent(bid(acted_until=NOW)) is None


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_removing_a_guard_lets_its_bid_through(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refuse_intent(REFUSED[name]) is not None
    monkeypatch.setattr(protocol, "GUARDS", tuple(g for g in GUARDS if g.__name__ != name))
    assert refuse_intent(REFUSED[name]) is None, f"another guard refuses this, so {name} is not what was tried"


@pytest.mark.parametrize(
    ("name", "then"),
    [("_kill_switch", "wait"), ("_freeze", "wait"), ("_lock", "wait"), ("_cooldown", "wait"), ("_budget", "stop"),
     ("_world", "supersede"), ("_bytes", "supersede"), ("_playbook", "supersede"), ("_epoch", "supersede")],
)  # fmt: skip
def test_what_follows_a_refusal(name: str, then: str) -> None:
    no = refuse_intent(REFUSED[name])
    assert no is not None and no.then == then and no.because


def test_a_step_is_tried_twice_at_most_and_only_an_act_that_provably_did_not_happen_is_tried_again() -> None:
    again = bid(lambda _: {"status": "acting", "ops": (op(state="absent"),)})
    assert refuse_intent(again) is None
    unknown = bid(lambda _: {"status": "acting", "ops": (op(state="unknown"),)})
    assert (no := refuse_intent(unknown)) is not None and no.guard == "state"
    thrice = bid(lambda _: {"status": "acting", "ops": (op(state="absent"), op(state="absent", number=2))})
    assert (no := refuse_intent(thrice)) is not None and no.guard == "attempts"


def test_approvals_of_the_proposer_the_author_a_service_or_an_earlier_epoch_never_make_a_quorum() -> None:
    asked = packet(author="user:Ana")
    assert (no := refuse_intent(bid(asked=asked))) is not None and no.guard == "quorum"
    among = packet(author="user:zoe", writers=("user:Ana", "user:zoe"))
    assert (no := refuse_intent(bid(asked=among))) is not None and no.guard == "quorum"
    services = bid(lambda p: {"approvals": (approval("service:bot", p),)})
    assert (no := refuse_intent(services)) is not None and no.guard == "quorum"
    earlier = bid(lambda p: {"approvals": (approval(YES, p, epoch=7),)})
    assert (no := refuse_intent(earlier)) is not None and no.guard == "epoch"


TARGET = Target(name="shop-db", kind="postgres", tags=("chaos",))


def standing(asked: DecisionPacket, **changes: Any) -> StandingGrant:
    fields = {
        "id": "sg_1", "given_by": YES, "given_at": NOW, "reason": "weekly drill", "series": "pbs_x",
        "playbook_digest": asked.playbook_digest, "step": asked.step, "tag": "chaos", "uses": 1,
        "expires_at": NOW + timedelta(days=1), "bounds": {"application": {"among": ["api"]}}, **changes,
    }  # fmt: skip
    return StandingGrant.model_validate(fields)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, ""), ({"used": 1}, "last use"), ({"revoked": "false action"}, "false action"),
        ({"expires_at": NOW}, "expired"), ({"series": "pbs_y"}, "another series"), ({"step": "other"}, "another step"),
        ({"playbook_digest": "sha256:9"}, "not the one it was given for"), ({"tag": "prod"}, "other targets"),
        ({"bounds": {"application": {"among": ["web"]}}}, "outside its bounds"),
        ({"bounds": {"limit": {"most": 5}}}, "outside its bounds"), ({"fault": "db-x"}, "another fault"),
    ],
)  # fmt: skip
def test_a_standing_grant_covers_exactly_what_was_said(changes: dict[str, Any], word: str) -> None:
    asked = packet()
    outside = standing(asked, **changes).outside(asked, Use(target=TARGET, registered_at=NOW, now=NOW))
    assert (outside == "") if word == "" else (word in outside)


THERE = {"shop-db": {"address": "db1:5432/shop", "system_identifier": HERE.system_identifier}}
LATER = NOW + timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("servers", "target", "registered_at", "word"),
    [
        (THERE, {}, None, ""), (THERE, {}, LATER, ""), (THERE, {"tags": ("chaos", "new")}, LATER, ""),
        ({"shop-db": {**THERE["shop-db"], "system_identifier": "9"}}, {}, NOW, "another server stands behind shop-db"),
        (THERE, {"address": "db2:5432/shop"}, NOW, "another server stands behind shop-db"),
        (THERE, {"name": "bank-db"}, LATER, "bank-db was registered, or registered anew, after"),
        (THERE, {"name": "bank-db"}, NOW, ""), ({}, {}, NOW, ""), ({}, {}, None, "registered"),
        ({}, {}, LATER, "registered anew, after it was given"),
    ],
)  # fmt: skip
def test_a_standing_grant_is_for_servers_and_not_for_whatever_bears_their_name(
    servers: Any, target: Any, registered_at: datetime | None, word: str
) -> None:
    asked = packet()
    there = TARGET.model_copy(update={"address": "db1:5432/shop", **target})
    use = Use(target=there, registered_at=registered_at, now=NOW)
    outside = standing(asked, servers=servers).outside(asked, use)
    assert (outside == "") if word == "" else (word in outside)


@pytest.mark.parametrize(
    ("servers", "now", "word"),
    [
        (THERE, [{}], ""), (THERE, [{"system_identifier": ""}], ""), ({}, [{"system_identifier": "9"}], ""),
        (THERE, [{"system_identifier": "9"}], "another server stands behind shop-db"),
        (THERE, [{"address": "db2:5432/shop"}], "another server stands behind shop-db"),
        (THERE, [{"system_identifier": "9"}, {"name": "bank-db"}], ""), (THERE, [], "its targets are gone"),
        (THERE, [{"tags": ("prod",)}], "its targets are gone"),
    ],
)  # fmt: skip
def test_a_standing_grant_is_listed_as_dead_when_no_server_of_its_own_is_left(
    servers: Any, now: list[dict[str, Any]], word: str
) -> None:
    there = TARGET.model_copy(update={"address": "db1:5432/shop", "system_identifier": HERE.system_identifier})
    said = standing(packet(), servers=servers).gone([there.model_copy(update=each) for each in now])
    assert (said == "") if word == "" else (word in said)


def test_a_standing_grant_stands_in_for_a_quorum_only_while_it_covers_the_packet() -> None:
    asked = packet()
    no_people = bid(lambda _: {"approvals": (), "standing": "sg_1"}, asked=asked, standing=standing(asked))
    assert refuse_intent(no_people) is None
    spent = bid(
        lambda _: {"approvals": (), "standing": "sg_1"}, asked=asked, standing=standing(asked), standing_outside="spent"
    )
    assert (no := refuse_intent(spent)) is not None and (no.guard, no.then) == ("standing", "supersede")
