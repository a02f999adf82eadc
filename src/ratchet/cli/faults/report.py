"""The page of figures that a batch writes of itself."""

from collections.abc import Iterator, Sequence

from ratchet import __version__
from ratchet.cli.words import clean
from ratchet.domain.accuracy import Accuracy, Tally, accuracy
from ratchet.domain.drill import Run

HEAD = """# Accuracy of the diagnosis, and of what was done

Written by `{line}`; not by hand.

Every fault was caused on real servers, its alert handed in, and the answer graded by what was caused: cause class,
object, evidence judged again, action, recovery proved by the lab's own customers, innocents, taking back. Before each
fault the server's log is cut and its counters begin anew, as on another day. An error is in no share; what was wrong in
one after which something stayed behind (a sure wrong claim, a touched innocent, a false recovery) counts all the same.
"""


def report(runs: Sequence[Run], skipped: Sequence[tuple[str, str]], line: str) -> str:
    """The whole page in Markdown."""
    return "\n".join(_page(runs, skipped, line)) + "\n"


def _page(runs: Sequence[Run], skipped: Sequence[tuple[str, str]], line: str) -> Iterator[str]:
    found = accuracy(runs)
    yield HEAD.format(line=line)
    yield from _where(runs)
    yield "\n## By how much the alert gives away\n"
    yield from _tallies([*found.strengths, found.controls])
    if any(run.remediate for run in runs):
        yield "\n## What was done\n"
        yield from _deeds(found)
    yield "\n## Calibration\n"
    yield from _calibration(found)
    yield "\n## What was taken for what\n"
    yield "Only where the claim is not the cause; `(nothing)` is an abstention, or a control's right answer.\n"
    odd = [each for each in found.confusions if each.expected != each.claimed]
    yield from table(("cause", "claimed", "runs"), [(f"`{e.expected}`", f"`{e.claimed}`", e.runs) for e in odd])
    yield "\n## By fault\n"
    yield from table(
        ("fault", "runs", "right", "abstained", "wrong and sure", "pass", "errors"),
        [
            (f"`{t.name}`", t.runs, t.right, t.abstained, t.confident_and_wrong, t.passed, t.errors)
            for t in found.faults
        ],
    )
    if skipped:
        yield "\n## Not run\n"
        yield from table(("fault", "needs"), skipped)


def _where(runs: Sequence[Run]) -> Iterator[str]:
    servers = sorted({run.environment.server_version for run in runs} - {""})
    seeds = sorted({run.seed for run in runs})
    times = accuracy(runs).triage_seconds
    yield f"- Ratchet {__version__}, PostgreSQL {', '.join(servers) or 'unknown'}, seeds {_listed(seeds)}"
    yield f"- {len(runs)} runs of {len({run.fault for run in runs})} faults"
    if times:
        median = times[len(times) // 2]
        yield f"- alert to hypotheses: median {median:.2f} s, longest {times[-1]:.2f} s"
    spent = sum((run.ended_at - run.started_at).total_seconds() for run in runs)
    bare = sum(run.bare_seconds for run in runs)
    waited = sum(run.waited_seconds for run in runs)
    yield f"- {spent:.0f} s in all; causing and taking back alone {bare:.0f} s, windows waited for {waited:.0f} s"


def _listed(seeds: Sequence[int]) -> str:
    return f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else str(seeds[0] if seeds else "none")


def _tallies(tallies: Sequence[Tally]) -> Iterator[str]:
    rows = [
        (
            t.name,
            t.graded,
            _share(t.right, t),
            _share(t.cause, t),
            _share(t.abstained, t),
            t.confident_and_wrong,
            t.errors,
        )
        for t in tallies
        if t.runs
    ]
    yield from table(
        ("alert", "graded", "right cause and object", "right cause", "abstained", "wrong and sure", "errors"), rows
    )


def _share(count: int, tally: Tally) -> str:
    return f"{count} ({count / tally.graded:.1%})" if tally.graded else "0"


def _deeds(found: Accuracy) -> Iterator[str]:
    rows = [
        (t.name, t.graded, t.acted, t.recovered, t.false_recovered, t.touched, t.clean, t.passed)
        for t in (*found.strengths, found.controls)
        if t.runs
    ]
    yield from table(
        (
            "alert", "graded", "acted", "recovery proved", "falsely recovered", "innocents touched", "taken back clean",
            "pass",
        ),
        rows,
    )  # fmt: skip


def _calibration(found: Accuracy) -> Iterator[str]:
    if found.brier is None:
        yield "No run claimed a cause."
        return
    yield f"Brier score {found.brier:.4f} over the runs that claimed a cause (0 is best); abstentions count apart.\n"
    yield from table(
        ("confidence", "runs", "on average", "right"),
        [
            (f"{b.least:.0%} to {b.most:.0%}", b.runs, f"{b.confidence:.1%}", f"{b.right:.1%}")
            for b in found.reliability
        ],
    )


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """A Markdown table; one line that says so where it is empty."""
    if not rows:
        yield "None."
        return
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(clean(each).replace("|", "\\|") for each in row) + " |"
