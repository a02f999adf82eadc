"""A target's report: what it lacks, the line that grants it, and which playbooks that disables."""

from collections.abc import Iterator

from ratchet.cli.page import Block, Heading, Line, field
from ratchet.desk.views import TargetReport
from ratchet.domain.ports import Missing


def report_page(report: TargetReport) -> Iterator[Block]:
    """The report as a page."""
    target = report.target
    yield Heading(target.name, "not ok" if not report.reachable or report.missing else "ok")
    yield field("ADDRESS", target.address or "-")
    yield field("ANSWER", Line(report.answer, "good" if report.reachable else "bad"))
    if report.server:
        yield field("SERVER", report.server)
    yield field("TAGS", ", ".join(target.tags) or "-")
    yield field("OWNER", target.owner or "-")
    yield field("CREDENTIALS", f"diag {target.diag}, act {target.act}, canary {target.canary}")
    for missing in report.missing:
        yield from _missing(missing)
    if report.reachable and not report.missing:
        yield field("MISSING", Line("nothing", "good"))


def _missing(missing: Missing) -> Iterator[Block]:
    lines = [Line(missing.what, "warn"), Line(missing.remedy, "code")]
    if missing.playbooks:
        lines.append(Line(f"disables {', '.join(missing.playbooks)}"))
    elif missing.probes:
        lines.append(Line(f"needed by {', '.join(missing.probes)}", "dim"))
    yield field("MISSING", *lines)


def missing_lines(report: TargetReport) -> list[str]:
    """What is missing, a line each."""
    return [f"{each.what}: {each.remedy}" for each in report.missing]
