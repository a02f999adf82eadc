"""`ratchet lab`: a PostgreSQL with replica, pooler and a small shop of our own, to break and to mend."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ratchet.cli.commands.noun import noun
from ratchet.cli.lab_life import living, names_of, refuse_taken, register, start, state_path, take_down
from ratchet.cli.road import given_by, road, settings_of
from ratchet.cli.show import Form, FormOption, document
from ratchet.domain.errors import Code, Refusal
from ratchet.lab.keeper import Asked, LabState, ask, read_state
from ratchet.lab.pooler import find_pooler

app = noun("A PostgreSQL with replica, pooler and a small shop of our own, to break and to mend: up, status, down.")


@app.command("up")
def up(
    context: typer.Context,
    replica: Annotated[bool, typer.Option(help="With a streaming replica.")] = True,
    pgbouncer: Annotated[bool | None, typer.Option(help="With PgBouncer; where it is installed if not said.")] = None,
    seed: Annotated[int, typer.Option(help="Other names and sessions for another number.")] = 1,
    form: FormOption = Form.TABLE,
) -> None:
    """Start the lab, register its servers as targets tagged chaos, and leave it up until `lab down`."""
    home = _home(context)
    if living(home) is not None:
        raise Refusal(Code.CONFLICT, "The lab is up already.", "Look: ratchet lab status. End it: ratchet lab down.")
    parts = (["replica"] if replica else []) + (["pgbouncer"] if _wants_pooler(pgbouncer) else [])
    with road(context) as here:
        refuse_taken(here.desk, home, names_of(parts))
        state = start(home, seed, parts)
        reports = register(here.desk, home, state, f"user:default/{here.settings.operator}")
    _show(state, {"targets": [report.target.name for report in reports], **ask(state, Asked(verb="status"))}, form)


@app.command("status")
def status(context: typer.Context, form: FormOption = Form.TABLE) -> None:
    """Whether the lab is up, how its shop does, and what is caused in it now (exit 5 where it is not up)."""
    state = living(_home(context))
    if state is None:
        typer.echo("The lab is not up. Start it: ratchet lab up")
        raise typer.Exit(5)
    _show(state, ask(state, Asked(verb="status")), form)


@app.command("down")
def down(context: typer.Context) -> None:
    """Take the lab down and remove all of it; the targets stay registered, for what they show of the past."""
    home = _home(context)
    state = read_state(state_path(home))
    if state is None:
        typer.echo("The lab is not up.")
        return
    take_down(home, state)
    typer.echo("The lab is down; nothing of it runs or is left.")


def _home(context: typer.Context) -> Path:
    return settings_of(given_by(context)).home


def _wants_pooler(said: bool | None) -> bool:
    return find_pooler() is not None if said is None else said


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
