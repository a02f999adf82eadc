"""Keeps a lab up until it is told to take it down, and answers who asks: mostly a process of its own.

Run as `python -m ratchet.lab.keeper STATE SEED [PART...]`. One JSON object a line in, one out, over a socket that only
the lab's own account and root can reach: `status`, `lacks`, `well`, `inject`, `mended`, `untouched`, `undo`, `maintain`
and `down`.
"""

import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
import psycopg

from ratchet.config import read_settings
from ratchet.domain.errors import Refusal
from ratchet.domain.fault import Fault
from ratchet.domain.noun import Noun
from ratchet.lab.account import LabProgramFailed
from ratchet.lab.binaries import BinariesNotFound, find_binaries
from ratchet.lab.catalog import Catalog, load_catalog
from ratchet.lab.checks import unmet
from ratchet.lab.faults import FaultRefused, Injected, begin, in_effect, undo_each
from ratchet.lab.fresh import refresh
from ratchet.lab.lab import CANARY_ROLE, NAMES, Lab, Member, PartMissing
from ratchet.lab.shop import DATABASE

SOCKET = "keeper.sock"
LARGEST = 65536


class LabState(Noun):
    """What stands in the state file: where the keeper answers, and where each server's logins are kept."""

    pid: int
    began: float = 0.0
    """When that process began, in seconds since 1970: no other process of that number did."""
    socket: str
    root: str
    seed: int
    version: str
    addresses: dict[str, str]
    """Of each part, by the name of its target."""
    logins: dict[str, dict[str, str]]
    """Files of mode 0600 with connection strings, by target and purpose."""
    host_control: dict[str, dict[str, str]]
    health: str


class Asked(Noun):
    """One request."""

    verb: str
    fault: str = ""
    seed: int = 1
    label: str = ""
    role: str = ""


class Terminated(BaseException):
    """SIGTERM or SIGINT came; the lab is taken down on the way out."""


class Keeper:
    """Answers about one lab; faults that it causes end with their time, or with the lab."""

    def __init__(self, lab: Lab, catalog: Catalog) -> None:
        self._lab = lab
        self._catalog = catalog
        self._caused: dict[str, Injected] = {}

    def answer(self, asked: Asked) -> dict[str, Any]:
        """What the verb gave; refusals are answers too."""
        try:
            match asked.verb:
                case "inject":
                    return self._inject(asked)
                case "undo":
                    return self._undo(asked.label)
                case "lacks":
                    return {"lacking": self._lab.lacks(self._catalog.find(asked.fault).spec.needs)}
                case "well":
                    return {"unmet": self._unwell(self._catalog.find(asked.fault))}
                case "mended":
                    return {"mended": self._known(asked.label).mended()}
                case "untouched":
                    return {"untouched": self._known(asked.label).innocents_untouched()}
                case "maintain":
                    self._lab.let_maintain(asked.role)
                    self._lab.let_alter_roles(asked.role)
                    return {"may_maintain": asked.role}
                case _:
                    return self._status()
        # FaultRefused, UndoFailed, LabProgramFailed and their like are runtime errors that say what is wrong.
        except (RuntimeError, Refusal, OSError, psycopg.Error) as refused:
            return {"error": " ".join([str(refused), *getattr(refused, "__notes__", ())])}

    def _status(self) -> dict[str, Any]:
        sample = self._lab.shop.sample()
        return {"healthy": sample.healthy, "last_error": sample.last_error, "caused": in_effect(self._caused),
                "primary_up": self._lab.primary.is_running()}  # fmt: skip

    def _inject(self, asked: Asked) -> dict[str, Any]:
        injected = begin(self._catalog.find(asked.fault), self._lab, asked.seed)
        self._caused[injected.owner_label] = injected
        injected.cause()
        objects = [each.model_dump() for each in injected.objects]
        return {"label": injected.owner_label, "took": injected.took(), "objects": objects}

    def _unwell(self, fault: Fault) -> list[str]:
        """The lab as on another day, and what of the fault's baseline does not hold even so. While a fault is in
        effect nothing is forgotten: traces of it would go, and what it did to innocents with them."""
        if live := in_effect(self._caused):
            return [f"{name} ({label}) is in effect" for label, name in live.items()]
        refresh(self._lab)
        return [each.uses for each in unmet(fault.spec.baseline, self._lab)]

    def _known(self, label: str) -> Injected:
        found = self._caused.get(label)
        if found is None:
            raise FaultRefused(f"Nothing labelled {label} was caused here.")
        return found

    def _undo(self, label: str) -> dict[str, Any]:
        undone = [each for name, each in self._caused.items() if label in ("", name) and not each.undone]
        if left := undo_each(undone):
            return {"error": left}
        return {"undone": [each.owner_label for each in undone]}


def ask(state: LabState, asked: Asked, wait_s: float = 120) -> dict[str, Any]:
    """One question to a keeper. Raises OSError where none answers."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(wait_s)
        line.connect(state.socket)
        line.sendall(asked.model_dump_json(exclude_defaults=True).encode() + b"\n")
        with line.makefile("rb") as answer:
            read = answer.readline()
    if not read:
        raise ConnectionResetError("the keeper of the lab went away without an answer")
    said: dict[str, Any] = json.loads(read)
    return said


def read_state(path: Path) -> LabState | None:
    """The lab of this state file; None where there is none."""
    try:
        return LabState.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def login_path(state: Path, target: str, kind: str) -> Path:
    """Where the login of that purpose to a server of the lab is kept: beside the state file."""
    return state.parent / f"{target}-{kind}.dsn"


def _write_state(path: Path, lab: Lab) -> LabState:
    places: dict[str, dict[str, str]] = {}
    control: dict[str, dict[str, str]] = {}
    addresses: dict[str, str] = {}
    members: tuple[Member, ...] = ("primary",) if lab.replica is None else ("primary", "replica")
    for member in members:
        endpoint = lab.endpoint(member)
        addresses[endpoint.name] = endpoint.address
        control[endpoint.name] = endpoint.host_control.model_dump()
        words = {"admin": endpoint.admin_dsn, "canary": endpoint.canary_dsn}
        places[endpoint.name] = {
            kind: str(_private(login_path(path, endpoint.name, kind), dsn)) for kind, dsn in words.items()
        }
    if lab.pooler is not None:
        name = NAMES["pgbouncer"]
        addresses[name] = f"127.0.0.1:{lab.pooler.port}/{DATABASE}"
        words = {"stats": lab.pooler.stats_dsn(), "canary": lab.through_pooler(CANARY_ROLE)}
        places[name] = {kind: str(_private(login_path(path, name, kind), dsn)) for kind, dsn in words.items()}
    state = LabState(
        pid=os.getpid(), began=psutil.Process().create_time(),
        socket=str(lab.primary.home / SOCKET), root=str(lab.root), seed=lab.seed,
        version=".".join(str(part) for part in lab.primary.binaries.version), addresses=addresses, logins=places,
        host_control=control, health=lab.health.url,
    )  # fmt: skip
    _private(path, state.model_dump_json(indent=2))
    return state


def _private(path: Path, text: str) -> Path:
    """Written whole, mode 0600 from its first moment."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    beside.touch(mode=0o600)
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(path)
    return path


def _serve(keeper: Keeper, listener: socket.socket) -> None:
    while True:
        line, _ = listener.accept()
        with line, suppress(OSError, ValueError):
            line.settimeout(5)
            with line.makefile("rb") as read:
                asked = Asked.model_validate_json(read.readline(LARGEST))
            if asked.verb == "down":
                line.sendall(b'{"going": true}\n')
                return
            line.sendall(json.dumps(keeper.answer(asked)).encode() + b"\n")


@contextmanager
def kept(lab: Lab, path: Path, catalog: Catalog) -> Generator[tuple[LabState, Callable[[], None]]]:
    """The state file and the socket of a lab of this process, gone at the end; the call given serves until `down`."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(lab.primary.home / SOCKET))
        listener.listen()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        state = _write_state(path, lab)
        try:
            yield state, lambda: _serve(Keeper(lab, catalog), listener)
        finally:
            forget(path, state)


def forget(path: Path, state: LabState) -> None:
    """Remove the state file and the logins beside it."""
    for login in (name for kinds in state.logins.values() for name in kinds.values()):
        Path(login).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


def main(argv: list[str]) -> int:
    """Starts the lab, writes the state file, serves, and takes everything down at the end."""
    path, seed, parts = Path(argv[0]), int(argv[1]), argv[2:]
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _terminate)
    try:
        binaries = find_binaries(os.environ)
        up = Lab.up(
            path.parent / "servers", replica="replica" in parts, pgbouncer="pgbouncer" in parts, seed=seed,
            binaries=binaries,
        )  # fmt: skip
    except (BinariesNotFound, PartMissing, LabProgramFailed) as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    overlays = [each / "faults" for each in read_settings(os.environ).overlays]
    catalog = load_catalog([each for each in overlays if each.is_dir()])
    with up as lab, suppress(Terminated), kept(lab, path, catalog) as (_, serve):
        serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
