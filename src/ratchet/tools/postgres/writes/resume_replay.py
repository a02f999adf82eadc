"""Lets a paused standby replay again."""

from typing import ClassVar

from ratchet.domain.gate import Grant
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act, Preview, Statement, ToolSpec, Undo
from ratchet.domain.ports import Took
from ratchet.tools.tool import NOT_LATE, Reader, WriteTool, declare, utc_text

# A primary has no replay state and raises when asked, so the question stands behind the test.
SHOW = f"""SELECT
  CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() ELSE 'not in recovery' END AS state,
  pg_last_wal_replay_lsn()::text AS replayed_lsn, pg_last_wal_receive_lsn()::text AS received_lsn,
  {utc_text("clock_timestamp()")} AS clock"""
RESUME = f"""SELECT pg_wal_replay_resume()::text AS answer, 'resumed' AS state,
  pg_last_wal_replay_lsn()::text AS replayed_lsn
WHERE pg_is_in_recovery() AND {NOT_LATE}"""
PAUSE = f"""SELECT pg_wal_replay_pause()::text AS answer, 'pause requested' AS state
WHERE pg_is_in_recovery() AND {NOT_LATE}"""


class NoArguments(Noun):
    """Nothing to choose: the target says it all."""


class ResumeReplay(WriteTool[NoArguments]):
    """The standby catches up with what it has received."""

    arguments = NoArguments
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

    def took(self, read: Reader, act: Act, grant: Grant) -> Took:
        del act, grant
        state = read(SHOW, {})[0]["state"]
        verdict = {"not paused": "yes", "paused": "no", "pause requested": "no"}.get(state, "cannot_tell")
        return Took.model_validate({"verdict": verdict, "because": f"replay is {state}"})
