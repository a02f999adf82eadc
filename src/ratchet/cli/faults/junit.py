"""A batch as JUnit XML, for continuous integration."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from ratchet.domain.drill import Run

_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(batch: str, runs: Sequence[Run], skipped: Sequence[tuple[str, str]]) -> str:
    """One test case for each run: `fault[strength-seed]`; an abstention is a failure of the kind `abstained`."""
    errors = sum(run.verdict == "error" for run in runs)
    failures = sum(run.verdict in ("fail", "abstained") for run in runs)
    seconds = sum(_seconds(run) for run in runs)
    suite = ET.Element(
        "testsuite", name=f"faults {batch}", tests=str(len(runs) + len(skipped)), failures=str(failures),
        errors=str(errors), skipped=str(len(skipped)), time=f"{seconds:.3f}",
    )  # fmt: skip
    for run in runs:
        name = f"{run.fault}[{run.strength}-{run.seed}]"
        case = ET.SubElement(suite, "testcase", classname=run.series, name=name, time=f"{_seconds(run):.3f}")
        why = run.note or "; ".join(f"{part.name}: {part.because}" for part in run.score.broken)
        if run.verdict == "error":
            ET.SubElement(case, "error", message=_fit(why or run.left))
        elif run.verdict in ("fail", "abstained"):
            ET.SubElement(case, "failure", message=_fit(why), type=run.verdict).text = _fit(run.diagnosis)
    for name, why in skipped:
        case = ET.SubElement(suite, "testcase", classname="skipped", name=name, time="0")
        ET.SubElement(case, "skipped", message=_fit(f"needs {why}"))
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def _seconds(run: Run) -> float:
    return (run.ended_at - run.started_at).total_seconds()


def _fit(text: str) -> str:
    """What a database said may hold characters that XML has no room for."""
    return _UNFIT.sub("\ufffd", text)
