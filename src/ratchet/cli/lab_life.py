"""A lab's life as the command line leads it: started in a process of its own, registered, found again, taken down."""

import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from ratchet.desk.contract import Desk
from ratchet.desk.views import TargetReport, TargetRequest, TargetView
from ratchet.domain.errors import Code, Refusal, conflict
from ratchet.domain.target import HostControl, SecretRef, Target
from ratchet.lab.keeper import Asked, LabState, ask, forget, login_path, read_state
from ratchet.lab.lab import NAMES
from ratchet.lab.sweep import sweep

STATE = "lab.json"
START_S = 90.0
# As provisioning names it for the primary.
ACT_ROLE = "ratchet_act_shop_db"
ALLOW = ("log", "slots", "role_settings")


def state_path(home: Path) -> Path:
    """Where a home keeps the state of its lab."""
    return home / "lab" / STATE


def lives(state: LabState) -> bool:
    """Whether the process that keeps the lab runs."""
    try:
        return psutil.Process(state.pid).create_time() == state.began
    except psutil.NoSuchProcess:
        return False


def living(home: Path) -> LabState | None:
    """The lab of this home, if it is up."""
    state = read_state(state_path(home))
    return state if state is not None and lives(state) else None


def start(home: Path, seed: int, parts: list[str]) -> LabState:
    """The keeper as a process of its own; its first word or its failure is waited for."""
    path = state_path(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    said = path.with_name("keeper.log")
    with said.open("w", encoding="utf-8") as out:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "ratchet.lab.keeper", str(path), str(seed), *parts],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        state = read_state(path)
        if state is not None and state.pid == keeper.pid:
            return state
        if keeper.poll() is not None:
            break
        time.sleep(0.05)
    keeper.terminate()
    words = said.read_text(encoding="utf-8").strip().splitlines()
    raise Refusal(Code.UNAVAILABLE, "The lab did not start.", words[-1] if words else f"Look at {said}.")


def names_of(parts: Iterable[str]) -> list[str]:
    """The targets that a lab with these parts registers."""
    return [name for part, name in NAMES.items() if part == "primary" or part in parts]


def refuse_taken(desk: Desk, home: Path, names: Iterable[str]) -> None:
    """What a person registered under the name of a server of the lab stays as it is. Raises Refusal."""
    taken = sorted(each.name for each in desk.targets() if each.name in set(names) and not _of_a_lab(each, home))
    if taken:
        raise conflict(
            f"{' and '.join(taken)} is registered here already, and not by a lab of this home; the lab would take that "
            "place.",
            "Give the lab a home of its own, such as RATCHET_HOME=~/.ratchet-lab; nothing was started or changed.",
        )


def _of_a_lab(target: TargetView, home: Path) -> bool:
    """Whether a lab of this home, up or long down, registered it: only a lab's login is kept among the lab's files."""
    kind, _, place = target.canary.partition(":")
    ours = login_path(state_path(home), target.name, "canary")
    return "chaos" in target.tags and kind == "file" and Path(place).resolve() == ours.resolve()


def register(desk: Desk, home: Path, state: LabState, owner: str) -> list[TargetReport]:
    """Register every server of the lab as a target tagged chaos, with all rights that acting on it takes. Raises
    Refusal where a target of such a name is a person's."""
    refuse_taken(desk, home, state.logins)
    reports = [_register(desk, state, name, owner) for name in state.logins]
    ask(state, Asked(verb="maintain", role=ACT_ROLE))
    return reports


def take_down(home: Path, state: LabState) -> None:
    """Remove all of it; nothing happens where it is gone already."""
    path = state_path(home)
    if lives(state):
        # A signal does what the word does, and a keeper that is busy hears it too.
        psutil.Process(state.pid).terminate()
        _wait_for_end(state)
    for part in ("replica", "primary"):
        sweep(path.parent / "servers" / part)
    forget(path, state)


def _wait_for_end(state: LabState) -> None:
    try:
        psutil.Process(state.pid).wait(timeout=60)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired:
        raise Refusal(Code.FAILED, "The lab does not go down.", f"Look at process {state.pid}.") from None


def _register(desk: Desk, state: LabState, name: str, owner: str) -> TargetReport:
    logins = {kind: SecretRef(kind="file", name=place) for kind, place in state.logins[name].items()}
    if name == NAMES["pgbouncer"]:
        pooler = Target(
            name=name, kind="postgres", owner=owner, tags=("chaos",), diag=logins["stats"], canary=logins["canary"],
            address=state.addresses[name], pooler_of=NAMES["primary"],
        )  # fmt: skip
        return desk.add_target(TargetRequest(target=pooler))
    target = Target(
        name=name, kind="postgres", owner=owner, tags=("chaos",), canary=logins["canary"],
        host_control=HostControl(**state.host_control[name]), address=state.addresses[name],
        replica_of=None if name == NAMES["primary"] else NAMES["primary"],
    )  # fmt: skip
    return desk.add_target(TargetRequest(target=target, admin=logins["admin"], allow=ALLOW))
