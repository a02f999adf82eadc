"""Hands on real servers, with the roles that provisioning makes, and other people's sessions to act on."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import psycopg
import pytest

from ratchet.domain.evidence import Evidence, ProbeCall
from ratchet.domain.gate import Grant
from ratchet.domain.plan import Act, Preview
from ratchet.domain.target import Fingerprint, HostControl, SecretRef, Target
from ratchet.lab.embedded import Cluster
from ratchet.security.redact import Redactor
from ratchet.security.secrets import Secret
from ratchet.tools.postgres.probes import ProbeShelf
from ratchet.tools.postgres.provision import provision
from ratchet.tools.registry import Hands


def now() -> datetime:
    return datetime.now(UTC)


def until(true: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait for a condition; a test that waits in vain fails."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@dataclass
class Bench:
    """Hands on one or more servers, each registered under a name."""

    secrets: dict[str, Secret] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)
    known: list[Secret] = field(default_factory=list)
    shelf: ProbeShelf = field(
        default_factory=lambda: ProbeShelf.load([files("ratchet.library") / "probes" / "postgres"])
    )

    def __post_init__(self) -> None:
        self.hands = Hands(lambda: list(self.targets.values()), self.shelf, self.secret, Redactor([], b"key"), now)

    def secret(self, ref: SecretRef) -> Secret:
        return self.secrets[ref.name]

    def point(self, name: str, diag: str, act: str = "", canary: str = "", **more: Any) -> Target:
        refs: dict[str, SecretRef] = {}
        for role, dsn in (("diag", diag), ("act", act), ("canary", canary)):
            if dsn:
                refs[role] = SecretRef(kind="env", name=f"{name}_{role}")
                self.secrets[f"{name}_{role}"] = Secret(dsn)
        target = Target(name=name, kind="postgres", **refs, **more)
        self.targets[name] = target
        return target

    def look(self, probe: str, target: str = "db", **args: Any) -> Evidence:
        return self.hands.look([ProbeCall(probe=probe, target=target, args=args)])[0]

    def offer(self, tool: str, *, target: str = "db", cap: int = 50, **args: Any) -> Act:
        """The act as an engine would build it from a preview."""
        preview, spec = self.hands.preview(target, tool, args), self.hands.spec(tool)
        assert isinstance(preview, Preview), preview
        assert spec is not None
        return Act(
            tool=tool, target=target, args=args, effect=spec.effect, klass=spec.klass, scope=spec.scope,
            statements=preview.statements, identities=preview.rows, cap=cap,
            credential=self.hands.credential(target), deadline=10, undo=preview.undo,
        )  # fmt: skip

    def grant(self, act: Act, not_after: datetime | None = None) -> Grant:
        """Leave for exactly this act, at the server that answers now; without one for 10 s when none does."""
        deadline = not_after or now() + timedelta(seconds=10)
        who = self.hands.fingerprint(act.target)
        server = (
            who.model_dump(include={"system_identifier", "timeline", "in_recovery"})
            if isinstance(who, Fingerprint)
            else {}
        )
        return Grant(
            op_id="s1.1", decision="d", packet_digest="p", action_digest=act.digest, incident_id="i",
            approved_by=("ana",), not_after=deadline, settle_after=deadline, **server,
        )  # fmt: skip


def others(cluster: Cluster, count: int, application: str) -> Sequence[psycopg.Connection[Any]]:
    """Idle sessions of an ordinary role."""
    return [cluster.connect("shopper", application_name=application) for _ in range(count)]


@pytest.fixture(scope="module")
def served(pg: Cluster) -> Cluster:
    """The shared server with an ordinary role and a table of its own."""
    if "shopper" not in pg.passwords:
        pg.add_login("shopper")
        with pg.connect() as session:
            session.execute("CREATE TABLE IF NOT EXISTS public.orders (id int)")
            session.execute("GRANT ALL ON public.orders TO shopper")
    return pg


@pytest.fixture
def bench(served: Cluster) -> Iterator[Bench]:
    """`db`: the shared server through provisioned roles, sessions warm."""
    made = provision(Secret(served.dsn()), "db", now, frozenset({"slots"}))
    bench = Bench()
    bench.point("db", made.diag.reveal(), made.act.reveal(), served.dsn("shopper"))
    assert bench.hands.pointed("db")
    with ExitStack() as stack:
        stack.callback(bench.hands.close)
        yield bench


def host_control(cluster: Cluster) -> HostControl:
    return HostControl(pg_ctl=cluster.pg_ctl, pg_data=str(cluster.data_dir), run_as=cluster.account.name)
