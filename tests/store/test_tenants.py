"""I26: a tenant's rows are nobody else's. Every verb of the store is asked by another tenant with these ids."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import UniqueConstraint

from ratchet.domain import timeline as e
from ratchet.domain.audit import Trail
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.house import Paused
from ratchet.domain.ports import Store
from ratchet.domain.protocol import Demand
from ratchet.domain.series import Discarded, Seeded
from ratchet.domain.standing import StandingGrant
from ratchet.store import tables as t
from ratchet.store.journal import Journal
from ratchet.store.store import EventStore
from tests.domain.test_certificate import certificate
from tests.domain.test_gate import reread
from tests.store.conftest import Hands
from tests.store.test_house_and_series import target, token, version
from tests.store.test_runs import run
from tests.store.walks import START, alert, conclusion, intended, look, opened, packet

Verb = Callable[[EventStore, EventStore], Any]
"""Asked of a stranger's store (the first) about what the second one holds."""


class Strangers:
    """Two tenants of one database: `ours` has something of every kind, `theirs` has nothing."""

    def __init__(self, ours: EventStore, hands: Hands) -> None:
        self.ours = ours
        key = ours._journal.key
        other = Journal(ours._journal.connections, key, "other", hands.clock)
        self.theirs = EventStore(other, ours._anchor, ours._seals)


@pytest.fixture
def strangers(store: EventStore, hands: Hands) -> Strangers:
    seen = store.open("i1", opened, "ratchet")
    looked = e.Looked(candidates=("v1",), evidence=(look().id,), answers={}, elapsed_ms=1)
    events = [looked, e.Concluded(conclusion=conclusion()), e.Asked(packet=packet(seen, START))]
    store.commit(seen, *events, by="ratchet", evidence=[look()], wake_at=START)
    store.put_target(target("shop"), "user:ana")
    store.put_token(token("ana"), "user:ana")
    store.put_certificate(certificate(), "ratchet")
    store.put_run(run(), "user:ana")
    store.commit_series(store.series("pbs_x"), Seeded(version=version("0"), active=True), by="ratchet")
    store.put_standing(
        StandingGrant(
            id="sg_1", given_by="user:ana", given_at=START, reason="weekly", series="pbs_x", playbook_digest="sha256:0",
            step="s", targets=("shop",), uses=1, expires_at=START + timedelta(days=1),
        ), "user:ana",
    )  # fmt: skip
    store.pause("user:ana", "a look first")
    return Strangers(store, hands)


def nobody_known(_: Any, known: Any) -> None:
    """Correlates with nothing, provided that no incident of the other tenant was offered."""
    assert list(known) == []


def demand(ours: EventStore) -> Demand:
    return Demand(intended=intended(ours.incident("i1"), START), reread=reread())


ABSENT: dict[str, Verb] = {
    "commit": lambda s, o: s.commit(o.incident("i1"), e.Noted(by="x", text="x"), by="x", wake_at=None),
    "incident": lambda s, o: s.incident("i1"),
    "incident by number": lambda s, o: s.incident("INC-1"),
    "timeline": lambda s, o: s.timeline("i1"),
    "decision": lambda s, o: s.decision(o.decisions().items[0].id),
    "series_of": lambda s, o: s.series_of(version("0").id),
    "intend": lambda s, o: s.intend(o.incident("i1"), demand(o), "ratchet"),
    "revoke_token": lambda s, o: s.revoke_token("t-ana", "x"),
    "revoke_standing": lambda s, o: s.revoke_standing("sg_1", "x", "x"),
    "revoke_certificate": lambda s, o: s.revoke_certificate("cert_1", "x", "x"),
}
"""By verb: what answers that there is no such thing."""
EMPTY: dict[str, Verb] = {
    "incidents": lambda s, o: s.incidents().items,
    "decisions": lambda s, o: s.decisions().items,
    "evidence": lambda s, o: s.evidence([look().id]),
    "due": lambda s, o: s.due(START + timedelta(days=1)),
    "next_wake": lambda s, o: s.next_wake(),
    "series": lambda s, o: s.series("pbs_x").versions,
    "all_series": lambda s, o: s.all_series(),
    "targets": lambda s, o: s.targets(),
    "token": lambda s, o: s.token("sha256:ana"),
    "tokens": lambda s, o: s.tokens(),
    "certificates": lambda s, o: s.certificates(),
    "standing_grants": lambda s, o: s.standing_grants(),
    "registered_at": lambda s, o: s.registered_at("shop"),
    "past": lambda s, o: list(s.past()),
    "series_timeline": lambda s, o: s.series_timeline("pbs_x"),
    "runs": lambda s, o: s.runs(),
    "holding": lambda s, o: s.holding(),
    "paused": lambda s, o: s.paused(),
    "tally": lambda s, o: sum(s.tally().incidents.values()) + sum(s.tally().decisions.values()),
    "audit tail": lambda s, o: s.audit.newest(100),
    "audit export": lambda s, o: s.audit.entries(0, 100),
    "audit of a stream": lambda s, o: s.audit.of_stream("incident/i1"),
}
"""By verb: what answers with nothing."""
OWN: dict[str, Verb] = {
    "open": lambda s, o: s.open("i9", opened, "x"),
    "receive": lambda s, o: s.receive([alert()], nobody_known, "x"),
    "commit_series": lambda s, o: s.commit_series(
        s.series("pbs_x"), Discarded(version_id="v0", by="x", reason="x"), by="x"
    ),
    "record": lambda s, o: s.record(Paused(by="x", reason="x"), "x"),
    "put_target": lambda s, o: s.put_target(target("shop").model_copy(update={"tags": ("x",)}), "x"),
    "put_token": lambda s, o: s.put_token(token("ben"), "x"),
    "put_standing": lambda s, o: s.put_standing(o.standing_grants()[0].model_copy(update={"uses": 9}), "x"),
    "put_certificate": lambda s, o: s.put_certificate(certificate(failed=("x",)), "x"),
    "put_run": lambda s, o: s.put_run(run(verdict="fail"), "x"),
    "pause": lambda s, o: s.pause("x", "x"),
    "resume": lambda s, o: s.resume("x", "x"),
}
"""By verb: what writes something of the stranger's own under the same id."""
WHOLE = {"anchor", "verify"}
"""Verbs about the one chain that all tenants share; they name no row."""


def rows(ours: EventStore) -> dict[str, list[Any]]:
    """Every row of the tenant `main`, by table."""
    with ours._journal.reading() as connection:
        return {
            table.name: sorted(
                map(repr, connection.exec_driver_sql(f"SELECT * FROM {table.name} WHERE tenant = 'main'"))
            )
            for table in t.metadata.sorted_tables
            if "tenant" in table.c
        }


def test_every_verb_of_the_store_is_asked_here() -> None:
    asked = {name.split()[0] for name in (*ABSENT, *EMPTY, *OWN)}
    assert {name for name in vars(Store) if not name.startswith("_")} - asked - WHOLE == set()


def test_every_row_of_a_tenant_is_found_by_its_tenant_only() -> None:
    shared = {table.name for table in t.metadata.sorted_tables if "tenant" not in table.c}
    assert shared == {"head", "seals", "followers"}, "these speak of the chain as a whole"
    for table in t.metadata.sorted_tables:
        keys = {column.name for column in table.primary_key}
        unique = [{c.name for c in u.columns} for u in table.constraints if isinstance(u, UniqueConstraint)]
        if table.name not in shared:
            assert any("tenant" in names for names in (keys, *unique)), table.name


@pytest.mark.parametrize("verb", ABSENT)
def test_i26_what_another_tenant_has_is_not_found(strangers: Strangers, verb: str) -> None:
    before = rows(strangers.ours)
    with pytest.raises(Refusal) as no:
        ABSENT[verb](strangers.theirs, strangers.ours)
    assert no.value.code in (Code.NOT_FOUND, Code.CONFLICT if verb == "intend" else Code.NOT_FOUND)
    assert rows(strangers.ours) == before


@pytest.mark.parametrize("verb", EMPTY)
def test_i26_what_another_tenant_has_is_never_listed(strangers: Strangers, verb: str) -> None:
    if verb != "holding":
        assert EMPTY[verb](strangers.ours, strangers.ours), "there is something to be seen"
    assert not EMPTY[verb](strangers.theirs, strangers.ours)


@pytest.mark.parametrize("verb", OWN)
def test_i26_writing_under_the_same_id_leaves_the_other_tenant_s_rows_alone(strangers: Strangers, verb: str) -> None:
    before = rows(strangers.ours)
    OWN[verb](strangers.theirs, strangers.ours)
    assert rows(strangers.ours) == before
    assert strangers.ours.verify().ok


def test_the_trail_has_no_verb_that_is_not_asked_here() -> None:
    known = {"entries", "newest", "of_stream", "head", "anchored", "key", "sign", "verify", "place", "keep_place",
             "whole"}  # fmt: skip
    assert {name for name in vars(Trail) if not name.startswith("_")} <= known
