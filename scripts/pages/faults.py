"""The fault catalogue, from its files."""

from ratchet.domain.fault import Fault
from ratchet.lab.catalog import load_catalog
from scripts.pages.marks import head, table, text

HEADINGS = ("fault", "what is wrong", "cause", "object", "needs", "remedy", "series")


def page() -> str:
    faults = load_catalog().faults.values()
    lines = head(
        "Faults",
        "Written by `make docs` from `library/faults/*.fault.yaml`. Each is caused on a lab of our own, seen, and "
        "taken back; its alerts come at three strengths, and its names vary with the seed. The remedy is *acted* where "
        "Ratchet carries it out once it is approved, and *handoff* where a person's next step is named.",
    )
    lines += table(HEADINGS, [row(fault) for fault in faults if not fault.spec.control])
    lines += ["## Controls", "", "Cases in which acting, or acting on, would be wrong.", ""]
    lines += table(
        ("control", "what it is", "true class", "right end", "needs"),
        [
            (f"`{f.id}`", f.metadata.title, f"`{f.spec.cause}`", f.spec.expects, ", ".join(f.spec.needs))
            for f in faults
            if f.spec.control
        ],
    )
    return text(lines)


def row(fault: Fault) -> tuple[str, ...]:
    names = ", ".join(f"`{name}`" for name in (fault.id, *fault.metadata.aliases))
    spec = fault.spec
    return (
        names, fault.metadata.title, f"`{spec.cause}`", spec.object.kind, ", ".join(spec.needs), spec.remedy,
        f"`{spec.series}`",
    )  # fmt: skip
