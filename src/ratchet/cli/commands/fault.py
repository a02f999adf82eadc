"""`ratchet fault`: cause what the catalogue knows, hand its alert in, and grade what comes of it."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from ratchet.cli.commands.noun import noun
from ratchet.cli.exits import BAD_ANSWER, LEFT_OVER
from ratchet.cli.faults.batch import Batch, Wish, run_batch
from ratchet.cli.road import given_by, settings_of
from ratchet.cli.show import Form, FormOption, document, out, say
from ratchet.domain.accuracy import accuracy
from ratchet.domain.errors import invalid
from ratchet.domain.fault import STRENGTHS, Strength
from ratchet.lab.catalog import Catalog, load_catalog

app = noun("Break a server on purpose, hand the alert in, and grade what happens without mercy.")


@app.command("run")
def run(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Option("--id", "--ids", help="A fault; may be repeated.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every fault of the catalogue.")] = False,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="So many seeds: other names and objects each time.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 1,
    strength: Annotated[
        Literal["named", "symptom", "bare", "all"], typer.Option(help="How much the alert gives away.")
    ] = "named",
    remediate: Annotated[
        bool, typer.Option("--remediate", help="Let the right steps be done, and prove them.")
    ] = False,
    form: FormOption = Form.TABLE,
) -> None:
    """Cause faults one after the other in the lab and grade each; exit 5 where one is not right, 70 where one stays."""
    catalog = _catalog(context)
    chosen = sorted(catalog.faults) if every else list(ids or ())
    if not chosen:
        raise invalid("No fault is named.", "Give --id ID (see: ratchet fault list), or --all.")
    strengths: tuple[Strength, ...] = STRENGTHS if strength == "all" else (strength,)
    wish = Wish(
        faults=tuple(catalog.find(name) for name in chosen), seeds=tuple(range(seed, seed + seeds)),
        strengths=strengths, remediate=remediate,
    )  # fmt: skip
    _end(run_batch(context, wish, _now, form), form)


def _end(batch: Batch, form: Form) -> None:
    if form in (Form.JSON, Form.YAML):
        body = {
            "batch": batch.id, "runs": [each.model_dump(mode="json") for each in batch.runs],
            "skipped": [{"fault": name, "because": why} for name, why in batch.skipped],
            "accuracy": accuracy(batch.runs).model_dump(mode="json"),
        }  # fmt: skip
        document(body, form)
    if any(each.left for each in batch.runs):
        raise typer.Exit(LEFT_OVER)
    good = "pass" if batch.remediate else "diagnosed"
    if not batch.runs or any(each.verdict != good for each in batch.runs):
        raise typer.Exit(BAD_ANSWER)


def _catalog(context: typer.Context) -> Catalog:
    overlays = [each / "faults" for each in settings_of(given_by(context)).overlays]
    return load_catalog([each for each in overlays if each.is_dir()])


def _now() -> datetime:
    return datetime.now(UTC)


__all__ = ["app", "out", "say"]
