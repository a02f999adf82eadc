"""Probe files: read whole, all mistakes at once, the right text for a server's version, arguments typed."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from ratchet.domain.errors import Code, Refusal
from ratchet.tools.postgres.line import Row
from ratchet.tools.postgres.log_signs import found_in
from ratchet.tools.postgres.privileges import PRIVILEGES
from ratchet.tools.postgres.probe_fragments import SHARED, fragments_of, sql_files
from ratchet.tools.postgres.probes import ProbeShelf, bind
from ratchet.tools.postgres.rights import ACT_RIGHTS, taken_back
from ratchet.tools.postgres.spills import watched

SHIPPED = files("ratchet.library") / "probes" / "postgres"

GOOD = """\
-- name: postgres.good
-- summary: Something worth seeing
-- privilege: pg_monitor
-- versions: 14+
-- where: any
-- args: min_age_s duration_s = "5m"
-- args: app text
-- columns:
--   pid int                        process id
SELECT pid FROM pg_stat_activity
WHERE %(app)s::text = application_name AND query_start < now() - make_interval(secs => %(min_age_s)s::float8)
LIMIT 10
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    place = tmp_path / "postgres"
    place.mkdir()
    return place


def shelf_of(directory: Path, **texts: str) -> ProbeShelf:
    for stem, text in texts.items():
        (directory / f"{stem.replace('_AT_', '@')}.sql").write_text(text)
    return ProbeShelf.load([directory])


def mistakes_of(directory: Path, **texts: str) -> list[str]:
    with pytest.raises(Refusal) as refused:
        shelf_of(directory, **texts)
    assert refused.value.code is Code.INVALID
    return [str(mistake) for mistake in refused.value.mistakes]


def test_the_shipped_probes_load_and_are_many():
    shelf = ProbeShelf.load([SHIPPED])
    assert len(shelf.names()) >= 50
    assert {"postgres.slots", "postgres.blocking_tree", "postgres.replay", "postgres.log_tail"} <= set(shelf.names())


def test_every_shipped_percent_sign_is_doubled_or_a_placeholder():
    for file in (*sql_files(SHIPPED), *sql_files(SHIPPED / SHARED)):
        sql = re.sub(r"(?m)^--.*$", "", file.read_text())
        assert "%" not in re.sub(r"%\([a-z_]+\)s|%%", "", sql), file.name


def test_every_shipped_probe_has_one_shape_over_all_versions():
    shelf = ProbeShelf.load([SHIPPED])
    for name in shelf.names():
        forms = shelf.variants(name)
        assert len({form.columns for form in forms}) == 1, name
        assert len({form.args for form in forms}) == 1, name


def test_a_header_becomes_a_spec(directory: Path):
    spec = shelf_of(directory, good=GOOD).spec("postgres.good", 180004)
    assert (spec.name, spec.privileges, spec.where, spec.extension) == ("postgres.good", ("pg_monitor",), "any", None)
    assert spec.column_names == ("pid",)
    assert [(arg.name, arg.type, arg.required, arg.default) for arg in spec.args] == [
        ("min_age_s", "duration_s", False, 300.0), ("app", "text", True, None),
    ]  # fmt: skip
    assert spec.sql.startswith("SELECT pid")


def test_a_file_with_many_mistakes_shows_them_all_with_line_and_remedy(directory: Path):
    bad = """\
-- name: postgres.other
-- summary:
-- privilege: root
-- versions: 17-14
-- where: everywhere
-- colour: blue
-- args: x weight = 5
-- columns:
--   pid number                     process id
DELETE FROM t WHERE a = %(y)s
"""
    said = mistakes_of(directory, bad=bad, good=GOOD.replace("postgres.good", "postgres.bad"))
    text = "\n".join(said)
    for line, fragment in [
        (1, "the name is 'postgres.other'"), (2, "summary is empty"), (3, "unknown privilege 'root'"),
        (4, "end before they begin"), (5, "unknown place"), (6, "unknown key 'colour'"), (7, "unknown argument type"),
        (9, "unknown column type"), (10, "is no argument"), (10, "without a cast"), (10, "does not end in a limit"),
        (10, "not a known read"),
    ]:  # fmt: skip
        assert re.search(rf"postgres/bad\.sql:{line}: .*{re.escape(fragment)}.* -> .+", text), fragment
    assert "postgres/good.sql:1: PB001 the name is 'postgres.bad'" in text


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("-- summary: Something worth seeing\n", "", "no 'summary:' line"),
        ("-- where: any\n", "-- where: any\n-- where: any\n", "stands twice"),
        ("--   pid int                        process id\n", "", "names no columns"),
        ("-- args: app text\n", "", "is no argument"),
        ("-- args: app text\n", "-- args: app text\n-- args: more int = 1\n", "never uses the argument 'more'"),
        ('= "5m"', '= "soon"', "is not a duration_s"),
        ("LIMIT 10", "LIMIT 10000", "limit of at most"),
        ("%(app)s::text", "%(app)s", "without a cast"),
        ("SELECT pid", "SELECT pg_read_binary_file('server.key')", "pg_read_binary_file"),
        ("= application_name", "LIKE 'a%'", "percent"),
    ],
)
def test_one_wrong_line_is_refused_and_named(directory: Path, old: str, new: str, expected: str):
    assert old in GOOD
    assert any(expected in said for said in mistakes_of(directory, good=GOOD.replace(old, new)))


def test_a_later_directory_adds_but_never_replaces(directory: Path, tmp_path: Path):
    site = tmp_path / "site" / "postgres"
    site.mkdir(parents=True)
    (directory / "good.sql").write_text(GOOD)
    (site / "mine.sql").write_text(GOOD.replace("postgres.good", "postgres.mine"))
    assert ProbeShelf.load([directory, site]).names() == ("postgres.good", "postgres.mine")
    (site / "good.sql").write_text(GOOD)
    with pytest.raises(Refusal) as refused:
        ProbeShelf.load([directory, site])
    assert "stands already" in refused.value.mistakes[0].message


def test_a_shipped_text_may_be_judged_late_but_never_after_it_is_asked_for(directory: Path, tmp_path: Path):
    evil = GOOD.replace("SELECT pid", "SELECT pg_terminate_backend(pid)")
    (directory / "good.sql").write_text(evil)
    shelf = ProbeShelf.load([directory], judged_late=True)
    for asked in (lambda: shelf.spec("postgres.good", 150000), lambda: shelf.sole("postgres.good")):
        for _ in range(2):
            with pytest.raises(Refusal) as refused:
                asked()
            assert refused.value.code is Code.INVALID
            assert "postgres/good.sql: this is not a known read" in refused.value.message
            assert "pg_terminate_backend" in refused.value.message
    (directory / "good.sql").write_text(GOOD)
    assert ProbeShelf.load([directory], judged_late=True).spec("postgres.good", 150000).sql.startswith("SELECT pid")
    site = tmp_path / "site" / "postgres"
    site.mkdir(parents=True)
    (site / "mine.sql").write_text(evil.replace("postgres.good", "postgres.mine"))
    with pytest.raises(Refusal) as refused:
        ProbeShelf.load([directory, site], judged_late=True)
    assert "mine.sql:10: PB014 this is not a known read" in str(refused.value.mistakes[0])


INCLUDING = GOOD.replace("SELECT pid FROM", "WITH\n-- include: shared_part\nSELECT pid FROM")
PART = "-- What several probes ask first.\nseen AS (SELECT 1 AS one)\n"


@pytest.fixture
def shared(directory: Path) -> Path:
    (directory / SHARED).mkdir()
    return directory / SHARED


def test_what_probes_share_is_included_whole_and_a_change_of_it_changes_each(directory: Path, shared: Path):
    (shared / "shared_part.sql").write_text(PART)
    (shared / "more.sql").write_text("more AS (SELECT 2 AS two)\n")
    second = INCLUDING.replace(".good", ".second").replace("shared_part\n", "shared_part\n,\n-- include: more\n")
    before = shelf_of(directory, good=INCLUDING, second=second)
    assert before.names() == ("postgres.good", "postgres.second")
    sql = before.spec("postgres.second", 150000).sql
    assert sql.startswith(f"WITH\n{PART},\nmore AS (SELECT 2 AS two)\nSELECT pid FROM"), sql
    (shared / "shared_part.sql").write_text(PART.replace("1", "3"))
    after = ProbeShelf.load([directory])
    assert all(before.spec(name, 150000).sql != after.spec(name, 150000).sql for name in before.names())


@pytest.mark.parametrize(
    ("part", "line", "expected"),
    [
        (PART, "-- include: part", "good.sql:11: PB001 there is no fragment 'part' -> Known here: shared_part."),
        (PART, "-- include: ../good", "good.sql:11: PB001 this include cannot be read -> Write '-- include: name'"),
        (PART, "-- include shared_part", "good.sql:11: PB001 this include cannot be read -> Write"),
        (PART, "-- include:", "good.sql:11: PB001 this include cannot be read -> Write '-- include: name'"),
        (
            "-- include: good\n" + PART,
            "-- include: shared_part",
            "shared_part.sql:1: PB001 a fragment includes another",
        ),
        ("", "-- include: shared_part", "shared_part.sql:1: PB001 the file is empty, too large or not UTF-8"),
        (
            "seen AS (DELETE FROM t RETURNING 1)",
            "-- include: shared_part",
            "good.sql:10: PB014 this is not a known read",
        ),
    ],
)
def test_a_fragment_that_is_missing_or_wrong_is_named(
    directory: Path, shared: Path, part: str, line: str, expected: str
):
    (shared / "shared_part.sql").write_text(part)
    said = mistakes_of(directory, good=INCLUDING.replace("-- include: shared_part", line))
    assert any(expected in each for each in said), said


def test_without_any_fragment_a_missing_one_says_where_it_would_stand(directory: Path):
    said = mistakes_of(directory, good=INCLUDING)
    assert any("shared/shared_part.sql beside the probe would be it" in each for each in said), said


def test_every_shipped_fragment_serves_several_probes():
    texts = [file.read_text() for file in sql_files(SHIPPED)]
    for name in fragments_of(SHIPPED, []):
        assert sum(f"-- include: {name}\n" in text for text in texts) > 1, name


def test_the_form_is_chosen_by_the_servers_version(directory: Path):
    old, new = GOOD.replace("14+", "14-16"), GOOD.replace("14+", "17+").replace("SELECT pid ", "SELECT pid + 0 AS pid ")
    shelf = shelf_of(directory, good=old, good_AT_17=new)
    assert shelf.spec("postgres.good", 160014).sql.startswith("SELECT pid FROM")
    assert shelf.spec("postgres.good", 180004).sql.startswith("SELECT pid + 0")
    with pytest.raises(Refusal, match=r"14-16, 17\+"):
        shelf.spec("postgres.good", 130010)
    with pytest.raises(Refusal):
        shelf.spec("postgres.nothing", 150000)


def test_columns_are_the_union_over_versions(directory: Path):
    extra = GOOD.replace("14+", "17+").replace(
        "process id\n", "process id\n--   age int                        years\n"
    )
    shelf = shelf_of(
        directory, good=GOOD.replace("14+", "14-16"), good_AT_17=extra.replace("SELECT pid", "SELECT pid, 1")
    )
    assert shelf.columns("postgres.good") == {"pid", "age"}


def test_a_file_that_is_not_text_is_a_mistake_and_not_a_crash(directory: Path):
    (directory / "bad.sql").write_bytes(b"\xff\xfe\x00")
    (said,) = mistakes_of(directory)
    assert said.startswith("postgres/bad.sql:1: PB001 the file is empty, too large or not UTF-8 -> Write UTF-8")


@pytest.mark.parametrize(
    ("given", "bound"),
    [
        ({"app": "x"}, {"min_age_s": 300.0, "app": "x"}),
        ({"app": "x'; DELETE FROM t; --", "min_age_s": "90s"}, {"min_age_s": 90.0, "app": "x'; DELETE FROM t; --"}),
        ({"app": "", "min_age_s": 7}, {"min_age_s": 7.0, "app": ""}),
    ],
)
def test_arguments_are_bound_with_their_types(directory: Path, given: dict[str, Any], bound: dict[str, Any]):
    assert bind(shelf_of(directory, good=GOOD).spec("postgres.good", 150000), given) == bound


@pytest.mark.parametrize(
    "given",
    [
        {}, {"app": None}, {"app": 5}, {"app": "x\x00"}, {"app": "x" * 1001}, {"app": "x", "other": 1},
        {"app": "x", "min_age_s": "soon"}, {"app": "x", "min_age_s": -1}, {"app": "x", "min_age_s": True},
        {"app": "x", "min_age_s": float("inf")}, {"app": "x", "min_age_s": [1]},
    ],
)  # fmt: skip
def test_an_argument_that_does_not_fit_is_refused_with_a_remedy(directory: Path, given: dict[str, Any]):
    spec = shelf_of(directory, good=GOOD).spec("postgres.good", 150000)
    with pytest.raises(Refusal) as refused:
        bind(spec, given)
    assert refused.value.remedy


def test_every_privilege_can_be_granted_and_checked():
    for privilege in PRIVILEGES.values():
        assert privilege.check.lstrip().startswith("SELECT")
        assert privilege.grants or privilege.name == "none"
        assert all("{role}" in grant for grant in privilege.grants)
        assert privilege.per_schema == any("{schema}" in grant for grant in privilege.grants)


def test_every_right_that_is_given_by_choice_has_a_statement_that_takes_it_back():
    chosen = [right for right in ACT_RIGHTS if right.unless]
    grants = [grant for one in (*chosen, PRIVILEGES["pg_read_file"]) for grant in one.grants]
    assert [taken_back(grant) for grant in grants] == [
        "ALTER ROLE {role} NOREPLICATION",
        "ALTER ROLE {role} NOCREATEROLE",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_current_logfile() FROM {role}",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text,bigint,bigint,boolean) FROM {role}",
    ]


def spill_readings(*spilling: int, kb: float = 64.0) -> tuple[list[int], Callable[[], list[Row]]]:
    asked: list[int] = []

    def read() -> list[Row]:
        asked.append(1)
        return [{"role": "bi", "value_kb": kb, "spilling": spilling[min(len(asked), len(spilling)) - 1]}]

    return asked, read


def test_a_tiny_work_mem_is_watched_until_a_spill_shows():
    asked, read = spill_readings(0, 0, 1, 0)
    assert watched(read)[0]["spilling"] == 1
    assert len(asked) == 3


def test_nothing_is_waited_for_where_no_work_mem_is_tiny():
    asked, read = spill_readings(0, kb=2048.0)
    assert watched(read)[0]["spilling"] == 0
    assert len(asked) == 1


def signs_of_log(*lines: str) -> dict[str, tuple[str | None, bool]]:
    rows = [{"level": "FATAL" if "FATAL" in line else "LOG", "line": line} for line in lines]
    return {row["sign"]: (row["said"], row["newest"]) for row in found_in(rows, datetime(2026, 11, 21, tzinfo=UTC))}


@pytest.mark.parametrize(
    "line",
    [
        'LOG:  invalidating slot "feed" because its restart_lsn 0/3000000 exceeds max_slot_wal_keep_size',
        'LOG:  invalidating obsolete replication slot "feed"',
        'FATAL:  could not start WAL streaming: ERROR:  can no longer get changes from replication slot "feed"',
        'FATAL:  could not start WAL streaming: ERROR:  can no longer access replication slot "feed"',
    ],
)
def test_a_slot_that_was_cut_off_is_not_one_that_is_missing(line: str):
    found = signs_of_log(line)
    assert found["slot_invalidated"][0] == "feed"
    assert "slots_used_up" not in found
    assert ("publisher_slot" in found) is ("streaming" in line)


@pytest.mark.parametrize(
    "line",
    [
        'LOG:  logical replication apply worker for subscription "feed" will stop because the subscription was '
        "disabled",
        'LOG:  logical replication worker for subscription "feed" will stop because the subscription was disabled',
        'LOG:  subscription "feed" has been disabled because of an error',
    ],
)
def test_a_subscription_that_was_switched_off_is_heard(line: str):
    assert signs_of_log(line)["subscription_disabled"][0] == "feed"


def test_what_a_replica_says_last_of_its_connection_is_the_newest():
    found = signs_of_log(
        "FATAL:  could not receive data from WAL stream: ERROR:  requested WAL segment 00000001000000000000000A"
        " has already been removed",
        'FATAL:  could not connect to the primary server: FATAL:  role "r" is not permitted to log in',
        "LOG:  checkpoints are occurring too frequently (1 second apart)",
    )
    newest = {name: newest for name, (_, newest) in found.items()}
    assert newest == {"checkpoints": True, "receiver_refused": True, "wal_gone": False, "publisher_lost": True}
