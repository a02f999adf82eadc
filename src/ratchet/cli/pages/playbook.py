"""A version of a playbook as a page: which text this is, where it comes from, what it still lacks, what it says."""

from collections.abc import Iterator, Sequence

from ratchet.cli.page import Block, Heading, Line, field
from ratchet.cli.words import clean_lines, day
from ratchet.desk.views import PlaybookView
from ratchet.domain.certificate import Proof


def playbook_page(view: PlaybookView, proofs: Sequence[Proof] = ()) -> Iterator[Block]:
    """The page; `proofs` are the certificates of its series."""
    yield Heading(f"{view.series_id} {view.version}  {view.name}", view.state)
    yield field("SYMPTOM", view.title)
    yield field("ID", f"{view.id}, revision {view.revision}")
    origin = f", from {view.incident}" if view.incident else ""
    fault = f", fault {view.fault}" if view.fault else ""
    yield field("SOURCE", f"{view.source}{origin}{fault}, {day(view.created_at)} by {view.created_by}")
    if view.state == "draft":
        yield field("BLANKS", Line(", ".join(view.blanks) or "none", "warn" if view.blanks else "good"))
        yield field("NEXT", *(Line(line, "code") for line in _next(view)))
    yield field("DIGEST", Line(view.digest, "dim"))
    its = [one for one in proofs if one.certificate.playbook_digest == view.digest]
    yield field("CERTIFICATE", *([_proof(one) for one in its] or ["none"]))
    yield Heading("Guidance", level=2)
    for line in clean_lines(view.guidance.strip()) if view.guidance else ["-"]:
        yield field("", line)
    if view.text:
        yield Heading("Text", level=2)
        for line in clean_lines(view.text.rstrip()):
            yield field("", Line(line, "code"))


def _proof(one: Proof) -> Line:
    until = f"until {day(one.certificate.expires_at)}, {one.certificate.environment}"
    return Line(f"{one.certificate.id}: {until if one.counts else one.because}", "good" if one.counts else "warn")


def _next(view: PlaybookView) -> Iterator[str]:
    """What comes next for a draft: its blanks are filled, and only then can it be activated."""
    if "owner" in view.blanks:
        yield f"ratchet playbook edit {view.id} --owner user:default/you"
    if any(blank != "owner" for blank in view.blanks):
        yield f"ratchet playbook show {view.id} --text > draft.playbook.yaml"
        yield f"ratchet playbook edit {view.id} --text draft.playbook.yaml"
    if not view.blanks:
        yield f"ratchet playbook activate {view.id} --reason ..."
