"""The checks by which a fault file says that the lab is well, and that a failure took."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from pydantic import Field

from ratchet.domain.fault import FaultCheck
from ratchet.domain.noun import Noun
from ratchet.lab.injectors import outside
from ratchet.lab.injectors.grip import Grip, NoArgs
from ratchet.lab.lab import CANARY_ROLE, Lab, Member
from ratchet.lab.shop import DATABASE, Request, Worker

REFUSED = ("connection slots are reserved", "too many clients")
POLL_S = 0.1


@dataclass
class Scene:
    """What a check looks at: the lab, the fault's own part of it, and only what happened after a moment."""

    lab: Lab
    since: float
    grip: Grip | None = None
    first: dict[str, float] = field(default_factory=dict[str, float])
    """What was counted at the first look."""

    def requests(self, window: float) -> list[Request]:
        """What the fault's own customers met lately."""
        begin = max(self.since, time.monotonic() - window)
        return [each for client in self.clients() for each in client.since(begin)]

    def clients(self) -> list[Any]:
        return list(self.grip.clients) if self.grip is not None else []

    def ask(self, query: str, on: Member, database: str) -> Any:
        """The first value of a statement with the fault's names in it."""
        with self.lab.member(on).connect(dbname=database) as session:
            row = session.execute(self.grip.names.fill(query) if self.grip else query.encode()).fetchone()
        return row[0] if row else None


class HealthyArgs(Noun):
    """How long the shop must have been well."""

    window: float = Field(default=1.2, gt=0)


class FailingArgs(Noun):
    """Whose customers must have met a failure, and how lately."""

    worker: Worker
    window: float = Field(default=1.5, gt=0)


class WaitersArgs(Noun):
    """How many sessions must be waiting for a lock."""

    at_least: int = Field(default=1, ge=1)


class MetArgs(Noun):
    """What the fault's own customers must have been told (a regular expression)."""

    says: str = "."
    window: float = Field(default=5, gt=0)


class SlowArgs(Noun):
    """How slow the fault's own customers must be served, in milliseconds (the median)."""

    ms: float


class QueryArgs(Noun):
    """A question to a server, with names such as `{table}`; its first value must be true."""

    query: str
    on: Member = "primary"
    database: str = DATABASE


class RiseArgs(QueryArgs):
    """A question for a number, which must rise by `by` while one watches."""

    by: float = 1


class LogArgs(Noun):
    """What the server's log must have said since the fault began (a regular expression)."""

    says: str


class UpArgs(Noun):
    """Whether the server must be up and take logins."""

    up: bool


@dataclass(frozen=True)
class Check:
    """One check: the arguments it takes and how it looks at a scene."""

    args: type[Noun]
    look: Callable[[Scene, Any], bool]


def shop_healthy(scene: Scene, args: HealthyArgs) -> bool:
    parts: tuple[Worker, ...] = ("checkout", "catalogue", "reports")
    whole_window = time.monotonic() - scene.since >= args.window
    return whole_window and all(scene.lab.shop.sample(args.window, part).healthy for part in parts)


def shop_failing(scene: Scene, args: FailingArgs) -> bool:
    begin = max(scene.since, time.monotonic() - args.window)
    return any(each.error for each in scene.lab.shop.requests_since(begin) if each.worker == args.worker)


def login_refused(scene: Scene, _args: NoArgs) -> bool:
    """Whether an ordinary role is turned away for want of a slot (and for no other reason)."""
    try:
        scene.lab.primary.connect(CANARY_ROLE, DATABASE, application_name=CANARY_ROLE).close()
    except psycopg.OperationalError as refused:
        return any(words in str(refused) for words in REFUSED)
    return False


def lock_waiters(scene: Scene, args: WaitersArgs) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    return int(scene.ask(query, "primary", DATABASE)) >= args.at_least


def replay_paused(scene: Scene, _args: NoArgs) -> bool:
    return bool(scene.ask("SELECT pg_get_wal_replay_pause_state() = 'paused'", "replica", "postgres"))


def client_met(scene: Scene, args: MetArgs) -> bool:
    return any(each.error and re.search(args.says, each.error) for each in scene.requests(args.window))


def client_slow(scene: Scene, args: SlowArgs) -> bool:
    took = sorted(each.elapsed_ms for each in scene.requests(5))
    return len(took) >= 3 and took[len(took) // 2] >= args.ms


def client_healthy(scene: Scene, args: HealthyArgs) -> bool:
    """Whether each of the fault's own customers was served over the whole window; true where there is none."""
    begin = time.monotonic() - args.window
    if begin < scene.since:
        return False
    lately = [client.since(begin) for client in scene.clients()]
    return all(seen and not any(each.error for each in seen) for seen in lately)


def holds(scene: Scene, args: QueryArgs) -> bool:
    return bool(scene.ask(args.query, args.on, args.database))


def rises(scene: Scene, args: RiseArgs) -> bool:
    found = scene.ask(args.query, args.on, args.database)
    now = float(found or 0)
    return now - scene.first.setdefault("count", now) >= args.by


def log_says(scene: Scene, args: LogArgs) -> bool:
    primary = scene.lab.primary
    begin = scene.grip.log_from if scene.grip is not None else 0
    with primary.log_path.open("rb") as log:
        log.seek(begin)
        return re.search(args.says, log.read().decode(errors="replace")) is not None


def log_grows(scene: Scene, args: RiseArgs) -> bool:
    size = float(scene.lab.primary.log_size())
    return size - scene.first.setdefault("count", size) >= args.by


def server_up(scene: Scene, args: UpArgs) -> bool:
    try:
        scene.lab.primary.connect().close()
    except psycopg.OperationalError:
        return not args.up
    return args.up


def processors_busy(scene: Scene, _args: NoArgs) -> bool:
    """Whether our foreign processes use processors that the server would want."""
    if scene.grip is None:
        return False
    used = sum(sum(process.cpu_times()[:2]) for process in outside.running(scene.grip))
    return used - scene.first.setdefault("count", used) >= 0.3


def pooler_waits(scene: Scene, _args: NoArgs) -> bool:
    """Whether clients wait in the pooler for a connection."""
    waiting = 2
    return any(int(str(row[waiting + 1])) > 0 for row in scene.lab.the_pooler().command("SHOW POOLS"))


class GrowsArgs(RiseArgs):
    """By how many bytes the log must grow while one watches."""

    query: str = ""


CHECKS: Mapping[str, Check] = {
    "shop.healthy": Check(HealthyArgs, shop_healthy),
    "shop.failing": Check(FailingArgs, shop_failing),
    "client.met": Check(MetArgs, client_met),
    "client.slow": Check(SlowArgs, client_slow),
    "client.healthy": Check(HealthyArgs, client_healthy),
    "postgres.login_refused": Check(NoArgs, login_refused),
    "postgres.lock_waiters": Check(WaitersArgs, lock_waiters),
    "postgres.replay_paused": Check(NoArgs, replay_paused),
    "sql.holds": Check(QueryArgs, holds),
    "sql.rises": Check(RiseArgs, rises),
    "log.says": Check(LogArgs, log_says),
    "log.grows": Check(GrowsArgs, log_grows),
    "server.up": Check(UpArgs, server_up),
    "host.processors_busy": Check(NoArgs, processors_busy),
    "pooler.waits": Check(NoArgs, pooler_waits),
}


def unmet(
    checks: Iterable[FaultCheck], lab: Lab, since: float = 0.0, grip: Grip | None = None
) -> tuple[FaultCheck, ...]:
    """The checks that did not become true within their time; empty means that all hold.

    What customers met before `since` (monotonic seconds) does not count, neither for the shop nor against it.
    """
    return tuple(check for check in checks if not _becomes_true(check, Scene(lab, since, grip)))


def _becomes_true(check: FaultCheck, scene: Scene) -> bool:
    known = CHECKS[check.uses]
    args = known.args.model_validate(check.args)
    deadline = time.monotonic() + check.within
    while not _look(known, scene, args):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _look(known: Check, scene: Scene, args: Noun) -> bool:
    """A server that does not answer makes nothing true."""
    try:
        return known.look(scene, args)
    except psycopg.OperationalError:
        return False
