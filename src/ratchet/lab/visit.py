"""A server that is not ours as the ground of a drill: we bring a small shop of our own and take all of it away again.

Only what an ordinary superuser's connection can do is done there: sessions, locks, settings, tables of a database that
was made for it. Whatever takes files, processes, a replica or a pooler of the server is not caused.
"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from ratchet.domain.errors import Code, Refusal
from ratchet.domain.fault import Fault
from ratchet.lab.bystanders import Bystanders
from ratchet.lab.lab import CANARY_ROLE, Lab
from ratchet.lab.leaving import clear, lease
from ratchet.lab.reaper import Reaper
from ratchet.lab.shop import DATABASE, HealthDoor, Shop, create_shop
from ratchet.lab.visit_reaper import watch
from ratchet.lab.visited import Host, HostCluster, host_cluster, refuse_taken

WAIT_S = 20.0
"""How long the end of another visit is waited for."""
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
ACT_ROLES = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'ratchet_act_') AND NOT rolsuper"


class LeftBehind(Refusal):
    """Something of ours stays on the server; the message says what."""


class Visit:
    """A lab over somebody else's server; a context that leaves nothing behind.

    From the first thing that is made there until the last one is gone a process beside us would take it back after our
    end, whatever ends us. `left` says, once the visit is over, what could not be taken back; that process tries on.
    """

    def __init__(self, host: Host, home: Path, seed: int) -> None:
        self._host, self._home, self._seed = host, home, seed
        self._end = ExitStack()
        self.left: list[str] = []

    def __enter__(self) -> Lab:
        """Raises Refusal where it cannot begin, and nothing of ours is there then; LeftBehind where something is."""
        if not self._host.superuser:
            remedy = "Faults are settings, roles and sessions of others: give a superuser's login."
            raise Refusal(Code.FORBIDDEN, "The login of --conn is not a superuser.", remedy)
        try:
            with _refused(), ExitStack() as begun:
                begun.enter_context(lease(self._home, WAIT_S))
                cluster = host_cluster(self._host, self._home)
                with cluster.connect(dbname="postgres") as session:
                    refuse_taken(session)
                self._clear_earlier()
                reaper = watch(self._host, self._home)
                begun.callback(self._leave, reaper)
                lab = self._open(cluster, begun)
                if not reaper.watches():
                    raise RuntimeError("the process that takes everything back after our end does not start")
                self._end = begun.pop_all()
        except Refusal as refused:
            if self.left:
                message = f"{refused.message} LEFT BEHIND, a person must look: {'; '.join(self.left)}"
                raise LeftBehind(Code.FAILED, message, refused.remedy) from None
            raise
        return lab

    def __exit__(self, *_raised: object) -> None:
        self._end.close()

    def _open(self, cluster: HostCluster, end: ExitStack) -> Lab:
        create_shop(cluster)
        cluster.add_login(CANARY_ROLE)
        shop = Shop(cluster, None, self._seed)
        end.callback(shop.wait)
        bystanders = Bystanders(cluster, self._seed)
        end.callback(bystanders.close)
        end.callback(shop.close)
        shop.start()
        health = HealthDoor(shop)
        end.callback(health.close)
        lab = Lab(self._home, self._seed, cluster, None, shop, bystanders, health)
        with cluster.connect(dbname="postgres") as session:
            acting = [str(role) for (role,) in session.execute(ACT_ROLES).fetchall()]
        for role in acting:
            lab.let_maintain(role)
        return lab

    def _clear_earlier(self) -> None:
        try:
            clear(self._host, self._home)
        except (RuntimeError, OSError, psycopg.Error) as failed:
            message = f"What an earlier drill left on this server could not be taken back: {failed}"
            remedy = f"A person must look; it is written down in {self._home}."
            raise LeftBehind(Code.FAILED, message, remedy) from None

    def _leave(self, reaper: Reaper) -> None:
        try:
            clear(self._host, self._home)
        except (RuntimeError, OSError, psycopg.Error) as failed:
            on = f"process {reaper.pid} tries again for an hour, and so does the next drill with the same --conn"
            self.left.append(f"on the server of --conn: {failed} ({on})")
            reaper.abandon()
        else:
            reaper.dismiss()


@contextmanager
def _refused() -> Generator[None]:
    """What the server says no to, as a refusal."""
    try:
        yield
    except (RuntimeError, OSError, psycopg.Error) as failed:
        remedy = f"As its superuser's login, those of {DATABASE}'s own roles must be let in (pg_hba.conf)."
        message = f"The drill cannot begin on this server: {failed}"
        raise Refusal(Code.FAILED, message, remedy) from None


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
