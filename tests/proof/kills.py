"""kill -9 over the real engine, store and PostgreSQL: at any moment, at every named place, and stopped processes too.

Afterwards the target's own ledger, the log of what was acknowledged and the chain of events are held side by side.
"""

import json
import logging
import os
import random
import select
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from ratchet.desk.alerts import Intake
from ratchet.desk.decisions import Answers
from ratchet.domain.alert import Alert
from ratchet.domain.errors import Refusal
from ratchet.security.principal import Principal
from ratchet.security.redact import Redactor
from ratchet.wiring.failpoint import failpoint
from tests.proof.counting import LEDGER
from tests.proof.house import DEADLINE, Site, begin, hands_for, open_state, worker_for

LONGEST = 0.120
PLACES = tuple(
    f"{side}_{what}"
    for what in ("intent", "anchor", "send", "acted", "took", "settled", "doubted", "looked", "concluded", "planned",
                 "asked", "sampled", "verified", "resolved", "wake")
    for side in ("before", "after")
)  # fmt: skip
TARGETS = 5
AHEAD = 12
"""Incidents that the monitor keeps open at a time."""


@dataclass
class Tally:
    """What a run came to."""

    kills: int = 0
    by_place: int = 0
    stopped: int = 0
    starts: list[float] = field(default_factory=list)
    incidents: int = 0
    effects: int = 0
    acknowledged: int = 0
    unknown: int = 0
    retried: int = 0
    events: int = 0
    seconds: float = 0.0
    doubled: int = 0
    lost: int = 0
    stuck: int = 0
    untrue: int = 0
    late: int = 0
    chain: str = ""
    ends: dict[str, int] = field(default_factory=dict)

    def wrong(self) -> int:
        return self.doubled + self.lost + self.stuck + self.untrue + self.late + (self.chain != "whole")


class Kills:
    """One state directory and the processes that live and die over it."""

    def __init__(self, home: Path, server: Any, seed: int) -> None:
        self.site = Site(home, server.dsn("proof_diag"), server.dsn("proof_act"), TARGETS)
        self.server = server
        self.random = random.Random(seed)
        self.tally = Tally()
        self.acks = home.parent / "acknowledged"
        self.zombies: list[tuple[int, float]] = []
        begin(self.site)
        hands_for(self.site, *self._once())

    def _once(self) -> Any:
        store, clock = open_state(self.site)
        store.close()
        return store, clock

    # -- processes

    def _fork(self, work: Callable[[int], None]) -> tuple[int, int]:
        """A child that does `work`; its pid, and the pipe on which it says that it is ready."""
        reads, writes = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reads)
                logging.disable(logging.CRITICAL)
                work(writes)
            finally:
                os._exit(0)
        os.close(writes)
        return pid, reads

    def _engine(self, spec: str | None) -> tuple[int, int]:
        def work(ready: int) -> None:
            store, clock = open_state(self.site)
            hands = hands_for(self.site, store, clock)
            worker, _ = worker_for(store, clock, hands, failpoint(spec, store.targets))
            say_ready(ready)
            worker._loop()

        return self._fork(work)

    def _people(self) -> tuple[int, int]:
        """Monitor and approver in one: what they were told is written down only after the answer came."""

        def work(ready: int) -> None:
            store, clock = open_state(self.site)
            answers = Answers(store, clock, str)
            intake = Intake(store, store.targets, lambda: os.urandom(8).hex(), Redactor([], b"proof"))
            ana, number = Principal(kind="person", name="ana", role="approver", channel="proof"), 0
            say_ready(ready)
            with self.acks.open("a", encoding="ascii", buffering=1) as log:
                while True:
                    parent_alive()
                    try:
                        live = store.incidents(status=("open", "triaging", "awaiting_approval", "acting", "verifying"))
                        if len(live.items) < AHEAD and not self._quiet():
                            number += 1
                            alert = self._alert(number)
                            intake.receive([alert], "service:proof")
                            log.write(json.dumps(["alert", alert.fingerprint]) + "\n")
                        for row in store.decisions(state=("pending",)).items:
                            answers.answer(ana, row.id, row.digest, (True, "counted"))
                            log.write(json.dumps(["yes", row.id]) + "\n")
                    except Refusal:
                        continue
                    time.sleep(0.015)

        return self._fork(work)

    def _quiet(self) -> bool:
        return (self.site.home.parent / "quiet").exists()

    def _alert(self, number: int) -> Alert:
        labels = {"target": f"db{number % TARGETS}", "mark": f"m{number}-{os.urandom(6).hex()}", "alertname": "x"}
        return Alert(
            source="proof", fingerprint=labels["mark"], starts_at=datetime(2026, 3, 1, tzinfo=UTC), labels=labels
        )

    # -- the run

    def run(self, kills: int, report: Callable[[str], None] = lambda line: None) -> Tally:
        """So many kills, then peace, then the reckoning."""
        began, opened = time.monotonic(), 0
        people, pipe = self._people()
        os.read(pipe, 1)
        os.close(pipe)
        try:
            while self.tally.kills < kills:
                self._live_and_die()
                # A process that was stopped inside a transaction holds the file for as long as it is stopped.
                if self.tally.kills // 150 > opened and not self.zombies:
                    opened = self.tally.kills // 150
                    self._once()
                if self.tally.kills % 500 == 0:
                    report(f"{self.tally.kills} kills, {time.monotonic() - began:.0f} s")
            self._raise_the_dead(everybody=True)
            (self.site.home.parent / "quiet").touch()
            self._peace()
        finally:
            end(people)
            for pid, _ in self.zombies:
                end(pid)
        self.tally.seconds = time.monotonic() - began
        self._reckon()
        return self.tally

    def _live_and_die(self) -> None:
        how = self.random.random()
        place = self.random.choice(PLACES)
        spec = f"kill:{place}:{self.random.randint(1, 3)}" if how < 0.4 else None
        began = time.monotonic()
        pid, ready = self._engine(spec)
        if how < 0.9 and select.select([ready], [], [], 5)[0] and os.read(ready, 1):
            self.tally.starts.append(time.monotonic() - began)
        os.close(ready)
        if spec is not None:
            if self._waited(pid, 0.5):
                self.tally.by_place += 1
                self.tally.kills += 1
                return
        else:
            time.sleep(self.random.uniform(0, LONGEST))
        if spec is None and how > 0.96 and len(self.zombies) < 2:
            os.kill(pid, signal.SIGSTOP)
            self.zombies.append((pid, time.monotonic() + DEADLINE + 2.5))
            self.tally.stopped += 1
            return
        end(pid)
        self.tally.kills += 1
        self._raise_the_dead()

    def _raise_the_dead(self, *, everybody: bool = False) -> None:
        """Stopped processes go on when every deadline has passed; they find the world changed, and then they die."""
        for zombie in list(self.zombies):
            pid, until = zombie
            if everybody:
                time.sleep(max(0.0, until - time.monotonic()))
            if time.monotonic() < until:
                continue
            self.zombies.remove(zombie)
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.06)
            end(pid)
            self.tally.kills += 1

    @staticmethod
    def _waited(pid: int, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return True
            time.sleep(0.001)
        return False

    def _peace(self) -> None:
        """One engine that nobody kills, until nothing is left to do."""
        pid, ready = self._engine(None)
        os.close(ready)
        store, _ = open_state(self.site)
        try:
            until = time.monotonic() + 60
            while time.monotonic() < until:
                live = store.incidents(status=("open", "triaging", "awaiting_approval", "acting", "verifying"))
                if not live.items and not [i for i in store.holding() if i.may_land is not None]:
                    return
                time.sleep(0.1)
        finally:
            store.close()
            end(pid)

    # -- the reckoning

    def _reckon(self) -> None:
        store, _ = open_state(self.site)
        with store:
            streams = self._streams(store)
            report = store.verify()
        self.tally.chain = "whole" if report.ok else report.because
        self.tally.events = report.events
        with psycopg.connect(self.server.dsn(), autocommit=True) as session:
            rows = session.execute("SELECT mark, at < not_after FROM public.ledger").fetchall()
        marks = Counter(mark for mark, _ in rows)
        mine = {mark: n for mark, n in marks.items() if mark in {s["mark"] for s in streams.values()}}
        self.tally.incidents, self.tally.effects = len(streams), sum(mine.values())
        self.tally.doubled = sum(n > 1 for n in mine.values())
        self.tally.late = sum(not in_time for mark, in_time in rows if mark in mine)
        self.tally.ends = dict(Counter(s["status"] for s in streams.values()))
        for one in streams.values():
            self._judge(one, one["mark"] in mine)
        self._acknowledged(streams)

    def _streams(self, store: Any) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        cursor = None
        while True:
            page = store.incidents(limit=200, cursor=cursor)
            for incident in page.items:
                told = store.refold(incident.id)
                granted = {r.event.approval.decision for r in store.timeline(incident.id) if r.event.kind == "granted"}
                found[incident.id] = {
                    "mark": incident.alert.labels["mark"], "status": told.status, "ops": told.ops, "yes": granted,
                    "same": told == incident,
                }  # fmt: skip
            cursor = page.next_cursor
            if cursor is None:
                return found

    def _judge(self, one: dict[str, Any], happened: bool) -> None:
        states = [op.state for op in one["ops"]]
        self.tally.unknown += sum(bool(op.because) for op in one["ops"])
        self.tally.retried += len(states) > 1
        says = any(state in ("done", "took") for state in states)
        unsure = any(state == "unsure" for state in states)
        self.tally.untrue += (says != happened and not unsure) or not one["same"]
        ended = one["status"] in ("resolved", "closed", "escalated", "held")
        self.tally.stuck += not ended or any(state in ("intended", "unknown") for state in states)

    def _acknowledged(self, streams: dict[str, dict[str, Any]]) -> None:
        alerts = {one["mark"] for one in streams.values()}
        granted = {decision for one in streams.values() for decision in one["yes"]}
        for line in self.acks.read_text("ascii").splitlines():
            what, name = json.loads(line)
            self.tally.acknowledged += 1
            self.tally.lost += name not in (alerts if what == "alert" else granted)


def say_ready(pipe: int) -> None:
    with suppress(BrokenPipeError):
        os.write(pipe, b".")


def parent_alive() -> None:
    if os.getppid() == 1:
        os._exit(0)


def end(pid: int) -> None:
    """SIGKILL, and wait until it is gone."""
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def prepare(server: Any) -> None:
    """The ledger at the target, and the logins that read and write it."""

    server.add_login("proof_diag", "IN ROLE pg_monitor")
    server.add_login("proof_act")
    with server.connect() as session:
        session.execute(LEDGER)
        session.execute("GRANT SELECT ON ledger TO proof_diag")
        session.execute("GRANT SELECT, INSERT ON ledger TO proof_act")


def lane(root: Path, server: Any, seed: int, kills: int) -> None:
    """One harness in a process of its own; its tally is left in `root/tally.json`."""
    tally = Kills(root / "home", server, seed).run(kills)
    (root / "tally.json").write_text(json.dumps(asdict(tally)), encoding="ascii")
