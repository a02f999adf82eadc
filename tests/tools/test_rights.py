"""Provisioning and check: least rights, passwords never shown, and each missing right with the line that grants it."""

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ratchet.domain.errors import Code, Refusal
from ratchet.lab.embedded import Cluster
from ratchet.security.secrets import Secret
from ratchet.tools.postgres.provision import provision
from tests.tools.conftest import Bench, now, until

pytestmark = pytest.mark.postgres


def test_provisioned_roles_work_and_nothing_they_need_is_missing(bench: Bench):
    found = bench.hands.check("db")
    assert [each.what for each in found if not each.optional] == []
    known = (
        "ownership",
        "membership",
        "CREATEROLE",
        "ADMIN OPTION",
        "extension",
        "server version",
        "sequence",
        "pg_read_file",
    )
    assert [each.what for each in found if not any(word in each.what for word in known)] == []


def test_provisioning_twice_mends_the_same_roles(served: Cluster):
    first = provision(Secret(served.dsn()), "Shop-1.eu", now)
    second = provision(Secret(served.dsn()), "Shop-1.eu", now)
    assert (first.diag_role, first.act_role) == (second.diag_role, second.act_role)
    assert first.diag_role == "ratchet_diag_shop_1_eu"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first.diag.reveal())
    with psycopg.connect(second.diag.reveal()) as session, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        session.execute("CREATE TABLE x ()")


def test_a_right_that_is_no_longer_asked_for_is_taken_back(served: Cluster):
    held = (
        "SELECT bool_or(rolreplication), bool_or(rolcreaterole), bool_or(has_function_privilege(oid,"
        " 'pg_catalog.pg_read_binary_file(text,bigint,bigint,boolean)', 'EXECUTE'))"
        " FROM pg_roles WHERE rolname IN ('ratchet_diag_more', 'ratchet_act_more')"
    )
    with served.connect() as admin:
        provision(Secret(served.dsn()), "more", now, frozenset({"log", "slots", "role_settings"}))
        below_16 = admin.info.server_version < 160_000
        assert admin.execute(held).fetchone() == (True, below_16, True)
        provision(Secret(served.dsn()), "more", now, frozenset({"slots"}))
        assert admin.execute(held).fetchone() == (True, False, False)
        made = provision(Secret(served.dsn()), "more", now)
        assert admin.execute(held).fetchone() == (False, False, False)
    assert "the attribute REPLICATION" in made.left_out


def test_a_name_that_gives_the_same_roles_takes_none_over(served: Cluster):
    first = provision(Secret(served.dsn()), "twin-db", now)
    for name in ("twin.db", "Twin_DB"):
        with pytest.raises(Refusal) as refused:
            provision(Secret(served.dsn()), name, now)
        assert refused.value.code is Code.CONFLICT and "made for the target twin-db" in refused.value.message
    with psycopg.connect(first.diag.reveal()) as diag, psycopg.connect(first.act.reveal()) as act:
        assert (diag.info.user, act.info.user) == (first.diag_role, first.act_role)


def test_no_password_is_shown_to_the_server_its_log_or_a_reader(served: Cluster):
    with served.connect() as admin:
        admin.execute("ALTER SYSTEM SET log_statement = 'all'")
        admin.execute("SELECT pg_reload_conf()")
        until(lambda: logs_all(served))
        made = provision(Secret(served.dsn()), "quiet", now)
        admin.execute("ALTER SYSTEM RESET log_statement")
        admin.execute("SELECT pg_reload_conf()")
    passwords = [conninfo_to_dict(each.reveal())["password"] for each in (made.diag, made.act)]
    log = served.log_path.read_text(encoding="utf-8", errors="replace")
    assert "ratchet_diag_quiet" in log
    assert not any(str(password) in log for password in passwords)
    assert not any(str(password) in repr(made) + made.model_dump_json() for password in passwords)


def logs_all(served: Cluster) -> bool:
    """Whether a session that begins now has its statements logged."""
    with served.connect() as fresh:
        return fresh.execute("SHOW log_statement").fetchone() == ("all",)


def test_least_rights_means_least(served: Cluster):
    made = provision(Secret(served.dsn()), "least", now)
    with psycopg.connect(made.act.reveal(), autocommit=True) as act:
        for statement in (
            "ALTER SYSTEM SET ssl = off",
            "SELECT pg_read_file('postgresql.conf')",
            "SELECT * FROM public.orders",
            "SELECT pg_promote()",
            "SELECT pg_create_physical_replication_slot('x')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                act.execute(statement)
    with psycopg.connect(made.diag.reveal(), autocommit=True) as diag:
        for statement in ("SELECT pg_reload_conf()", "SELECT * FROM public.orders", "SELECT pg_switch_wal()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                diag.execute(statement)


def test_opt_ins_are_asked_for_by_name(served: Cluster):
    assert any("REPLICATION" in each for each in provision(Secret(served.dsn()), "opt", now).left_out)
    made = provision(Secret(served.dsn()), "opt", now, frozenset({"slots", "role_settings", "log"}))
    assert not any("REPLICATION" in each for each in made.left_out)
    with pytest.raises(Refusal, match="Unknown opt-in"):
        provision(Secret(served.dsn()), "opt", now, frozenset({"everything"}))


def test_an_admin_who_may_not_make_roles_is_told_so(served: Cluster):
    with pytest.raises(Refusal, match="permission denied"):
        provision(Secret(served.dsn("shopper")), "none", now)


def test_a_bare_login_is_told_each_missing_right_with_its_grant(served: Cluster):
    bench = Bench()
    bench.point("bare", served.dsn("shopper"), served.dsn("shopper"))
    found = bench.hands.check("bare")
    remedies = "\n".join(each.remedy for each in found)
    assert 'GRANT pg_monitor TO "shopper"' in remedies
    assert 'GRANT pg_signal_backend TO "shopper"' in remedies
    assert "GRANT ALTER SYSTEM ON PARAMETER" in remedies
    required = "\n".join(each.remedy for each in found if not each.optional)
    assert 'GRANT pg_monitor TO "shopper"' in required and "pg_stat_statements" not in required
    for each in found:
        assert each.remedy, each.what
        assert each.probes, each.what
    bench.hands.close()


def test_a_superuser_for_reading_is_spoken_of(served: Cluster):
    bench = Bench()
    bench.point("open", served.dsn())
    assert any("superuser" in each.what for each in bench.hands.check("open"))
    bench.hands.close()


def test_a_login_that_does_not_work_disables_everything_it_was_for(served: Cluster):
    bench = Bench()
    bench.point("locked", served.dsn().replace(served.passwords["postgres"], "wrong-word"))
    found = bench.hands.check("locked")
    assert len(found) == 1
    assert "postgres.sessions" in found[0].probes
    bench.hands.close()
