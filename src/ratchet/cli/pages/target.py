"""A target's report: what it lacks, the line that grants it, and what that means for the playbooks."""

from collections.abc import Iterator

from ratchet.cli.page import Block, Heading, Line, Tone, field
from ratchet.desk.views import TargetReport
from ratchet.domain.ports import Missing


def report_page(report: TargetReport) -> Iterator[Block]:
    """The report as a page."""
    target = report.target
    yield Heading(target.name, "ok" if in_order(report) else "not ok")
    yield field("ADDRESS", target.address or "-")
    yield field("ANSWER", Line(report.answer, "good" if report.reachable else "bad"))
    if report.server:
        yield field("SERVER", report.server)
    yield field("TAGS", ", ".join(target.tags) or "-")
    yield field("OWNER", target.owner or "-")
    yield field("CREDENTIALS", f"diag {target.diag}, act {target.act}, canary {target.canary}")
    for missing in report.missing:
        yield from _missing(missing)
    if in_order(report):
        if not report.missing:
            yield field("MISSING", Line("nothing", "good"))
        yield field("NEXT", Line("ratchet serve", "code"))


def in_order(report: TargetReport) -> bool:
    """Whether it can be worked with: reached, and nothing is missing but what the least rights leave out."""
    return report.reachable and all(each.optional for each in report.missing)


def _missing(missing: Missing) -> Iterator[Block]:
    tone: Tone = "dim" if missing.optional else "warn"
    lines = [Line(missing.what, tone), Line(missing.remedy, "code")]
    if missing.playbooks:
        lines.append(Line(f"disables {', '.join(missing.playbooks)}"))
    lines += [Line(f"weakens {each}", "dim") for each in missing.weakens]
    if not missing.playbooks and not missing.weakens and missing.probes:
        lines.append(Line(f"needed by {', '.join(missing.probes)}", "dim"))
    yield field("OPTIONAL" if missing.optional else "MISSING", *lines)


def missing_lines(report: TargetReport) -> list[str]:
    """What is missing, a line each."""
    return [f"{'optional, ' if each.optional else ''}{each.what}: {each.remedy}" for each in report.missing]
