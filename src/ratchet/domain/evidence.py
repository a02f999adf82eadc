"""Evidence: what a read probe saw, kept exactly as captured, and how conditions see it."""

from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from ratchet.domain.condition import Unknown
from ratchet.domain.noun import Noun, digest_of


class Answer(StrEnum):
    """How a target answered a probe. Everything but `ok` is itself evidence, never an exception."""

    OK = "ok"
    REFUSED = "refused"
    HUNG = "hung"
    AUTH = "auth"
    TOO_MANY_CLIENTS = "too_many_clients"
    STARTING = "starting"
    IN_RECOVERY = "in_recovery"
    NAME_RESOLUTION = "name_resolution"
    NO_DATABASE = "no_database"
    """The server answers, and the database that the login names is gone or takes no connections."""
    SERVER_LOGIN = "server_login"
    """A pooler answers, and gets no session at its server."""
    UNREGISTERED = "unregistered"
    """Nobody was asked: the target has no login of that kind. The only answer that leaves a criterion out."""
    PERMISSION = "permission"
    MISSING = "missing"
    TIMEOUT = "timeout"
    ERROR = "error"


class ProbeCall(Noun):
    """A registered probe, bound to a target and arguments; the same call is looked at once per incident."""

    probe: str
    target: str
    args: dict[str, Any] = {}
    timeout: float = 5.0
    """Seconds, for server and client alike."""

    @cached_property
    def key(self) -> str:
        """What makes two calls the same look."""
        return digest_of([self.probe, self.target, self.args])


class Evidence(Noun):
    """One answer to one probe call. `id` is its content digest, so equal looks are stored once."""

    id: str
    probe: str
    target: str
    args: dict[str, Any]
    taken_at: datetime
    elapsed_ms: float
    answer: Answer
    detail: str = ""
    query: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()
    truncated: bool = False

    @staticmethod
    def of(call: ProbeCall, taken_at: datetime, elapsed_ms: float, **seen: Any) -> "Evidence":
        """Build evidence and its id from what was seen: `answer`, `detail`, `query`, `columns`, `rows`, `truncated`."""
        blank = Evidence(
            id="",
            probe=call.probe,
            target=call.target,
            args=call.args,
            taken_at=taken_at,
            elapsed_ms=elapsed_ms,
            **seen,
        )
        return blank.model_copy(update={"id": blank.content_id})

    @property
    def content_id(self) -> str:
        """The id that its content has; another one than `id` where somebody altered it."""
        return id_of(self.model_dump(mode="json", exclude={"id"}))

    @property
    def call_key(self) -> str:
        """The key of the call that this evidence answers."""
        return digest_of([self.probe, self.target, self.args])

    def scope(self, now: datetime) -> dict[str, Any]:
        """The probe's name space in a condition: answer, available, rows, first, rows_data, age_s."""
        age = max(0.0, (now - self.taken_at).total_seconds())
        if self.answer is not Answer.OK:
            gap = Unknown(f"{self.probe} on {self.target}: {self.answer.value}")
            return {
                "answer": self.answer.value, "available": False, "age_s": age,
                "rows": gap, "first": gap, "rows_data": gap,
            }  # fmt: skip
        rows: list[Any] = [dict(row) for row in self.rows]
        count: Any = len(rows)
        if self.truncated:
            count = Unknown(f"{self.probe} has more rows than the {len(rows)} that were kept")
            rows.append(count)
        return {
            "answer": "ok", "available": True, "age_s": age,
            "rows": count, "first": rows[0] if self.rows else None, "rows_data": rows,
        }  # fmt: skip


def id_of(body: dict[str, Any]) -> str:
    """The id of evidence with this content, which is all of it but the id; raises ValueError for what JSON cannot."""
    return "ev_" + digest_of(body).removeprefix("sha256:")[:24]


def not_looked(probe: str) -> dict[str, Any]:
    """The name space of a probe that was not run: known to be unavailable, everything else unknown."""
    gap = Unknown(f"{probe} was not looked at")
    return {"answer": gap, "available": False, "age_s": gap, "rows": gap, "first": gap, "rows_data": gap}
