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
from ratchet.tools.postgres.identity import IDENTITY
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
# they never reach beyond `not_after`. The same statement reads who answers: what was seen over another session may be
# another server's.
ARM = f"""WITH t AS MATERIALIZED (
  SELECT extract(epoch FROM %(not_after)s::timestamptz - clock_timestamp())::float8 AS remaining),
who AS MATERIALIZED ({IDENTITY}),
limits AS (
  SELECT remaining > %(earliest)s::float8 AS in_time, greatest(1, wait * 1000)::int AS idle_ms,
         greatest(1, least(%(patience)s::float8, remaining - wait) * 1000)::int AS work_ms,
         (system_identifier, timeline, in_recovery) = (%(system)s::text, %(timeline)s::int, %(recovery)s::bool) AS same
  FROM (SELECT remaining, least(%(idle)s::float8, remaining / 2) AS wait FROM t) AS w, who)
SELECT same, in_time, work_ms, CASE WHEN same AND in_time THEN
  ARRAY[set_config('idle_session_timeout', idle_ms || 'ms', false),
        set_config('statement_timeout', work_ms || 'ms', false),
        set_config('lock_timeout', %(lock_ms)s || 'ms', false)] END AS armed
FROM limits""".encode()
DISARM = b"SET idle_session_timeout = 0; SET statement_timeout = 0; SET lock_timeout = '2s'"
NEVER_READ = "57P05"
"""The server ended the idle session before it read the statement."""


class NotNow(Exception):
    """The next statement must not be sent: `code`, `category` and `because` as in what was sent."""

    def __init__(self, code: str, category: str, because: str) -> None:
        super().__init__(because)
        self.code, self.category, self.because = code, category, because


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
                    return self.carry(line, self.arm(line))
            except NotNow as no:
                because = f"nothing was sent: {no.because}"
                return self._sent("failed_clean", no.code, no.category, because=because)
            except NoAnswer as failed:
                if last or not failed.lost:
                    return self._unsent(failed)
        raise AssertionError

    def arm(self, line: Line) -> float:
        """Set the limits on the session, with what is left of the deadline; returns the seconds to wait for an answer.

        Raises NotNow when it is too late already, or when another server answers than the one that the grant names.
        """
        params: dict[str, Any] = {
            "not_after": self.grant.not_after,
            "idle": LONGEST_IDLE,
            "patience": self.tool.patience,
            "earliest": EARLIEST,
            "lock_ms": str(int(self.tool.lock_limit * 1000)),
            "system": self.grant.system_identifier,
            "timeline": self.grant.timeline,
            "recovery": self.grant.in_recovery,
        }
        with bounded(line, FACTS_LIMIT):
            row = line.execute(ARM, params).fetchone()
        if row is None or not row["same"]:
            # This session leads to where the address pointed when it was opened; the next one is opened anew.
            line.close()
            raise NotNow("other_server", "precondition", "another server answers the act login than the one shown")
        if not row["in_time"]:
            raise NotNow("late", "too_late", "the deadline has passed")
        return row["work_ms"] / 1000 + AFTER_SERVER

    def carry(self, line: Line, limit: float) -> Sent:
        """Send every statement once, each on a session armed just before it (the first one by the caller, with `limit`
        seconds to wait); raises nothing, whatever the target does."""
        rows: list[Row] = []
        tag = ""
        for number, statement in enumerate(self.act.statements):
            try:
                limit = self.arm(line) if number else limit
                with bounded(line, limit), _warnings(line, self.warned):
                    cursor = line.execute(statement.sql.encode(), self._params(statement))
                    tag = cursor.statusmessage or ""
                    rows += cursor.fetchall() if cursor.description else []
            except NotNow as no:
                self._disarm(line, keep=True)
                return self._partly(number, no)
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

    def _partly(self, sent: int, no: NotNow) -> Sent:
        because = f"{sent} of {len(self.act.statements)} statements were done, no further one was sent: {no.because}"
        return self._sent("unknown", "partly", no.category, because=because)

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
