"""Runs as a person reads them: a paragraph each as they end, tables at the end."""

from collections.abc import Iterator, Sequence

from ratchet.cli.words import clean
from ratchet.domain.accuracy import Accuracy, Tally
from ratchet.domain.drill import Run

LEAST_BARE = 0.05
"""Seconds for each run below which nothing was caused that a time could be compared with."""
MARKS = {"pass": "PASS", "fail": "FAIL", "error": "ERROR", "abstained": "ABSTAINED", "diagnosed": "DIAGNOSED"}


def run_lines(run: Run) -> Iterator[str]:
    """`[PASS] Title (id) - score: 91%` and what belongs to it."""
    where = "" if run.strength == "named" else f", {run.strength} alert"
    yield f"[{MARKS[run.verdict]}] {clean(run.title)} ({run.fault}) - score: {run.score.percentage:.0f}%{where}"
    if run.note:
        yield f"  Error: {clean(run.note)}"
    if run.diagnosis:
        yield f'  Diagnosis: "{clean(run.diagnosis)[:300]}"'
    for part in run.score.broken:
        yield f"  {part.name}: {clean(part.because)}"
    if run.remediate and run.incident:
        yield f"  Remediation: {_remediation(run)}"
    if run.draft:
        yield f"  Vault: draft saved → {run.draft}"
    if run.left:
        yield f"  LEFT BEHIND: {clean(run.left)}"


def _remediation(run: Run) -> str:
    if run.recovered_seconds is not None and run.score.holds("recovery"):
        watched = f"watched for {run.sustained_seconds or 0:.1f}s"
        since = f"{run.detection_seconds:.1f}s from the alert" if run.detection_seconds is not None else ""
        return f"RECOVERED in {run.recovered_seconds:.1f}s ({', '.join(each for each in (since, watched) if each)})"
    if run.stop:
        return f"HANDED OVER ({run.stop}), nothing was changed" if not run.steps else f"HANDED OVER ({run.stop})"
    return "NOT RECOVERED" if run.steps else "nothing was done"


def line_of(run: Run) -> str:
    """A run in one line, for who only diagnoses."""
    claimed = run.cause if run.answered else (run.outcome or "nothing")
    took = "" if run.triage_seconds is None else f"{run.triage_seconds:.2f}s"
    broken = "; ".join(f"{part.name}: {clean(part.because)}" for part in run.score.broken) or clean(run.note)
    head = f"{MARKS[run.verdict]:<10}{run.fault:<26}{run.strength:<8} seed {run.seed}  {claimed} {run.confidence:.0%}"
    return f"{head}  {took}" + (f"\n{'':<10}{broken}" if broken else "")


def summary(found: Accuracy) -> Iterator[str]:
    """Counts by strength, then what was taken for what."""
    yield ""
    header = ("ALERT", "RUNS", "ERROR", "RIGHT", "CAUSE", "ABSTAINED", "WRONG AND SURE", "TOUCHED")
    rows = [_row(each) for each in found.strengths] + ([_row(found.controls)] if found.controls.runs else [])
    yield from lined(header, rows)
    odd = [each for each in found.confusions if each.expected != each.claimed]
    if odd:
        yield ""
        yield from lined(("EXPECTED", "CLAIMED", "RUNS"), [(e.expected, e.claimed, str(e.runs)) for e in odd])
    if found.brier is not None:
        yield ""
        yield f"Brier score {found.brier:.4f} over the runs that claimed a cause; abstentions are counted apart."
    if found.triage_seconds:
        middle = found.triage_seconds[len(found.triage_seconds) // 2]
        yield f"Alert to hypotheses: median {middle:.2f}s, longest {found.triage_seconds[-1]:.2f}s."


def _row(tally: Tally) -> tuple[str, ...]:
    counts = (
        tally.runs, tally.errors, tally.right, tally.cause, tally.abstained, tally.confident_and_wrong, tally.touched,
    )  # fmt: skip
    return (tally.name, *(str(each) for each in counts))


def costs(runs: Sequence[Run], seconds: float) -> Iterator[str]:
    """How long it took, and what of that the faults cost by themselves."""
    if not runs:
        return
    bare = sum(run.bare_seconds for run in runs)
    spent = sum((run.ended_at - run.started_at).total_seconds() for run in runs)
    waited = sum(run.waited_seconds for run in runs)
    times = (spent - waited) / bare if bare > 0 else 0.0
    runs_told = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
    yield f"{runs_told} in {seconds:.0f}s; causing and taking back alone {bare:.0f}s, windows {waited:.0f}s."
    if bare >= len(runs) * LEAST_BARE:
        yield f"Windows left out, that is {times:.1f} times the faults' own time."


def lined(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table with its columns one below the other."""
    widths = [max(len(row[n]) for row in (header, *rows)) for n in range(len(header))]
    for row in (header, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
