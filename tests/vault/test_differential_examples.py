"""Every hypothesis that ships, over evidence written by hand: one cause each, and none on a healthy server."""

from collections.abc import Callable

import pytest

from ratchet.domain.differential import judge, parsed, scope_of
from ratchet.domain.evidence import Answer
from ratchet.domain.hypothesis import Conclusion, Hypothesis, heads
from ratchet.domain.playbook import Playbook
from ratchet.domain.target import Target
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.seeding import shipped_texts
from tests.vault import cases_access, cases_queries, cases_servers
from tests.vault import worlds as w

Change = Callable[[w.World], w.World]
FULL = {name: Answer.TOO_MANY_CLIENTS for name in w.healthy() if name.startswith("postgres.")}
DOWN = {name: Answer.REFUSED for name in w.healthy() if name.startswith("postgres.")}


def _root(**change) -> dict:
    return w.member(1, is_root=True, depth=0, path=[1], blocked_by=[], wait_s=None, lock_type=None, **change)


IDLE_LEAK = {
    "postgres.slots": [w.slots(used=96, idle=90, free=1)],
    "postgres.holders": [w.holder("leaky", 80), w.holder("checkout", 6)],
    "postgres.canary": Answer.TOO_MANY_CLIENTS,
}
SILENT = {
    "postgres.blocking_tree": [
        _root(state="idle in transaction", blocks_direct=1, blocks_total=1, has_writes=True),
        w.member(2),
    ]
}
FORGOTTEN = w.slot("old", active=False, retained_bytes=10**9, kept_s=7200.0)
CHAIN = {
    "postgres.blocking_tree": [
        _root(blocks_direct=1, blocks_total=3),
        w.member(2, blocks_direct=2, blocks_total=2),
        w.member(3, depth=2),
        w.member(4, depth=2),
    ]
}
CASES: dict[str, tuple[dict, str, list[tuple[str, str]], tuple[str, ...]]] = {
    "idle leak": (IDLE_LEAK, "connection_exhaustion_idle_leak", [("application", "leaky")], ("end_idle_sessions",)),
    "full before anybody looked": (FULL, "connection_exhaustion_unseen", [], ("escalate",)),
    "tiny limit": (
        {
            "postgres.slots": [w.slots(max=8, usable=4, used=4, idle=2, active=2, free=0)],
            "postgres.holders": [w.holder("checkout", 2, idle=1), w.holder("reports", 2, idle=1)],
        },
        "connection_limit_too_low",
        [("setting", "max_connections")],
        ("escalate",),
    ),
    "limit lowered by ALTER SYSTEM": (
        {
            "postgres.slots": [w.slots(max=30, usable=27, used=26, idle=12, active=5, free=1)],
            "postgres.holders": [w.holder("checkout", 8), w.holder("reports", 8), w.holder("catalogue", 8)],
            "postgres.setting_watch": [
                w.setting("autovacuum", "on"),
                w.setting("max_connections", "30", by_alter_system=True),
            ],
        },
        "connection_limit_too_low",
        [("setting", "max_connections")],
        ("escalate",),
    ),
    "database limit": (
        {"postgres.limits": [w.limited("shop", 1)], "postgres.canary": Answer.TOO_MANY_CLIENTS},
        "database_connection_limit",
        [("database", "shop")],
        ("lift_database_limit",),
    ),
    "silent blocker": (SILENT, "idle_in_transaction_blocker", [("session", "1")], ("end_root_blocker",)),
    "silent blocker on a nearly full server": (
        {**SILENT, "postgres.slots": [w.slots(used=90, idle=20, active=68, idle_in_tx=1, waiting_on_lock=66)]},
        "idle_in_transaction_blocker",
        [("session", "1")],
        ("end_root_blocker",),
    ),
    "lock chain": (CHAIN, "lock_chain_root_blocker", [("session", "1")], ("end_root_blocker",)),
    "advisory leak": (
        {
            "postgres.advisory_locks": [
                {
                    "pid": 9,
                    "backend_start": "x",
                    "app": "cron",
                    "state": "idle",
                    "granted": True,
                    "waiters": 1,
                    "waited_s": 40.0,
                    "same_program": False,
                    "state_age_s": 60.0,
                }
            ],
            "postgres.blocking_tree": [_root(state="idle", blocks_total=1, xact_age_s=None), w.member(2)],
        },
        "advisory_lock_leak",
        [("session", "9")],
        ("end_root_blocker",),
    ),
    "prepared transaction": (
        {
            "postgres.prepared_transactions": [{"gid": "tx-1", "owner": "app", "db": "shop", "age_s": 900.0}],
            "postgres.blocking_tree": [
                {**_root(blocks_total=2, xact_age_s=None, state_age_s=None), "pid": 0, "state": "prepared transaction"},
                w.member(2),
            ],
        },
        "prepared_transaction_in_doubt",
        [("prepared_transaction", "tx-1")],
        ("escalate",),
    ),
    "real load": (
        {
            "postgres.slots": [w.slots(used=95, active=80, idle=15, free=2)],
            "postgres.holders": [w.holder("checkout", 80, idle=4, active=76), w.holder("reports", 11)],
        },
        "real_load",
        [],
        ("escalate",),
    ),
    "replay paused": (
        {"postgres.replay": [w.replay(paused=True, caught_up=False, lag_s=33.0, replay_gap_bytes=9000)]},
        "replay_paused",
        [("target", "shop-replica")],
        ("resume_replay",),
    ),
    "apply delay": (
        {"postgres.replay": [w.replay(apply_delay_s=3600.0, delay_by_alter_system=True, caught_up=False, lag_s=400.0)]},
        "recovery_min_apply_delay",
        [("target", "shop-replica")],
        ("end_apply_delay",),
    ),
    "receiver down with its slot unused": (
        {
            "postgres.replay": [w.replay(receiver_status=None, caught_up=True, lag_s=400.0)],
            "postgres.replication_slots": [w.slot("replica_1", active=False, retained_bytes=500_000_000)],
            "postgres.log_signs": [w.sign("receiver_refused")],
        },
        "replication_auth_failure",
        [("target", "shop-replica")],
        ("escalate",),
    ),
    "stale slot": (
        {"postgres.replication_slots": [w.slot("replica_1"), FORGOTTEN]},
        "stale_physical_slot",
        [("slot", "old")],
        ("drop_slot",),
    ),
    "runaway": (
        {"postgres.long_queries": [w.query(44)]},
        "runaway_query",
        [("session", "44")],
        ("cancel_statement",),
    ),
    "tiny timeout": (
        {
            **cases_access.limited("statement_timeout", "statement_timeout", role="shop_app"),
            "postgres.role_db_settings": [cases_access.given("statement_timeout", "5ms", role="shop_app")],
        },
        "statement_timeout_too_low",
        [("role", "shop_app")],
        ("reset_role_setting",),
    ),
    "tiny work_mem": (
        {
            "postgres.role_db_settings": [cases_access.given("work_mem", "64kB", role="shop_app")],
            "postgres.role_spills": [cases_queries.spilling()],
        },
        "work_mem_disk_spill",
        [("role", "shop_app")],
        ("reset_role_setting",),
    ),
    "stale statistics": (
        {"postgres.stale_stats": [w.table("public.t", autovacuum_enabled=False, changed=200_000, planned_rows=10)]},
        "stale_statistics",
        [("table", "public.t")],
        ("analyze_table",),
    ),
    "missing index": (
        {
            "postgres.seq_scans": [
                {
                    "relation": "public.accounts",
                    "live": 100_000,
                    "seq_scans": 500,
                    "seq_ratio": 1.0,
                    "rows_per_scan": 100_000.0,
                    "has_primary_key": False,
                    "foreign_keys_unindexed": 0,
                }
            ]
        },
        "missing_index",
        [("table", "public.accounts")],
        ("escalate",),
    ),
    "invalid index": (
        {
            "postgres.invalid_indexes": [
                {
                    "index": "public.i",
                    "relation": "public.t",
                    "schema": "public",
                    "table": "t",
                    "name": "i",
                    "valid": False,
                    "building": False,
                    "partitioned": False,
                    "in_constraint": False,
                    "ready": False,
                    "unique": True,
                    "age_tx": 4000,
                }
            ]
        },
        "invalid_index",
        [("index", "public.i")],
        ("drop_invalid_index",),
    ),
    "bloat": (
        {
            "postgres.table_bloat": [
                w.table("public.t", dead=180_000, dead_ratio=0.9, live=20_000, autovacuum_enabled=False)
            ],
            "postgres.stale_stats": [
                w.table("public.t", live=20_000, changed=180_000, planned_rows=200_000, autovacuum_enabled=False)
            ],
        },
        "table_bloat_autovacuum_disabled",
        [("table", "public.t")],
        ("reset_table_switch", "vacuum_table"),
    ),
    "autovacuum off": (
        {"postgres.setting_watch": [w.setting("autovacuum", "off", by_alter_system=True)]},
        "autovacuum_disabled_globally",
        [("setting", "autovacuum")],
        ("turn_autovacuum_on",),
    ),
    "autovacuum off in the file": (
        {"postgres.setting_watch": [w.setting("autovacuum", "off", sourcefile="postgresql.conf")]},
        "autovacuum_disabled_globally",
        [("setting", "autovacuum")],
        ("escalate",),
    ),
    "wraparound": (
        {"postgres.xid_age": [w.oldest("public.old", ratio=1.4)]},
        "xid_wraparound_risk",
        [("table", "public.old")],
        ("escalate",),
    ),
    "temporary table left behind": (
        {"postgres.xid_age": [w.oldest("pg_temp_7.basket", ratio=1.4), w.oldest("public.old", ratio=0.9)]},
        "orphaned_temp_table",
        [("table", "pg_temp_7.basket")],
        ("escalate",),
    ),
    "multixacts": (
        {"postgres.xid_age": [w.oldest("public.carts", mxid_ratio=1.5)]},
        "multixact_wraparound_risk",
        [("table", "public.carts")],
        ("escalate",),
    ),
    "vacuum held back": (
        {
            "postgres.xmin_holders": [
                {"kind": "session", "name": "etl", "pid": 7, "xmin_age": 400_000, "age_s": 7200.0, "oldest": True}
            ],
            "postgres.table_bloat": [w.table("public.t", dead=90_000, dead_ratio=0.3, over_threshold=True)],
        },
        "vacuum_held_back",
        [("session", "7")],
        ("escalate",),
    ),
    "process gone": (
        {**DOWN, "host.pg_status": [w.host(running=False)]},
        "process_crash",
        [("target", "shop-db")],
        ("start_server",),
    ),
    "bad configuration": (
        {**DOWN, "host.pg_status": [w.host(running=False, config_ok=False, config_error="unrecognized parameter")]},
        "config_error",
        [("file", "configuration")],
        ("escalate",),
    ),
    "broken file while the server runs": (
        {
            "postgres.file_settings": [{"name": "work_mem", "file": "postgresql.conf", "line": 9, "wrong": True}],
            "postgres.canary": Answer.AUTH,
        },
        "config_error",
        [("file", "postgresql.conf")],
        ("escalate",),
    ),
}
LOOK_ALIKES: dict[str, dict] = {
    "healthy": {},
    "old rows that are being frozen": {"postgres.xid_age": [w.oldest("public.old", ratio=1.4, being_vacuumed=True)]},
    "an idle pool of five on a server with room": {"postgres.holders": [w.holder("checkout", 5)]},
    "a nearly full server without one dominating application": {
        "postgres.slots": [w.slots(used=90, idle=60, active=20, free=7)],
        "postgres.holders": [w.holder(f"{name}-service", 15, idle=10) for name in ("cart", "search", "mail", "stock")],
    },
    "a hot row: the blocker is active and young": {
        "postgres.blocking_tree": [_root(blocks_total=6, xact_age_s=0.3), w.member(2, wait_s=0.2)]
    },
    "a momentary wait behind a session between two statements": {
        "postgres.blocking_tree": [
            _root(state="idle in transaction", blocks_total=1, state_age_s=0.01),
            w.member(2, wait_s=0.01),
        ]
    },
    "a paused replica that has everything": {"postgres.replay": [w.replay(paused=True)]},
    "a busy table that autovacuum is about to visit": {
        "postgres.table_bloat": [w.table("public.t", dead=60_000, dead_ratio=0.22, over_threshold=True)]
    },
    "a small table with its switch off": {
        "postgres.table_bloat": [w.table("public.t", live=90, dead=200, dead_ratio=0.7, autovacuum_enabled=False)]
    },
    "a long VACUUM": {"postgres.long_queries": [w.query(44, maintenance=True, query="VACUUM ANALYZE orders")]},
    "a long wait for a lock": {"postgres.long_queries": [w.query(44, wait_event_type="Lock", computes=False)]},
    "a prepared transaction of a moment ago": {
        "postgres.prepared_transactions": [{"gid": "tx", "owner": "a", "db": "shop", "age_s": 0.2}]
    },
    "a group without replicas": {"postgres.replay": []},
    "a fresh load that autovacuum will analyze": {
        "postgres.stale_stats": [w.table("public.t", changed=200_000, planned_rows=-1)]
    },
}

CASES |= cases_queries.CASES | cases_access.CASES | cases_servers.CASES
LOOK_ALIKES |= cases_queries.LOOK_ALIKES | cases_access.LOOK_ALIKES | cases_servers.LOOK_ALIKES


@pytest.fixture(scope="module")
def shipped(playbook_files: PlaybookFiles) -> list[Playbook]:
    return [playbook_files.load(text, where) for where, text in shipped_texts().items()]


def conclude(shipped: list[Playbook], change: dict, *more: Target) -> Conclusion:
    found = w.candidates(shipped, *more)
    calls = [call for one in found for bound in one.calls.values() for call in bound]
    return judge(found, w.moment({**w.healthy(), **change}, calls))


CONCLUDED: dict[str, Conclusion] = {}


def of_case(shipped: list[Playbook], name: str) -> Conclusion:
    """What the shipped library concludes of a case; it is asked once, for several tests speak of it."""
    if name not in CONCLUDED:
        CONCLUDED[name] = conclude(shipped, CASES[name][0])
    return CONCLUDED[name]


@pytest.mark.parametrize("name", CASES)
def test_a_clear_case_confirms_exactly_its_cause_and_names_the_object(shipped: list[Playbook], name: str) -> None:
    _, cause, objects, then = CASES[name]
    said = of_case(shipped, name)
    confirmed = [(h.id, h.cause) for h in said.hypotheses if h.verdict in ("confirmed", "contradictory")]
    assert [one for _, one in confirmed] == [cause], (said.why, confirmed)
    assert said.outcome == "cause"
    assert said.leading is not None
    assert [(found.kind, found.id) for found in said.leading.objects] == objects
    assert said.leading.then == then


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_look_alike_confirms_nothing(shipped: list[Playbook], name: str) -> None:
    said = conclude(shipped, LOOK_ALIKES[name])
    assert said.outcome == "unknown_cause"
    assert not [h.id for h in said.hypotheses if h.verdict in ("confirmed", "contradictory")]


@pytest.mark.parametrize("name", cases_servers.OF_TWO_REPLICAS)
def test_of_two_replicas_the_one_that_the_evidence_is_about_is_named(shipped: list[Playbook], name: str) -> None:
    change, hypothesis = cases_servers.OF_TWO_REPLICAS[name]
    said = conclude(shipped, change, w.SECOND)
    found = {h.id: [each.id for each in h.objects] for h in said.hypotheses if h.verdict == "confirmed"}
    assert found == ({hypothesis: [w.SECOND.name]} if hypothesis else {})


@pytest.mark.parametrize("other", ["idle leak", "advisory leak"])
def test_beside_a_silent_transaction_another_cause_that_people_meet_now_is_not_passed_over(
    shipped: list[Playbook], other: str
) -> None:
    said = conclude(shipped, {**CASES[other][0], **SILENT})
    assert said.outcome == "ambiguous"
    assert {h.cause for h in said.hypotheses if h.verdict == "confirmed"} >= {
        "idle_in_transaction_blocker",
        CASES[other][1],
    }


def test_on_a_healthy_server_every_hypothesis_is_refuted(shipped: list[Playbook]) -> None:
    assert {h.verdict for h in conclude(shipped, {}).hypotheses} == {"refuted"}


def test_every_hypothesis_that_ships_is_confirmed_by_some_case(shipped: list[Playbook]) -> None:
    seen = {h.id for name in CASES for h in of_case(shipped, name).hypotheses if h.verdict == "confirmed"}
    assert seen == {rule.id for playbook in shipped for rule in playbook.spec.triage.hypotheses}


def test_a_diagnosis_that_sees_nothing_confirms_nothing(shipped: list[Playbook]) -> None:
    said = conclude(shipped, dict.fromkeys(w.healthy(), Answer.HUNG))
    assert said.outcome == "unknown_cause"
    assert not [h.id for h in said.hypotheses if h.verdict == "refuted"]


def test_an_unreadable_log_leaves_open_what_only_the_log_could_tell(shipped: list[Playbook]) -> None:
    said = [h for h in conclude(shipped, cases_access.UNREADABLE).hypotheses if h.playbook.startswith("pbs_access")]
    seen_without = {"unlogged_emptied", "read_only_database", "read_only_server", "read_only_unexplained"}
    seen_without |= {"certificate_expired", "name_unknown"}
    assert {h.id for h in said if h.verdict != "unknown"} == seen_without | {"writes_to_standby"}


def test_a_stopped_server_without_host_control_is_not_called_lost(shipped: list[Playbook]) -> None:
    assert conclude(shipped, {**DOWN, "host.pg_status": Answer.MISSING}).outcome == "unknown_cause"


@pytest.mark.parametrize("name", CASES)
def test_recovery_is_not_claimed_while_the_failure_lasts_nor_denied_when_it_is_over(
    shipped: list[Playbook], name: str
) -> None:
    change, _, _, then = CASES[name]
    if then == ("escalate",):
        return
    leading = of_case(shipped, name).leading
    assert leading is not None
    lasting, over = (_recovered(shipped, world, then[0], leading) for world in (change, {}))
    assert over is True
    assert lasting is not True


def _recovered(shipped: list[Playbook], change: dict, step: str, leading: Hypothesis) -> bool | None:
    candidate = next(c for c in w.candidates(shipped) if step in c.playbook.spec.steps)
    calls = [call for bound in candidate.calls.values() for call in bound]
    scope = {**scope_of(candidate, w.moment({**w.healthy(), **change}, calls)), "hypothesis": leading.id}
    scope["objects"] = heads(leading.objects)
    verify = candidate.playbook.spec.verify
    assert verify is not None
    asked = [c for c in verify.criteria if c.required_if is None or parsed(c.required_if).evaluate(scope).value]
    answers = [parsed(criterion.expect).evaluate(scope).value for criterion in asked]
    return False if False in answers else (None if None in answers else True)
