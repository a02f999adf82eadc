"""The fault matrix: each fault is put in, shown to be there, and leaves the promise whole."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from ratchet.desk.alerts import Intake
from ratchet.desk.decisions import Answers
from ratchet.domain.alert import Alert
from ratchet.domain.audit import ChainBroken
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.evidence import Answer, ProbeCall
from ratchet.domain.incident import Incident
from ratchet.execution.worker import Worker
from ratchet.lab.embedded import Cluster
from ratchet.security.principal import Principal
from ratchet.security.redact import Redactor
from ratchet.security.secrets import Secret
from ratchet.store.store import EventStore
from ratchet.tools.registry import Hands
from tests.proof import house
from tests.proof.__main__ import SETTINGS
from tests.proof.kills import prepare
from tests.proof.life import Life, living
from tests.proof.proxy import Cut, Proxy
from tests.proof.watch import Watch

ANA = Principal(kind="person", name="ana", role="approver", channel="proof")


def until(true: Callable[[], Any], seconds: float = 15.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


# -- the state's own disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount") is not None
    if (
        not mounted
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("a small file system can only be mounted by root; this fault was NOT tried")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_state_disk_takes_nothing_and_sends_nothing_and_goes_on_by_itself(small_disk: Path) -> None:
    with living(small_disk) as life:
        incident = life.alert("A")
        life.run()
        ballast = small_disk / "ballast"
        with pytest.raises(OSError, match="No space"), ballast.open("wb", buffering=0) as file:  # noqa: PT012
            while True:
                file.write(b"x" * 4096)
        shown = life.world.sessions
        _refuses(lambda: life.alert("A", "other"))
        _refuses(lambda: life.hands.note(life.person(), incident, "x" * 3000))
        life.world.sessions = shown
        assert not life.approve(incident, "ana")
        assert not life.world.ledger
        worker = Worker(life.engine, life.store, life.clock, lanes=1)
        worker.start()
        try:
            time.sleep(0.3)
            ballast.unlink()
            until(lambda: life.approve(incident, "ana"), 5)
            worker.nudge()
            until(lambda: life.world.ledger, 5)
        finally:
            worker.stop()
        assert len(life.world.ledger) == 1
        assert life.store.verify().ok


def _refuses(write: Callable[[], Any]) -> None:
    """The last free pages of the log may still take some; then nothing is taken."""
    with pytest.raises(Refusal) as refused:  # noqa: PT012
        for _ in range(60):
            write()
    assert refused.value.code is Code.UNAVAILABLE


STRACE = shutil.which("strace")


@pytest.mark.parametrize(
    ("call", "error", "nth"),
    [("pwrite64", "EIO", 3), ("pwrite64", "EIO", 20), ("pwrite64", "EIO", 60), ("pwrite64", "ENOSPC", 45),
     ("fdatasync", "EIO", 4), ("fdatasync", "EIO", 11), ("fdatasync", "EIO", 19)],
)  # fmt: skip
def test_a_write_that_fails_at_any_place_leaves_no_act_without_an_intent(
    tmp_path: Path, call: str, error: str, nth: int
) -> None:
    if STRACE is None:
        pytest.skip("strace is not installed; this fault was NOT tried")
    told = _under_strace(tmp_path, f"inject={call}:error={error}:when={nth}")
    with EventStore.open_at(tmp_path / "home", lambda: house.VERSION.created_at, lambda: "x") as store:
        assert store.verify().ok
        timelines = [store.timeline(i.id) for i in store.incidents(limit=50).items]
    intents = {r.event.grant.op_id for line in timelines for r in line if r.event.kind == "intended"}
    sends = [line.split()[1] for line in told if line.startswith("send ")]
    assert len(sends) == len(set(sends)) and set(sends) <= intents


def _under_strace(root: Path, inject: str) -> list[str]:
    trace = root / "trace"
    run = [
        str(STRACE),
        "-f",
        "-qq",
        "-o",
        str(trace),
        "-e",
        f"trace={inject[7:].split(':', maxsplit=1)[0]}",
        "-e",
        inject,
    ]
    done = subprocess.run(
        [*run, sys.executable, "-m", "tests.proof.story", str(root)], check=False, capture_output=True, timeout=120,
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    if "ptrace" in done.stderr.decode() or not trace.exists():
        pytest.skip("strace may not trace here; this fault was NOT tried")
    assert "(INJECTED)" in trace.read_text(errors="replace"), "the fault was not there"
    return (root / "told").read_text("ascii").splitlines()


@pytest.mark.parametrize("fault", ["old copy", "bit", "cut", "no log"])
def test_a_state_that_was_damaged_or_put_back_is_refused_at_the_start(fault: str) -> None:
    with living() as life:
        life.story("A")
        old = life.home.parent / "old.db"
        shutil.copy(life.home / "ratchet.db", old)
        life.story("B")
        connections = life.store._journal.connections
        if fault != "no log":
            with connections.read() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connections.close() if fault != "no log" else None
        _damage(life.home / "ratchet.db", fault, old)
        with pytest.raises((ChainBroken, Refusal)) as refused:
            EventStore.open_at(life.home, life.clock, lambda: "x")
        assert not isinstance(refused.value, Refusal) or refused.value.code in (Code.FAILED, Code.UNAVAILABLE)


def _damage(database: Path, fault: str, old: Path) -> None:
    logs = [database.with_name(database.name + end) for end in ("-wal", "-shm")]
    body = bytearray(database.read_bytes())
    match fault:
        case "old copy":
            shutil.copy(old, database)
        case "bit":
            at = body.find(b'"kind":"acted"')
            body[at + 9] ^= 1
            database.write_bytes(body)
        case "cut":
            database.write_bytes(body[: len(body) // 2])
        case _:
            fresh = database.with_name("fresh.db")
            shutil.copy(database, fresh)
            fresh.replace(database)
    for log in logs:
        log.unlink(missing_ok=True)


# -- clocks


@pytest.mark.parametrize("jump", [-86400, -3600, 3600, 86400])
@pytest.mark.parametrize("restart", ["", "process", "boot"])
@pytest.mark.parametrize("state", ["asked", "approved", "intended", "unknown", "verifying", "cooling"])
def test_no_jump_of_the_wall_lengthens_an_approval_or_shortens_a_cooldown(jump: int, restart: str, state: str) -> None:
    if restart == "boot" and jump > 0:
        pytest.skip("a machine that boots with its clock in the future cannot be told from a long night")
    with living() as life:
        watch = Watch(life)
        incident = _brought_to(life, state)
        life.world.wall_set += timedelta(seconds=jump)
        if restart:
            life.crash("two" if restart == "boot" else "")
        life.automation.resume(life.person(), "go on")
        life.run()
        if state == "asked":
            life.world.passes(601)
            assert not life.approve(incident, "ana"), "a yes was taken after its time"
        if state == "cooling":
            life.repeat(incident, "resolved")
            second = life.alert("A")
            life.run()
            life.approve(second, "ana")
            life.run()
            assert len(life.world.ledger) == 1, "the cooldown was shortened"
        life.settle(20)
        watch.check()
        watch.finish()
        watch.end()


def _brought_to(life: Life, state: str) -> str:
    incident = life.alert("A")
    life.run()
    if state == "asked":
        return incident
    if state == "approved":
        life.automation.pause(life.person(), "wait")
        life.approve(incident, "ana")
        life.run()
        life.world.passes(590)
        return incident
    if state == "intended":
        life.kill_at = "after_send"
    if state == "unknown":
        life.world.mood = "answer_lost"
    life.approve(incident, "ana")
    life.run()
    life.world.mood = "well"
    return incident


# -- the target


@pytest.fixture(scope="module")
def served(pg_binaries: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server of this module's own, with the ledger."""
    with Cluster.create(tmp_path_factory.mktemp("faults") / "root", pg_binaries, settings=SETTINGS) as server:
        prepare(server)
        yield server


class Stage:
    """Ratchet over real servers, with the worker running."""

    def __init__(self, home: Path, diag: str, act: str, targets: int = 2) -> None:
        self.site = house.Site(home, diag, act, targets)
        house.begin(self.site)
        self.store, self.clock = house.open_state(self.site)
        self.hands: Hands = house.hands_for(self.site, self.store, self.clock)
        self.secrets = {"diag": Secret(diag), "act": Secret(act)}
        self.hands._secret = lambda ref: self.secrets[ref.name]
        self.place: dict[str, Callable[[], None]] = {}
        self.worker, _ = house.worker_for(self.store, self.clock, self.hands, self._at)
        self.worker.start()

    def _at(self, place: str) -> None:
        self.place.pop(place, lambda: None)()

    def alert(self, target: str = "db0") -> str:
        mark = f"m-{os.urandom(6).hex()}"
        labels = {"target": target, "mark": mark, "alertname": "x"}
        alert = Alert(source="p", fingerprint=mark, starts_at=house.VERSION.created_at, labels=labels)
        Intake(self.store, self.store.targets, house.new_id, Redactor([], b"proof")).receive([alert], "service:p")
        self.worker.nudge()
        return self.store.incidents(limit=1).items[0].id

    def until(self, incident: str, *statuses: str, seconds: float = 20) -> Incident:
        until(lambda: self.store.incident(incident).status in statuses, seconds)
        return self.store.incident(incident)

    def approve(self, incident: str) -> None:
        packet = self.until(incident, "awaiting_approval").packet
        assert packet is not None
        Answers(self.store, self.clock, str).answer(ANA, packet.id, packet.digest, (True, "seen"))
        self.worker.nudge()

    def kinds(self, incident: str) -> list[str]:
        return [r.event.kind for r in self.store.timeline(incident)]

    def close(self) -> None:
        self.worker.stop()
        self.hands.close()
        self.store.close()


@contextmanager
def staged(tmp_path: Path, server: Cluster, port: int | None = None, targets: int = 2) -> Iterator[Stage]:
    def dsn(name: str) -> str:
        return server.dsn(name).replace(f":{server.port}/", f":{port or server.port}/")

    stage = Stage(tmp_path / "lane" / "home", dsn("proof_diag"), dsn("proof_act"), targets)
    try:
        yield stage
    finally:
        stage.close()


def counted(server: Cluster, mark: str) -> int:
    with psycopg.connect(server.dsn(), autocommit=True) as session:
        row = session.execute("SELECT count(*) FROM public.ledger WHERE mark = %s", [mark]).fetchone()
    assert row is not None
    return int(row[0])


def mark_of(stage: Stage, incident: str) -> str:
    return stage.store.incident(incident).alert.labels["mark"]


@pytest.mark.postgres
@pytest.mark.parametrize(("cut", "then"), [("replies", "yes"), ("both", "no")])
def test_a_partition_under_an_act_is_doubt_and_is_settled_when_it_heals(
    served: Cluster, tmp_path: Path, cut: Cut, then: str
) -> None:
    with ExitStack() as stack:
        proxy = Proxy(served.port)
        stack.callback(proxy.close)
        stage = stack.enter_context(staged(tmp_path, served, proxy.port))
        incident = stage.alert()
        stage.until(incident, "awaiting_approval")
        proxy.trap = (b"INSERT INTO public.ledger", cut)
        stage.approve(incident)
        until(lambda: "doubted" in stage.kinds(incident), seconds=40)
        assert "acted" not in stage.kinds(incident)
        assert proxy.swallowed > 0, "the partition was not there"
        proxy.cut = ""
        seen = stage.until(incident, "resolved", "escalated", seconds=30)
        took = [r.event.took for r in stage.store.timeline(incident) if r.event.kind == "settled"]
        assert took[0] == then, stage.kinds(incident)
        assert counted(served, mark_of(stage, incident)) == 1
        assert seen.status == "resolved"


@pytest.mark.postgres
def test_a_hung_target_is_told_from_a_refused_one_while_another_goes_on(
    served: Cluster, pg_binaries: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("hung") / "root"
    with ExitStack() as stack:
        sick = stack.enter_context(Cluster.create(root, pg_binaries, settings=SETTINGS))
        prepare(sick)
        stage = stack.enter_context(staged(tmp_path, served))
        by_target = {"db1": sick}
        ours = stage.hands._sessions

        def sessions(target: Any) -> Any:
            kept = ours(target)
            if target.name in by_target:
                server = by_target[target.name]
                kept._secret = lambda ref: Secret(server.dsn(f"proof_{ref.name}"))
            return kept

        stage.hands._sessions = sessions
        call = ProbeCall(probe="postgres.ping", target="db1")
        assert stage.hands.look([call])[0].answer is Answer.OK
        threads, connections = threading.active_count(), len(psutil.Process().net_connections())
        family = [psutil.Process(sick.pid), *psutil.Process(sick.pid).children(recursive=True)]
        for process in family:
            process.send_signal(signal.SIGSTOP)
        stack.callback(lambda: [p.send_signal(signal.SIGCONT) for p in family if p.is_running()])
        answers: list[Any] = []
        looking = threading.Thread(target=lambda: answers.extend(stage.hands.look([call])))
        looking.start()
        incident = stage.alert("db0")
        stage.approve(incident)
        stage.until(incident, "resolved", seconds=60)
        looking.join(60)
        assert not looking.is_alive() and answers[0].answer is Answer.HUNG, answers
        for process in family:
            process.send_signal(signal.SIGCONT)
        sick.stop("immediate")
        assert until(lambda: stage.hands.look([call])[0]).answer is Answer.REFUSED
        until(lambda: threading.active_count() <= threads + 1)
        until(lambda: len(psutil.Process().net_connections()) <= connections + 2)


@pytest.mark.postgres
def test_a_failover_between_approval_and_send_supersedes_and_touches_neither_server(
    pg_binaries: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with ExitStack() as stack:
        root = tmp_path_factory.mktemp("pair")
        primary = stack.enter_context(Cluster.create(root / "one", pg_binaries, settings=SETTINGS))
        prepare(primary)
        standby = primary.replica(root / "two")
        stage = stack.enter_context(staged(tmp_path, primary))
        incident = stage.alert()
        stage.until(incident, "awaiting_approval")
        stage.store.pause("user:ana", "while it fails over")
        stage.approve(incident)
        with standby.connect() as session:
            session.execute("SELECT pg_promote(true, 30)")
        primary.kill()
        stage.secrets.update({role: Secret(standby.dsn(f"proof_{role}")) for role in ("diag", "act")})
        stage.store.resume("user:ana", "it has failed over")
        stage.worker.nudge()
        until(lambda: "superseded" in stage.kinds(incident))
        assert "intended" not in stage.kinds(incident)
        assert counted(standby, mark_of(stage, incident)) == 0
