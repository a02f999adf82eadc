"""The lab as a whole: servers, shop and bystanders, up in seconds and gone without a trace."""

from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from ratchet.domain.target import HostControl
from ratchet.lab.binaries import Binaries
from ratchet.lab.bystanders import Bystanders
from ratchet.lab.embedded import Cluster, Settings
from ratchet.lab.shop import DATABASE, HealthDoor, Shop, create_shop

Member = Literal["primary", "replica"]

ADMIN_ROLE = "ratchet_admin"
CANARY_ROLE = "canary"
NAMES: dict[Member, str] = {"primary": "shop-db", "replica": "shop-db-replica"}
JOURNAL = "caused"
LAB_SERVER: Settings = {"max_connections": 40}


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

    @classmethod
    def up(cls, root: Path, *, replica: bool, seed: int, binaries: Binaries) -> Self:
        """Makes the servers, opens the shop and lets the bystanders in."""
        primary = Cluster.create(root / "primary", binaries, settings=LAB_SERVER)
        with ExitStack() as failed:
            failed.callback(primary.destroy)
            primary.add_login(ADMIN_ROLE, "SUPERUSER")
            primary.add_login(CANARY_ROLE)
            create_shop(primary)
            if binaries.contrib:
                with primary.connect(dbname=DATABASE) as session:
                    session.execute("CREATE EXTENSION pg_stat_statements")
            follower = primary.replica(root / "replica") if replica else None
            lab = cls._open(root, seed, primary, follower)
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
        # The servers go before the shop's workers are waited for: one of them may hang on a server that is stopped.
        self.primary.destroy()
        self.shop.wait()
        with suppress(OSError):
            self.root.rmdir()

    @property
    def journal(self) -> Path:
        """Where caused faults are written down; it goes with the primary, as whatever they did there does."""
        return self.primary.home / JOURNAL

    def member(self, member: Member) -> Cluster:
        """The server in that role; KeyError where the lab was made without it."""
        cluster = self.primary if member == "primary" else self.replica
        if cluster is None:
            raise KeyError(member)
        return cluster

    def endpoint(self, member: Member = "primary") -> Endpoint:
        """How Ratchet reaches that server."""
        cluster = self.member(member)
        control = HostControl(pg_ctl=cluster.pg_ctl, pg_data=str(cluster.data_dir), run_as=cluster.account.name)
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
