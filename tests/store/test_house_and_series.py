"""Targets, tokens and playbook versions: each change is an event, and its table says the same."""

from datetime import timedelta

import pytest

from ratchet.domain import series as s
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.house import SeedCompleted, TargetAdded, Token, TokenMade, TokenRevoked
from ratchet.domain.ports import Store
from ratchet.domain.series import Series
from ratchet.domain.target import SecretRef, Target
from ratchet.store.store import EventStore
from tests.store.walks import START


def token(name: str, minutes: int = 0) -> Token:
    return Token(
        id=f"t-{name}", name=name, person=True, role="approver", hashed=f"sha256:{name}",
        created_at=START + timedelta(minutes=minutes),
    )  # fmt: skip


def target(name: str, **more) -> Target:
    return Target(name=name, kind="postgres", diag=SecretRef(kind="env", name="D"), **more)


def version(name: str) -> s.Version:
    return s.Version(
        id=f"v{name}", series="pbs_x", version=f"1.{name}", name="X", title="Something is wrong", source="manual",
        text=f"text {name}", digest="sha256:0", created_at=START, created_by="user:ana",
    )  # fmt: skip


def test_a_target_is_replaced_not_doubled(store):
    store.put_target(target("shop"), "user:root")
    store.put_target(target("bank"), "user:root")
    store.put_target(target("shop", tags=("chaos",)), "user:root")
    assert store.targets() == [target("bank"), target("shop", tags=("chaos",))]
    assert store.verify().events == 3


def test_what_another_process_says_of_a_target_is_read_at_once(store, reopen):
    store.put_target(target("shop"), "user:root")
    other = reopen()
    assert other.targets() == store.targets() == [target("shop")]
    other.put_target(target("shop", tags=("chaos",)), "user:root")
    assert store.targets() == [target("shop", tags=("chaos",))]


def test_tokens_are_found_by_hash_and_listed_newest_first(store):
    for n, name in enumerate(("ana", "bo")):
        store.put_token(token(name, n), "user:root")
    assert store.token("sha256:ana") == token("ana")
    assert store.token("sha256:eve") is None
    assert [one.name for one in store.tokens()] == ["bo", "ana"]


def test_a_hash_is_never_in_an_event(store):
    store.put_token(token("ana"), "user:root")
    with store._journal.reading() as connection:
        (stored,) = connection.exec_driver_sql("SELECT stored FROM events").scalars().all()
    assert b"sha256:ana" not in stored


def test_the_same_token_twice_is_a_conflict_and_leaves_no_event(store):
    store.put_token(token("ana"), "user:root")
    with pytest.raises(Refusal) as refused:
        store.put_token(token("ana").model_copy(update={"id": "t-2"}), "user:root")
    assert refused.value.code is Code.CONFLICT
    assert "sha256:ana" not in str(refused.value)
    assert store.verify().events == 1


def test_a_revoked_token_stays_known_and_is_revoked_once(store):
    store.put_token(token("ana"), "user:root")
    for _ in range(2):
        store.revoke_token("t-ana", "user:root")
    found = store.token("sha256:ana")
    assert found is not None
    assert found.revoked
    assert store.verify() == store.verify().model_copy(update={"ok": True, "events": 2})
    with pytest.raises(Refusal) as refused:
        store.revoke_token("t-eve", "user:root")
    assert refused.value.code is Code.NOT_FOUND


def test_an_event_of_the_house_never_parts_from_its_table(store):
    store.put_token(token("ana"), "user:root")
    store.record(TargetAdded(target=target("shop")), "user:root")
    store.record(TokenRevoked(id="t-ana"), "user:root")
    with pytest.raises(Refusal):
        store.record(TokenMade(id="t-eve", name="eve", person=True, role="admin"), "user:root")
    assert store.targets() == [target("shop")]
    assert [one.revoked for one in store.tokens()] == [True]
    assert (store.verify().ok, store.verify().events) == (True, 3)


def test_the_store_is_what_the_port_asks_for(store: EventStore):
    port: Store = store
    assert {name for name in vars(Store) if not name.startswith("_")} <= set(dir(port))


def test_events_of_the_house_are_part_of_the_chain(store):
    store.record(SeedCompleted(seeded=7, skipped=0), "ratchet")
    store.record(SeedCompleted(seeded=0, skipped=7), "ratchet")
    assert (store.verify().ok, store.verify().events) == (True, 2)


def test_a_series_is_the_fold_of_its_events(store):
    series = store.commit_series(store.series("pbs_x"), s.Seeded(version=version("0"), active=True), by="ratchet")
    drafted = [s.VersionDrafted(version=version("1")), s.VersionDrafted(version=version("2"))]
    series = store.commit_series(series, *drafted, by="user:ana")
    series = store.commit_series(series, s.Activated(version_id="v1", by="user:ana", reason="r"), by="user:ana")
    assert series.active is not None
    assert (series.active.id, series.active.activated_by) == ("v1", "user:ana")
    assert store.series("pbs_x") == series == store.refold_series("pbs_x") == store.series_of("v2")
    assert store.all_series() == [series]
    assert store.verify().ok


def test_an_unknown_series_is_empty_and_an_unknown_version_is_refused(store):
    assert store.series("pbs_none") == Series(id="pbs_none")
    with pytest.raises(Refusal) as refused:
        store.series_of("v404")
    assert refused.value.code is Code.NOT_FOUND


def test_of_two_editors_with_the_same_view_the_second_is_refused(store):
    seen = store.commit_series(store.series("pbs_x"), s.VersionDrafted(version=version("0")), by="user:ana")
    edit = s.Edited(version_id="v0", text="a", digest="sha256:1", guidance="", blanks=())
    store.commit_series(seen, edit, by="user:ana")
    with pytest.raises(Refusal) as refused:
        store.commit_series(seen, edit.model_copy(update={"text": "b"}), by="user:bo")
    assert refused.value.code is Code.CONFLICT
    found = store.series("pbs_x").find("v0")
    assert found is not None
    assert found.text == "a"
