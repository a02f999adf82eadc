"""`ratchet lab`: a PostgreSQL with replica, pooler and a small shop of our own, to break and to mend."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

from ratchet.cli.commands.noun import noun
from ratchet.cli.given import Given
from ratchet.cli.road import given_by, road, settings_of
from ratchet.cli.show import Form, FormOption, document
from ratchet.desk.contract import Desk
from ratchet.desk.views import TargetReport, TargetRequest
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.target import HostControl, SecretRef, Target
from ratchet.lab.keeper import Asked, LabState, ask, read_state
from ratchet.lab.lab import NAMES
from ratchet.lab.pooler import find_pooler
from ratchet.lab.sweep import sweep

app = noun("A PostgreSQL with replica, pooler and a small shop of our own, to break and to mend: up, status, down.")
STATE = "lab.json"
START_S = 90.0
# As provisioning names it for the primary.
ACT_ROLE = "ratchet_act_shop_db"
ALLOW = ("log", "slots", "role_settings")


@app.command("up")
def up(
    context: typer.Context,
    replica: Annotated[bool, typer.Option(help="With a streaming replica.")] = True,
    pgbouncer: Annotated[bool | None, typer.Option(help="With PgBouncer; where it is installed if not said.")] = None,
    seed: Annotated[int, typer.Option(help="Other names and sessions for another number.")] = 1,
    form: FormOption = Form.TABLE,
) -> None:
    """Start the lab, register its servers as targets tagged chaos, and leave it up until `lab down`."""
    path = _path(context)
    if (found := read_state(path)) is not None and _lives(found):
        raise Refusal(Code.CONFLICT, "The lab is up already.", "Look: ratchet lab status. End it: ratchet lab down.")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    parts = (["replica"] if replica else []) + (["pgbouncer"] if _wants_pooler(pgbouncer) else [])
    state = _start(path, seed, parts)
    with road(context) as here:
        owner = f"user:default/{here.settings.operator}"
        reports = [_register(here.desk, state, name, owner) for name in state.logins]
    ask(state, Asked(verb="maintain", role=ACT_ROLE))
    _show(state, {"targets": [report.target.name for report in reports], **ask(state, Asked(verb="status"))}, form)


@app.command("status")
def status(context: typer.Context, form: FormOption = Form.TABLE) -> None:
    """Whether the lab is up, how its shop does, and what is caused in it now (exit 5 where it is not up)."""
    state = read_state(_path(context))
    if state is None or not _lives(state):
        typer.echo("The lab is not up. Start it: ratchet lab up")
        raise typer.Exit(5)
    _show(state, ask(state, Asked(verb="status")), form)


@app.command("down")
def down(context: typer.Context) -> None:
    """Take the lab down and remove all of it; the targets stay registered, for what they show of the past."""
    path = _path(context)
    state = read_state(path)
    if state is None:
        typer.echo("The lab is not up.")
        return
    if _lives(state):
        # A signal does what the word does, and a keeper that is busy hears it too.
        psutil.Process(state.pid).terminate()
        _wait_for_end(state)
    for part in ("replica", "primary"):
        sweep(path.parent / "servers" / part)
    for login in (name for kinds in state.logins.values() for name in kinds.values()):
        Path(login).unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    typer.echo("The lab is down; nothing of it runs or is left.")


def _path(context: typer.Context) -> Path:
    given: Given = given_by(context)
    return settings_of(given).home / "lab" / STATE


def _wants_pooler(said: bool | None) -> bool:
    return find_pooler() is not None if said is None else said


def _lives(state: LabState) -> bool:
    try:
        return "ratchet.lab.keeper" in psutil.Process(state.pid).cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _start(path: Path, seed: int, parts: list[str]) -> LabState:
    """The keeper as a process of its own; its first word or its failure is waited for."""
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


def _show(state: LabState, more: dict[str, Any], form: Form) -> None:
    if form in (Form.JSON, Form.YAML, Form.JSONL):
        hidden = {"logins", "socket"}
        document({**state.model_dump(mode="json", exclude=hidden), **more}, Form.JSON if form is Form.JSONL else form)
        return
    shop = "is served" if more.get("healthy") else f"is not served: {more.get('last_error') or 'it has just opened'}"
    typer.echo(f"The lab is up: PostgreSQL {state.version}, keeper {state.pid}. The shop {shop}.")
    for name, address in state.addresses.items():
        typer.echo(f"  {name:<18}{address}")
    typer.echo(f"  {'health':<18}{state.health}")
    caused: dict[str, str] = more.get("caused") or {}
    for label, fault in caused.items():
        typer.echo(f"  caused: {fault} ({label})")
