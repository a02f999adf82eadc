"""Sends an act once: arms the act session with the deadline, sends, and says only what is certain about the outcome."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.errors import Diagnostic

from ratchet.domain.errors import conflict
from ratchet.domain.gate import Grant
from ratchet.domain.plan import Act, Statement
from ratchet.domain.ports import Clock, Sent
from ratchet.tools.answers import NoAnswer
from ratchet.tools.postgres.line import Line, Row
from ratchet.tools.postgres.session import FACTS_LIMIT, Warm, bounded
from ratchet.tools.rows import json_rows
from ratchet.tools.tool import WriteTool

LONGEST_IDLE = 2.0
"""Seconds that the armed session waits for the statement before the server ends it."""
AFTER_SERVER = 1.0
"""Seconds that we wait beyond the server's own limit for its answer."""
EARLIEST = 0.1

# One statement reads the target's clock and sets both limits from it, so that a pause of ours between them cannot
# lengthen what is left: the idle limit ends the wait for the statement, the statement limit its work, and together
# they never reach beyond `not_after`.
ARM = b"""WITH t AS MATERIALIZED (
  SELECT extract(epoch FROM %(not_after)s::timestamptz - clock_timestamp())::float8 AS remaining),
limits AS (
  SELECT remaining, greatest(1, wait * 1000)::int AS idle_ms,
         greatest(1, least(%(patience)s::float8, remaining - wait) * 1000)::int AS work_ms
  FROM (SELECT remaining, least(%(idle)s::float8, remaining / 2) AS wait FROM t) AS w)
SELECT remaining, idle_ms, work_ms,
  set_config('idle_session_timeout', idle_ms || 'ms', false) AS idle,
  set_config('statement_timeout', work_ms || 'ms', false) AS work,
  set_config('lock_timeout', %(lock_ms)s || 'ms', false) AS lock
FROM limits WHERE remaining > %(earliest)s::float8"""
DISARM = b"SET idle_session_timeout = 0; SET statement_timeout = 0; SET lock_timeout = '2s'"
NEVER_READ = "57P05"
"""The server ended the idle session before it read the statement."""


@dataclass
class Sending:
    """One act on its way."""

    tool: WriteTool[Any]
    act: Act
    grant: Grant
    clock: Clock
    started: datetime = field(init=False)
    warned: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        if self.grant.action_digest != self.act.digest:
            raise conflict(
                "The grant is for another act than the one that was to be sent.",
                "Ask again; an approval counts for exactly what was shown.",
            )
        self.started = self.clock()

    def through(self, session: Warm) -> Sent:
        """Send on the act session. The first failure before anything was sent is tried once on a new session."""
        for last in (False, True):
            try:
                with session.line() as line:
                    limit = self.arm(line)
                    return self.carry(line, limit) if limit else self._late()
            except NoAnswer as failed:
                if last or not failed.lost:
                    return self._unsent(failed)
        raise AssertionError

    def arm(self, line: Line) -> float:
        """Set the limits on the session; returns the seconds to wait for an answer, 0 when it is too late already."""
        params: dict[str, Any] = {
            "not_after": self.grant.not_after,
            "idle": LONGEST_IDLE,
            "patience": self.tool.patience,
            "earliest": EARLIEST,
            "lock_ms": str(int(self.tool.lock_limit * 1000)),
        }
        with bounded(line, FACTS_LIMIT):
            row = line.execute(ARM, params).fetchone()
        return row["work_ms"] / 1000 + AFTER_SERVER if row else 0.0

    def carry(self, line: Line, limit: float) -> Sent:
        """Send every statement once on an armed session; raises nothing, whatever the target does."""
        rows: list[Row] = []
        tag = ""
        for number, statement in enumerate(self.act.statements):
            try:
                with bounded(line, limit), _warnings(line, self.warned):
                    cursor = line.execute(statement.sql.encode(), self._params(statement))
                    tag = cursor.statusmessage or ""
                    rows += cursor.fetchall() if cursor.description else []
            except NoAnswer as failed:
                sent = self._failed(failed, number)
                self._disarm(line, keep=sent.outcome != "unknown")
                return sent
        self._disarm(line, keep=True)
        return self._done(rows, tag)

    def _params(self, statement: Statement) -> Mapping[str, Any]:
        return {**statement.params, "not_after": self.grant.not_after, "cap": self.act.cap}

    def _done(self, rows: list[Row], tag: str) -> Sent:
        kept, truncated = json_rows(rows)
        touched = self.tool.touched(kept) if self.tool.answers_rows else self.act.identities
        result = {"rows": [*kept], "truncated": truncated, "warnings": self.warned}
        if not self.tool.answers_rows and (doubt := self._doubt(rows)):
            return self._sent(
                *doubt, because="; ".join(self.warned) or "the last statement came too late", result=result
            )
        if self.tool.answers_rows and not touched:
            because = "nothing matched any more: gone, changed, too late, above the cap, or not visible to this login"
            return self._sent("failed_clean", tag, "nothing_matched", because=because, result=result)
        return self._sent("done", tag, "none", touched=touched, result=result)

    def _doubt(self, rows: list[Row]) -> tuple[str, str, str] | None:
        """Success in name only: a table that may not be vacuumed is skipped with a warning, not an error."""
        if any("skipping" in warning for warning in self.warned):
            return "failed_clean", "skipped", "permission"
        if any("far in the past" not in warning for warning in self.warned):
            return "unknown", "warned", "warning"
        if len(self.act.statements) > 1 and not rows:
            return "unknown", "partly", "too_late"
        return None

    def _failed(self, failed: NoAnswer, number: int) -> Sent:
        clean = number == 0 and (
            failed.code == NEVER_READ
            or (bool(failed.code) and not failed.lost and self.tool.nothing_done(self.act, failed.code))
        )
        category = "lost_connection" if failed.lost else failed.answer.value
        outcome = "failed_clean" if clean else "unknown"
        return self._sent(outcome, failed.code or failed.answer.value, category, because=failed.detail)

    def _unsent(self, failed: NoAnswer) -> Sent:
        because = f"nothing was sent: {failed.detail}"
        return self._sent("failed_clean", failed.code or failed.answer.value, failed.answer.value, because=because)

    def _late(self) -> Sent:
        return self._sent("failed_clean", "late", "too_late", because="nothing was sent: the deadline has passed")

    def _sent(self, outcome: str, code: str, category: str, **more: Any) -> Sent:
        return Sent.model_validate({
            "outcome": outcome, "started_at": self.started, "ended_at": self.clock(), "return_code": code,
            "error_category": category, **more,
        })  # fmt: skip

    @staticmethod
    def _disarm(line: Line, *, keep: bool) -> None:
        """Take the limits off again; a session that cannot be trusted any more is closed."""
        if keep and not line.closed:
            try:
                with bounded(line, FACTS_LIMIT):
                    line.execute(DISARM, prepare=False)
                return
            except NoAnswer:
                pass
        try:
            line.close()
        except psycopg.Error:
            pass


@contextmanager
def _warnings(line: Line, into: list[str]) -> Generator[None]:
    """Keep what the server warns of while a statement runs."""

    def keep(said: Diagnostic) -> None:
        if said.severity_nonlocalized == "WARNING":
            into.append(said.message_primary or "a warning without words")

    line.add_notice_handler(keep)
    try:
        yield
    finally:
        line.remove_notice_handler(keep)
