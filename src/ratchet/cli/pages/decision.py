"""The decision packet as a page: the verb first, then why, what against it, exactly what will run, and what if not.

An act that is too long for a look is told in short there; every row, statement and parameter of it stands below.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ratchet.cli.page import Block, Heading, Line, Tone, Whole, field
from ratchet.cli.words import bound_whole, cell, clean_lines, columns, counted, day, grounds, is_long, span, until
from ratchet.desk.views import DecisionView
from ratchet.domain.gate import DecisionPacket, Signal
from ratchet.domain.plan import Statement

EFFECT_TONES: dict[str, Tone] = {"read": "good", "reversible": "good", "disruptive": "warn", "destructive": "bad"}
ANSWERS = ("approved", "denied")
"""States that a person brings about; any other came of itself, whoever had answered before."""
ROWS_SHOWN, LINES_SHOWN, ROW_WIDTH = 4, 8, 60
"""What fits into a look: rows, lines of a statement, and characters of a row beside a label in 80 columns."""
BELOW = "whole below"
Row = Mapping[str, object]


def decision_page(view: DecisionView, now: datetime) -> Iterator[Block]:
    """The page of one decision."""
    packet = view.packet
    yield Heading(f"{view.title} on {view.target}", view.state)
    stands = f"expires {until(view.expires_at, now)}" if view.state == "pending" else answered(view)
    yield field("EFFECT", Line(f"{view.effect} · {view.incident} · {stands}", EFFECT_TONES.get(view.effect, "")))
    if view.reason:
        yield field("REASON", view.reason)
    if packet is not None:
        yield from packet_fields(packet, now)
        yield from whole_act(packet)


def answered(view: DecisionView) -> str:
    """How a decision ended: whoever had said yes to one that expired or was replaced did not end it."""
    if view.answered_by is None:
        return view.state
    by = view.answered_by
    return f"{view.state} by {by}" if view.state in ANSWERS else f"{view.state}; {by} had approved it"


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


def question(view: DecisionView) -> str:
    """What a person says yes to, in short: when the page was long, this is what is still in sight."""
    packet = view.packet
    asked = f"{view.title} on {view.target}?"
    return (
        asked if packet is None else f"{view.effect.capitalize()}, {_scope(packet)}: {packet.preview.summary}. {asked}"
    )


def _scope(packet: DecisionPacket) -> str:
    return f"at most {packet.act.cap}" if packet.act.scope == "bounded" else "exactly these"


def _is_long(packet: DecisionPacket) -> bool:
    """Whether the act is told in short first, and whole at the end."""
    return len(packet.preview.rows) > ROWS_SHOWN or any(_unwieldy(each) for each in packet.act.statements)


def _unwieldy(statement: Statement) -> bool:
    return len(clean_lines(statement.sql)) > LINES_SHOWN or any(is_long(value) for value in statement.params.values())


def _will_run(packet: DecisionPacket) -> Iterator[Block]:
    act = packet.act
    tell = _in_short if _is_long(packet) else statement_lines
    lines = [line for statement in act.statements for line in tell(statement)]
    yield field(
        "WILL RUN", *lines,
        Line(f"  cap = {act.cap}", "dim"),
        Line(f"  not_after = {act.deadline:g} s after it is sent, on the clock of {act.target}", "dim"),
        Line(f"{act.tool} as {act.credential} on {act.target}", "dim"),
    )  # fmt: skip


def statement_lines(statement: Statement) -> Iterator[Line]:
    """SQL or an argument list exactly as it will be sent, then every parameter that is bound to it, whole."""
    for line in clean_lines(statement.sql.strip()) if statement.sql else []:
        yield Line(line, "code")
    if statement.argv:
        yield Line(" ".join(statement.argv), "code")
    for name, value in statement.params.items():
        yield Line(f"  {name} = {bound_whole(value)}", "dim")


def _in_short(statement: Statement) -> Iterator[Line]:
    """A statement of some lines as it is; a longer one by its length, and lists by theirs."""
    if not _unwieldy(statement):
        yield from statement_lines(statement)
        return
    lists = [name for name, value in statement.params.items() if is_long(value)]
    lines = clean_lines(statement.sql.strip())
    if len(lines) > LINES_SHOWN:
        yield Line(f"a statement of {len(lines)} lines, {BELOW}", "code")
    else:
        yield from (Line(line, "code") for line in lines)
    if lists:
        yield Line(f"  {', '.join(lists)}: lists, {BELOW}", "dim")
    for name, value in statement.params.items():
        if name not in lists:
            yield Line(f"  {name} = {bound_whole(value)}", "dim")


def _preview(packet: DecisionPacket, now: datetime) -> Iterator[Block]:
    preview, rows = packet.preview, packet.preview.rows
    taken = span((now - packet.preview_taken_at).total_seconds())
    lines = [Line(f"{preview.summary} ({counted(len(rows), 'row')}, {_scope(packet)}; taken {taken} ago)")]
    if preview.writes:
        lines.append(Line("a session with uncommitted writes is among them", "warn"))
    if not _is_long(packet):
        yield field("PREVIEW", *lines, *(Line(line, "dim") for line in columns(rows)))
        return
    alike, apart = _compared(rows)
    lines += [Line(line, "dim") for line in (*alike, *columns(_narrow(apart))[: ROWS_SHOWN + 1])]
    more = len(apart) - ROWS_SHOWN
    if apart:
        lines.append(Line(f"{f'and {more} more; ' if more > 0 else ''}all {len(apart)} {BELOW}", "dim"))
    yield field("PREVIEW", *lines)


def _compared(rows: Sequence[Row]) -> tuple[list[str], list[Row]]:
    """What is the same in all rows, as a line of its own, and the rows without it; a single row is all in that line.
    The first column always stays."""
    names = list(rows[0]) if rows else []
    if len(rows) == 1:
        return [_as_line(rows[0], names)], []
    same = [name for name in names[1:] if len({repr(row.get(name)) for row in rows}) == 1]
    apart: list[Row] = [{name: row.get(name) for name in names if name not in same} for row in rows]
    return [f"each: {_as_line(rows[0], same)}"] if same else [], apart


def _as_line(row: Row, names: Sequence[str]) -> str:
    return ", ".join(f"{name} {cell(row[name])}" for name in names)


def _narrow(rows: Sequence[Row]) -> list[Row]:
    """The first columns of rows, as many as stand beside a label without being broken; one at least."""
    names = list(rows[0]) if rows else []
    while len(names) > 1 and max(map(len, columns([{name: row[name] for name in names} for row in rows]))) > ROW_WIDTH:
        names.pop()
    return [{name: row[name] for name in names} for row in rows]


def whole_act(packet: DecisionPacket) -> Iterator[Block]:
    """Every row and statement that the digest binds, to the last value; nothing where the page has it already."""
    if not _is_long(packet):
        return
    alike, apart = _compared(packet.preview.rows)
    yield Heading(f"Preview, whole ({counted(len(packet.preview.rows), 'row')}, {_scope(packet)})", level=2)
    yield Whole(tuple(Line(line) for line in (*alike, *columns(apart))))
    yield Heading(f"Will run, whole ({counted(len(packet.act.statements), 'statement')})", level=2)
    yield Whole(tuple(line for statement in packet.act.statements for line in statement_lines(statement)))


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
