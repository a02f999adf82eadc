"""Turns hot_standby_feedback on at a replica, so that its primary keeps the rows that its queries still need."""

from typing import ClassVar

from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.postgres.writes.reset_setting import RELOAD
from ratchet.tools.tool import Reader, WriteTool, declare, utc_text

STATE = f"""SELECT s.name, s.setting AS current, pg_is_in_recovery() AS in_recovery,
  coalesce(s.sourcefile LIKE '%%postgresql.auto.conf', false) AS by_alter_system,
  {utc_text("clock_timestamp()")} AS clock
FROM pg_settings s WHERE s.name = 'hot_standby_feedback'"""
WRITTEN = """SELECT f.setting FROM pg_file_settings f
WHERE f.name = 'hot_standby_feedback' AND f.sourcefile LIKE '%%postgresql.auto.conf' ORDER BY f.seqno DESC LIMIT 1"""
ON = Statement(sql="ALTER SYSTEM SET hot_standby_feedback = on")
BACK = Statement(sql="ALTER SYSTEM RESET hot_standby_feedback")
OFF = Statement(sql="ALTER SYSTEM SET hot_standby_feedback = off")


class NoArguments(Noun):
    """There is nothing to choose."""


class TurnOnFeedback(WriteTool[NoArguments]):
    """Only on a replica where it is off. ALTER cannot test the clock; the session's limits stand in for it."""

    arguments = NoArguments
    answers_rows: ClassVar[bool] = False
    two_sided: ClassVar[bool] = True
    spec: ClassVar[ToolSpec] = declare(
        "postgres.turn_on_feedback",
        "Turn hot_standby_feedback on at a replica",
        NoArguments,
        effect="reversible",
        klass="A",
        scope="exact",
        capabilities=("keep_rows_for_replica",),
    )

    def preview(self, read: Reader, args: NoArguments) -> Preview:
        del args
        row = read(STATE, {})[0]
        if row["current"] == "on" or not row["in_recovery"]:
            why = "it is on already" if row["current"] == "on" else "this server is no replica"
            return Preview(rows=(), statements=(), summary=why, undo=Undo.none("there is nothing to do"))
        return Preview(
            rows=({"setting": row["name"], "current": row["current"]},),
            statements=(ON, RELOAD),
            summary="hot_standby_feedback would be turned on. It counts at once, through a reload.",
            undo=Undo(
                possible=True,
                statements=(OFF if row["by_alter_system"] else BACK, RELOAD),
                note="set hot_standby_feedback back to what it was",
            ),
            clock=row["clock"],
        )

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del act, grant
        current = read(STATE, {})[0]["current"]
        if current == "on":
            return Took(verdict="yes", because="hot_standby_feedback is on")
        if [row["setting"] for row in read(WRITTEN, {})] == ["on"]:
            return Took(verdict="cannot_tell", because="it is written as on, but the server has not read it")
        return Took(verdict="no", because="hot_standby_feedback still is off")

    def taken_back(self, read: Reader, act: Act, grant: Grant) -> Took:
        """What is no longer written as on and still in force was written back and not yet read."""
        back = super().taken_back(read, act, grant)
        if back.verdict == "no" and [row["setting"] for row in read(WRITTEN, {})] != ["on"]:
            return Took(verdict="cannot_tell", because="it is no longer written as on, but it still is in force")
        return back
