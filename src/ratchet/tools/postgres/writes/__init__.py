"""The write tools for PostgreSQL, a file per tool."""

from typing import Any

from ratchet.tools.postgres.writes.allow_login import AllowLogin
from ratchet.tools.postgres.writes.cancel_queries import CancelQueries
from ratchet.tools.postgres.writes.drop_slot import DropSlot
from ratchet.tools.postgres.writes.grant_right import GrantRight
from ratchet.tools.postgres.writes.indexes import CreateIndex, DropIndexes
from ratchet.tools.postgres.writes.limit_database import LimitDatabase
from ratchet.tools.postgres.writes.reset_setting import ResetSetting
from ratchet.tools.postgres.writes.resume_replay import ResumeReplay
from ratchet.tools.postgres.writes.table_options import ResetTableOption
from ratchet.tools.postgres.writes.tables import AnalyzeTable, VacuumTable
from ratchet.tools.postgres.writes.terminate_sessions import TerminateSessions
from ratchet.tools.postgres.writes.turn_on_feedback import TurnOnFeedback
from ratchet.tools.tool import WriteTool

POSTGRES_TOOLS: tuple[WriteTool[Any], ...] = (
    TerminateSessions(),
    CancelQueries(),
    VacuumTable(),
    AnalyzeTable(),
    ResumeReplay(),
    ResetSetting(),
    AllowLogin(),
    LimitDatabase(),
    GrantRight(),
    ResetTableOption(),
    CreateIndex(),
    DropIndexes(),
    DropSlot(),
    TurnOnFeedback(),
)
