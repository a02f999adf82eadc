"""A server that is not ours as the ground of a drill: we bring a small shop of our own and take all of it away again.

Only what an ordinary superuser's connection can do is done there: sessions, locks, settings, tables of a database that
was made for it. Whatever takes files, processes, a replica or a pooler of the server is not caused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ratchet.domain.errors import Code, Refusal, conflict
from ratchet.domain.fault import Fault
from ratchet.lab.account import server_account
from ratchet.lab.binaries import Binaries
from ratchet.lab.bystanders import Bystanders
from ratchet.lab.embedded import Cluster, Settings, StopMode
from ratchet.lab.faults import undo_left_over
from ratchet.lab.lab import CANARY_ROLE, Lab, PartMissing
from ratchet.lab.reaper import Reaper
from ratchet.lab.shop import DATABASE, SHOP_ROLE, HealthDoor, Shop, create_shop

Session = psycopg.Connection[tuple[Any, ...]]
OUR_ROLES = (SHOP_ROLE, CANARY_ROLE)
MARK = "made by ratchet for drills"
"""The comment on our database and roles: without it one of that name is somebody else's."""
CAUSED = frozenset({
    "object", "sql.run", "control.nothing", "made.role", "made.table", "made.client", "made.drop",
    "postgres.fill_slots", "postgres.lock_chain", "postgres.idle_in_transaction", "postgres.advisory_leak",
    "postgres.run_away", "postgres.stay_ordinary", "postgres.hold_snapshot", "postgres.fill_lock_table",
    "postgres.end_at_once", "postgres.end_sessions", "setting.alter_system", "setting.reset_system",
    "setting.alter_role", "setting.alter_database", "setting.reset_database", "setting.limit_database",
    "schema.deadlocks", "schema.clean", "schema.burn_ids",
})  # fmt: skip
SEEN = frozenset({
    "shop.healthy", "shop.failing", "client.met", "client.slow", "client.healthy", "postgres.login_refused",
    "postgres.lock_waiters", "sql.holds", "sql.rises",
})  # fmt: skip
IN_OUR_DATABASE = frozenset({"made.table", "schema.deadlocks", "schema.clean", "schema.burn_ids"})
"""What shows only to a diagnosis that looks into the shop's own database."""
WHO = """SELECT (SELECT system_identifier::text FROM pg_control_system()), current_setting('server_version_num')::int,
 to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
 (SELECT coalesce(max(setting), '') FROM pg_settings WHERE name = 'data_directory'),
 (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"""
ACT_ROLES = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'ratchet_act_') AND NOT rolsuper"


@dataclass(frozen=True)
class Host:
    """The server that is visited, as its superuser's connection finds it."""

    conn: str = field(repr=False)
    system_identifier: str
    version: int
    instance: tuple[str, str]
    """When it was started, to the microsecond, and its data directory: together with the identifier, which clones and
    replicas share, they name one running server. As the probe postgres.ping tells them."""
    superuser: bool


def look_up(conn: str) -> Host:
    """Who stands behind a connection string. Raises Refusal; the string, which may hold a password, is never told."""
    try:
        with psycopg.connect(conn, connect_timeout=5, autocommit=True, application_name="ratchet") as session:
            row = session.execute(WHO).fetchone()
    except psycopg.ProgrammingError:
        remedy = 'Write it as --conn "host=... port=... dbname=... user=...".'
        raise Refusal(Code.INVALID, "--conn is not a connection string that libpq understands.", remedy) from None
    except psycopg.OperationalError:
        remedy = "Check host, port, user and password; psql with the same words says more."
        raise Refusal(Code.UNAVAILABLE, "The server of --conn does not let this login in.", remedy) from None
    identifier, version, started, directory, superuser = row or ("", 0, "", "", False)
    return Host(conn, str(identifier), int(version), (str(started), str(directory)), bool(superuser))


@dataclass(eq=False)
class HostCluster(Cluster):
    """Somebody else's server in the shape of one of ours: spoken to, and never started, stopped or configured."""

    conn: str = field(default="", repr=False)

    def dsn(self, user: str = "", dbname: str = DATABASE) -> str:
        """A connection string of a role of ours; of the superuser for any other."""
        words: dict[str, Any] = {**conninfo_to_dict(self.conn), "dbname": dbname}
        if user in self.passwords:
            words |= {"user": user, "password": self.passwords[user]}
        return make_conninfo("", **words)

    def log_size(self) -> int:
        return 0

    def start(self) -> None:
        """It is up, or it is not ours to start."""

    def stop(self, mode: StopMode = "fast") -> None:
        raise PartMissing(f"a server of others is not stopped ({mode})")

    def reload(self) -> None:
        with self.connect() as session:
            session.execute("SELECT pg_reload_conf()")

    def configure(self, settings: Settings) -> None:
        raise PartMissing(f"files of a server of others are not written ({', '.join(settings)})")

    def is_running(self) -> bool:
        try:
            self.connect(dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def destroy(self) -> None:
        """Our database and roles go; nothing else was made."""
        with self.connect(dbname="postgres") as session:
            if _database_mark(session) == MARK:
                session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
            for role, mark in _role_marks(session, self.passwords).items():
                if mark == MARK:
                    session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
        self.reaper.dismiss()


class Visit:
    """A lab over somebody else's server; a context that leaves nothing behind."""

    def __init__(self, host: Host, home: Path, seed: int) -> None:
        self._host, self._home, self._seed = host, home, seed
        self._lab: Lab | None = None

    def __enter__(self) -> Lab:
        if not self._host.superuser:
            remedy = "Faults are settings, roles and sessions of others: give a superuser's login."
            raise Refusal(Code.FORBIDDEN, "The login of --conn is not a superuser.", remedy)
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        cluster = _cluster(self._host, self._home)
        with cluster.connect(dbname="postgres") as session:
            _refuse_taken(session)
        cluster.passwords |= dict.fromkeys(OUR_ROLES, "")
        cluster.destroy()
        self._lab = self._open(cluster)
        undo_left_over(self._lab)
        return self._lab

    def __exit__(self, *_raised: object) -> None:
        lab = self._lab
        if lab is None:
            return
        lab.health.close()
        lab.shop.close()
        lab.bystanders.close()
        lab.shop.wait()
        lab.primary.destroy()

    def _open(self, cluster: HostCluster) -> Lab:
        cluster.passwords.clear()
        create_shop(cluster)
        cluster.add_login(CANARY_ROLE)
        with cluster.connect(dbname="postgres") as session:
            mark = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(DATABASE), sql.Literal(MARK))
            session.execute(mark)
            acting = [str(role) for (role,) in session.execute(ACT_ROLES).fetchall()]
        shop = Shop(cluster, None, self._seed)
        bystanders = Bystanders(cluster, self._seed)
        shop.start()
        lab = Lab(self._home, self._seed, cluster, None, shop, bystanders, HealthDoor(shop))
        for role in acting:
            lab.let_maintain(role)
        return lab


def beyond(fault: Fault, database: str) -> tuple[str, ...]:
    """What a fault takes that a visit does not have, in words; `database` is the one that the diagnosis looks into."""
    spec = fault.spec
    used = {step.uses for step in (*spec.inject, *spec.undo)}
    restarts = any(step.args.get("restart") for step in spec.inject)
    away = sorted((used - CAUSED) | ({each.uses for each in (*spec.symptom, *spec.baseline)} - SEEN))
    reasons = [f"a server of the lab's own ({', '.join(away)})"] if away else []
    reasons += [f"the lab's {need}" for need in spec.needs if need != "primary"]
    reasons += ["a server that may be restarted"] if restarts else []
    if used & IN_OUR_DATABASE and database != DATABASE:
        reasons.append(f"a target that looks into the database {DATABASE!r}, and this one looks into {database!r}")
    return tuple(reasons)


def _refuse_taken(session: Session) -> None:
    """A database or role of our name that is not ours is somebody's. Raises Refusal before anything is touched."""
    taken = [f"a role {name!r}" for name, mark in _role_marks(session, OUR_ROLES).items() if mark != MARK]
    if _database_mark(session) not in (None, MARK):
        taken.insert(0, f"a database {DATABASE!r}")
    if taken:
        message = f"The server has {' and '.join(taken)} already, and not of Ratchet's making."
        raise conflict(message, "Drill on a server without; nothing was touched.")


def _database_mark(session: Session) -> str | None:
    """The comment on the database of our name; None where there is none of that name."""
    query = "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = %s"
    row = session.execute(query, [DATABASE]).fetchone()
    return None if row is None else str(row[0])


def _role_marks(session: Session, names: Iterable[str]) -> dict[str, str]:
    """The comments on the roles of these names that exist."""
    query = "SELECT rolname, coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = ANY (%s)"
    return {str(name): str(mark) for name, mark in session.execute(query, [list(names)]).fetchall()}


def _cluster(host: Host, home: Path) -> HostCluster:
    words: Mapping[str, Any] = conninfo_to_dict(host.conn)
    binaries = Binaries(home, (host.version // 10000, host.version % 10000), "installed", contrib=False)
    return HostCluster(
        root=home, home=home, binaries=binaries,
        account=server_account(), port=int(words.get("port") or 5432), passwords={}, reaper=NoReaper(), conn=host.conn,
        mark=MARK,
    )  # fmt: skip


class NoReaper(Reaper):
    """Nothing of the server's is to be reaped: sessions end with this process, and the next visit takes the rest."""

    def __init__(self) -> None:
        """Starts nothing."""

    def dismiss(self) -> None:
        """Nothing to end."""
