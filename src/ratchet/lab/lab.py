"""The lab as a whole: servers, shop and bystanders, up in seconds and gone without a trace."""

import os
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from psycopg import sql

from ratchet.domain.target import HostControl
from ratchet.lab.binaries import Binaries
from ratchet.lab.bystanders import Bystanders
from ratchet.lab.embedded import Cluster, Settings
from ratchet.lab.pooler import Pooler, find_pooler
from ratchet.lab.shop import DATABASE, SHOP_ROLE, HealthDoor, Shop, create_shop

Member = Literal["primary", "replica"]
Part = Literal["primary", "replica", "pgbouncer"]

ADMIN_ROLE = "ratchet_admin"
CANARY_ROLE = "canary"
NAMES: dict[Part, str] = {"primary": "shop-db", "replica": "shop-db-replica", "pgbouncer": "shop-db-pooler"}
JOURNAL = "caused"
ADMIN_OPTION_FROM = 16
"""The version from which CREATEROLE alters only the roles that it was given with ADMIN OPTION."""
LAB_SERVER: Settings = {"max_connections": 40, "wal_level": "logical"}


class PartMissing(RuntimeError):
    """The lab was made without this part, or this machine cannot give it."""


LACKING = {
    "primary": "a primary",
    "replica": "a streaming replica",
    "pgbouncer": "PgBouncer in front of the primary",
    "contrib": "PostgreSQL's contrib modules (pg_stat_statements)",
    "root": "root's rights on this machine",
    "alone": "a primary without a replica on the same machine, which would share its volume",
}


@dataclass(frozen=True)
class Endpoint:
    """One server as a target: the connection strings carry passwords and are never shown."""

    name: str
    address: str
    admin_dsn: str = field(repr=False)
    canary_dsn: str = field(repr=False)
    host_control: HostControl


@dataclass(eq=False)
class Lab:
    """A running lab. `root` holds everything; `down` leaves nothing."""

    root: Path
    seed: int
    primary: Cluster
    replica: Cluster | None
    shop: Shop
    bystanders: Bystanders
    health: HealthDoor = field(repr=False)
    pooler: Pooler | None = None
    maintainers: list[str] = field(default_factory=list[str])
    """The roles that act: they may do what the owner of the tables may, and administer the roles that faults make."""

    @classmethod
    def up(cls, root: Path, *, replica: bool, seed: int, binaries: Binaries, pgbouncer: bool = False) -> Self:
        """Makes the servers, opens the shop and lets the bystanders in. PartMissing without the pooler's program."""
        program = find_pooler() if pgbouncer else None
        if pgbouncer and program is None:
            raise PartMissing("PgBouncer is not installed; on Debian: apt-get install pgbouncer")
        primary = Cluster.create(root / "primary", binaries, settings=LAB_SERVER)
        with ExitStack() as failed:
            failed.callback(primary.destroy)
            primary.configure(primary.archiving())
            primary.restart()
            primary.outside.mkdir()
            primary.account.own(primary.outside)
            primary.add_login(ADMIN_ROLE, "SUPERUSER")
            primary.add_login(CANARY_ROLE)
            create_shop(primary)
            if binaries.contrib:
                with primary.connect(dbname=DATABASE) as session:
                    session.execute("CREATE EXTENSION pg_stat_statements")
            follower = primary.replica(root / "replica") if replica else None
            lab = cls._open(root, seed, primary, follower)
            lab.pooler = Pooler.start(primary, program) if program is not None else None
            failed.pop_all()
        return lab

    @classmethod
    def _open(cls, root: Path, seed: int, primary: Cluster, replica: Cluster | None) -> Self:
        bystanders = Bystanders(primary, seed)
        shop = Shop(primary, replica, seed)
        shop.start()
        return cls(root, seed, primary, replica, shop, bystanders, HealthDoor(shop))

    def down(self) -> None:
        """Closes the shop and removes the servers; may be repeated."""
        self.health.close()
        self.shop.close()
        self.bystanders.close()
        if self.pooler is not None:
            self.pooler.stop()
        # The servers go before the shop's workers are waited for: one of them may hang on a server that is stopped.
        self.primary.destroy()
        self.shop.wait()
        with suppress(OSError):
            self.root.rmdir()

    @property
    def journal(self) -> Path:
        """Where caused faults are written down; it goes with the primary, as whatever they did there does."""
        return self.primary.home / JOURNAL

    @property
    def outside(self) -> Path:
        """Where foreign programs of the lab are started from."""
        return self.primary.outside

    def lacks(self, needs: Iterable[str]) -> tuple[str, ...]:
        """The parts of a fault's needs that this lab, or this machine, does not have; each in words."""
        have = {
            "primary": True,
            "replica": self.replica is not None,
            "pgbouncer": self.pooler is not None,
            "contrib": self.primary.binaries.contrib,
            "root": os.geteuid() == 0,
            "alone": self.replica is None,
        }
        return tuple(LACKING[need] for need in needs if not have[need])

    def the_pooler(self) -> Pooler:
        if self.pooler is None:
            raise PartMissing(LACKING["pgbouncer"])
        return self.pooler

    def through_pooler(self, role: str) -> str:
        """A connection string of `role` by way of the pooler; never print it."""
        return self.the_pooler().dsn(role)

    def admit(self) -> None:
        """Lets the pooler know the roles that the primary knows by now."""
        if self.pooler is not None:
            self.pooler.write()
            self.pooler.command("RELOAD")

    def expel(self, role: str) -> None:
        """Forgets a role that is gone."""
        if self.primary.passwords.pop(role, None) is not None:
            self.admit()

    def let_maintain(self, role: str) -> None:
        """Lets a role act on the shop's tables as their owner, which VACUUM and CREATE INDEX ask for."""
        with self.primary.connect() as session:
            session.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(SHOP_ROLE), sql.Identifier(role)))
        if role not in self.maintainers:
            self.maintainers.append(role)

    def let_alter_roles(self, role: str) -> None:
        """Gives a role what provisioning leaves out from version 16 on, where it has to be chosen role by role."""
        if self.primary.binaries.version[0] >= ADMIN_OPTION_FROM:
            with self.primary.connect() as session:
                session.execute(sql.SQL("ALTER ROLE {} CREATEROLE").format(sql.Identifier(role)))

    def entrust(self, role: str) -> None:
        """Lets the roles that act take back settings of `role`; before version 16 CREATEROLE alone does."""
        if self.primary.binaries.version[0] < ADMIN_OPTION_FROM:
            return
        with self.primary.connect() as session:
            for maintainer in self.maintainers:
                grant = sql.SQL("GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
                session.execute(grant.format(sql.Identifier(role), sql.Identifier(maintainer)))

    def member(self, member: Member) -> Cluster:
        """The server in that role; KeyError where the lab was made without it."""
        cluster = self.primary if member == "primary" else self.replica
        if cluster is None:
            raise KeyError(member)
        return cluster

    def endpoint(self, member: Member = "primary") -> Endpoint:
        """How Ratchet reaches that server."""
        cluster = self.member(member)
        control = HostControl(
            pg_ctl=cluster.pg_ctl, pg_data=str(cluster.data_dir), run_as=cluster.account.name,
            backup=str(cluster.backup), archive=str(cluster.archive),
        )  # fmt: skip
        return Endpoint(
            name=NAMES[member],
            address=f"127.0.0.1:{cluster.port}/{DATABASE}",
            admin_dsn=cluster.dsn(ADMIN_ROLE, DATABASE),
            canary_dsn=cluster.dsn(CANARY_ROLE, DATABASE),
            host_control=control,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()
