"""Lets a paused standby replay again."""

from typing import ClassVar

from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.answers import NoAnswer
from ratchet.tools.tool import NOT_LATE, Reader, WriteTool, declare, utc_text

# A primary has no replay state and raises when asked, so the question stands behind the test.
SHOW = f"""SELECT
  CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() ELSE 'not in recovery' END AS state,
  pg_last_wal_replay_lsn()::text AS replayed_lsn, pg_last_wal_receive_lsn()::text AS received_lsn,
  {utc_text("clock_timestamp()")} AS clock"""
RESUME = f"""SELECT pg_wal_replay_resume()::text AS answer, 'resumed' AS state,
  pg_last_wal_replay_lsn()::text AS replayed_lsn
WHERE pg_is_in_recovery() AND {NOT_LATE}"""
LIMITS = """SELECT s.name, s.setting::int AS value FROM pg_settings s WHERE s.name IN ('max_connections',
  'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions', 'max_locks_per_transaction')
ORDER BY s.name"""
"""A standby needs each of them at least as high as its primary has it; it pauses when one is smaller."""
TARGET = """SELECT s.name, s.setting FROM pg_settings s WHERE s.setting <> '' AND s.name IN ('recovery_target',
  'recovery_target_lsn', 'recovery_target_name', 'recovery_target_time', 'recovery_target_xid') LIMIT 1"""
PAUSE = f"""SELECT pg_wal_replay_pause()::text AS answer, 'pause requested' AS state
WHERE pg_is_in_recovery() AND {NOT_LATE}"""


class NoArguments(Noun):
    """Nothing to choose: the target says it all."""


class ResumeReplay(WriteTool[NoArguments]):
    """The standby catches up with what it has received."""

    arguments = NoArguments
    two_sided: ClassVar[bool] = True
    spec: ClassVar[ToolSpec] = declare(
        "postgres.resume_replay",
        "Resume the replay of a standby on which it was paused",
        NoArguments,
        effect="reversible",
        klass="A",
        scope="exact",
        capabilities=("resume_replay",),
    )

    def preview(self, read: Reader, args: NoArguments) -> Preview:
        del args
        row = read(SHOW, {})[0]
        paused = row["state"] in ("paused", "pause requested")
        shown = {name: value for name, value in row.items() if name != "clock"}
        return Preview(
            rows=(shown,) if paused else (),
            statements=(Statement(sql=RESUME),),
            summary=f"replay is {row['state']} at {row['replayed_lsn']}, received up to {row['received_lsn']}",
            undo=Undo(possible=True, statements=(Statement(sql=PAUSE),), note="pause the replay again"),
            clock=row["clock"],
        )

    def barred(self, read: Reader, primary: Reader | None) -> str:
        """Replay stands at a target because resuming ends recovery there, and at a smaller limit because the standby
        shuts down when it is resumed; why it was paused shows in neither case."""
        for row in read(TARGET, {}):
            return f"{row['name']} is set to {row['setting']}: resuming may end recovery and promote this standby"
        if primary is None:
            return "no primary is registered to compare limits with: resuming may shut this standby down"
        try:
            needed = {row["name"]: row["value"] for row in primary(LIMITS, {})}
        except NoAnswer as failed:
            return (
                f"its primary does not answer ({failed.answer.value}): whether resuming shuts this standby down is open"
            )
        here = {row["name"]: row["value"] for row in read(LIMITS, {})}
        small = [
            f"{name} is {here[name]} here and {value} there" for name, value in needed.items() if here[name] < value
        ]
        return f"smaller than at its primary: {', '.join(small)}; resuming shuts this standby down" if small else ""

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del act, grant
        state = read(SHOW, {})[0]["state"]
        verdict = {"not paused": "yes", "paused": "no", "pause requested": "no"}.get(state, "cannot_tell")
        return Took.model_validate({"verdict": verdict, "because": f"replay is {state}"})
