"""The decision packet as a page: the verb first, then why, what against it, exactly what will run, and what if not."""

from collections.abc import Iterator
from datetime import datetime

from ratchet.cli.page import Block, Heading, Line, Tone, field
from ratchet.cli.words import bound, clean_lines, columns, counted, day, grounds, span, until
from ratchet.desk.views import DecisionView
from ratchet.domain.gate import DecisionPacket, Signal
from ratchet.domain.plan import Statement

EFFECT_TONES: dict[str, Tone] = {"read": "good", "reversible": "good", "disruptive": "warn", "destructive": "bad"}
ROWS_SHOWN = 4


def decision_page(view: DecisionView, now: datetime) -> Iterator[Block]:
    """The page of one decision."""
    packet = view.packet
    yield Heading(f"{view.title} on {view.target}", view.state)
    expires = f"expires {until(view.expires_at, now)}" if view.state == "pending" else f"{view.state}"
    by = f" by {view.answered_by}" if view.answered_by else ""
    yield field("EFFECT", Line(f"{view.effect} · {view.incident} · {expires}{by}", EFFECT_TONES.get(view.effect, "")))
    if view.reason:
        yield field("REASON", view.reason)
    if packet is not None:
        yield from packet_fields(packet, now)


def packet_fields(packet: DecisionPacket, now: datetime) -> Iterator[Block]:
    """Everything that a person needs to say yes or no, in the order in which they need it."""
    yield field("WHY", *(line for each in packet.evidence for line in _signal(each, "good")))
    against = [line for each in packet.against for line in _signal(each, "bad")]
    yield field("AGAINST", *(against or [Line("nothing was found against it", "dim")]))
    yield from _will_run(packet)
    yield from _preview(packet, now)
    risk = packet.risk
    yield field("RISK", risk.blast_radius, f"users: {risk.user_impact}", f"data: {risk.data_risk}")
    yield from _if_wrong(packet)
    yield field("IF YOU DO NOTHING", packet.if_nothing)
    yield from _provenance(packet)


def _signal(signal: Signal, tone: Tone) -> Iterator[Line]:
    """One word for or against, and where it comes from."""
    for line in signal.said or grounds(signal.signal):
        yield Line(line, tone)
    if signal.source and signal.source not in signal.signal:
        yield Line(f"from {signal.source}", "dim")


def _will_run(packet: DecisionPacket) -> Iterator[Block]:
    act = packet.act
    lines = [line for statement in act.statements for line in statement_lines(statement)]
    yield field(
        "WILL RUN", *lines,
        Line(f"  cap = {act.cap}", "dim"),
        Line(f"  not_after = {act.deadline:g} s after it is sent, on the clock of {act.target}", "dim"),
        Line(f"{act.tool} as {act.credential} on {act.target}", "dim"),
    )  # fmt: skip


def statement_lines(statement: Statement) -> Iterator[Line]:
    """SQL or an argument list exactly as it will be sent, then the parameters that are bound to it."""
    for line in clean_lines(statement.sql.strip()) if statement.sql else []:
        yield Line(line, "code")
    if statement.argv:
        yield Line(" ".join(statement.argv), "code")
    for name, value in statement.params.items():
        yield Line(f"  {name} = {bound(value)}", "dim")


def _preview(packet: DecisionPacket, now: datetime) -> Iterator[Block]:
    preview, act = packet.preview, packet.act
    taken = span((now - packet.preview_taken_at).total_seconds())
    most = f", at most {act.cap}" if act.scope == "bounded" else ", exactly these"
    lines = [Line(f"{preview.summary} ({counted(len(preview.rows), 'row')}{most}; taken {taken} ago)")]
    if preview.writes:
        lines.append(Line("a session with uncommitted writes is among them", "warn"))
    lines += [Line(line, "dim") for line in columns(preview.rows[:ROWS_SHOWN])]
    if len(preview.rows) > ROWS_SHOWN:
        lines.append(Line(f"and {len(preview.rows) - ROWS_SHOWN} more (-o json shows all)", "dim"))
    yield field("PREVIEW", *lines)


def _if_wrong(packet: DecisionPacket) -> Iterator[Block]:
    window = packet.verification_window
    undo = packet.act.undo
    lines = [Line(packet.rollback_plan or undo.note)]
    lines += [line for statement in undo.statements for line in statement_lines(statement)]
    lines.append(Line(f"watched every {window.every:g} s until this holds for {window.sustain:g} s:"))
    lines += [Line(f"  {line}", "dim") for line in packet.verification]
    yield field("IF IT GOES WRONG", *lines)


def _provenance(packet: DecisionPacket) -> Iterator[Block]:
    quorum = "one person" if packet.quorum == 1 else f"{packet.quorum} people"
    yield field(
        "PROVENANCE",
        f"{packet.playbook}, step {packet.step}, proposed by {packet.proposer} at {day(packet.created_at)}",
        f"revision {packet.revision}; approved by {quorum}, never by the proposer; anybody who may answer may deny",
    )
    yield field("DIGEST", Line(packet.digest, "code"))
