"""How sessions are named, filtered and found again: by pid and backend_start, never by pid alone."""

from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from ratchet.domain.duration import Duration
from ratchet.domain.noun import Noun
from ratchet.domain.plan import Act
from ratchet.domain.ports import Took
from ratchet.tools.tool import Reader, utc_text

State = Literal["idle", "idle in transaction", "idle in transaction (aborted)", "active"]


class SessionName(Noun):
    """One session: a pid is used again, a pid with its start is not. A whole row of a probe will do as a name."""

    model_config = ConfigDict(extra="ignore")

    pid: int = Field(gt=1)
    backend_start: str = Field(min_length=10, max_length=40)
    query_start: str | None = Field(default=None, min_length=10, max_length=40)
    """Names one statement of the session, for tools that concern statements."""


class SessionFilter(Noun):
    """Which client sessions are meant: named ones, or all that fit what is given."""

    application: str | None = None
    user: str | None = None
    database: str | None = None
    state: State | None = None
    min_idle_s: Duration = Field(default=0.0, ge=0)
    sessions: tuple[SessionName, ...] | None = Field(default=None, min_length=1, max_length=200)
    limit: int = Field(default=200, ge=1, le=200)

    @model_validator(mode="after")
    def _never_everybody(self) -> "SessionFilter":
        if self.sessions is None and not (self.application or self.user or self.database or self.state):
            raise ValueError("name the sessions, or at least one of application, user, database, state")
        return self

    def bound(self) -> dict[str, object]:
        """The filter as statement parameters."""
        named = self.sessions or ()
        return {
            "application": self.application, "user": self.user, "database": self.database, "state": self.state,
            "min_idle_s": self.min_idle_s, "limit": self.limit,
            "named": self.sessions is not None,
            "pids": [each.pid for each in named], "starts": [each.backend_start for each in named],
        }  # fmt: skip


FOREIGN = """a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
  AND a.application_name NOT LIKE 'ratchet:%%'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid = a.usesysid AND r.rolsuper)"""
"""Sessions that a least-rights role may signal: no server process, no walsender, none of ours, no superuser's."""

APPLICATION = "coalesce(nullif(a.application_name, ''), '(none)')"
"""The application as the probes write it."""

FITTING = f"""{FOREIGN}
  AND (%(application)s::text IS NULL OR {APPLICATION} = %(application)s::text)
  AND (%(user)s::text IS NULL OR a.usename = %(user)s::text)
  AND (%(database)s::text IS NULL OR a.datname = %(database)s::text)
  AND (%(state)s::text IS NULL OR a.state = %(state)s::text)
  AND (%(min_idle_s)s::float8 = 0
       OR clock_timestamp() - a.state_change >= make_interval(secs => %(min_idle_s)s::float8))
"""

NAMED = f"""SELECT count(*) AS alive FROM pg_stat_activity a
JOIN unnest(%(pids)s::int[], %(starts)s::text[]) AS shown(pid, backend_start)
  ON a.pid = shown.pid AND {utc_text("a.backend_start")} = shown.backend_start"""


def gone(read: Reader, act: Act) -> Took:
    """Whether the sessions that were shown are gone: all, none, or some."""
    shown = [(row["pid"], row["backend_start"]) for row in act.identities if "backend_start" in row]
    rows = read(NAMED, {"pids": [pid for pid, _ in shown], "starts": [start for _, start in shown]})
    alive = int(rows[0]["alive"]) if rows else 0
    if not shown:
        return Took(verdict="cannot_tell", because="the act names no session that could be looked for")
    if alive == 0:
        return Took(verdict="yes", because=f"all {len(shown)} sessions are gone")
    if alive == len(shown):
        return Took(verdict="no", because=f"all {alive} sessions are still there")
    return Took(verdict="cannot_tell", because=f"{alive} of {len(shown)} sessions are still there")
