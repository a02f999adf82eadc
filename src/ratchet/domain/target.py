"""Targets: what Ratchet may look at and act on, with credentials by reference only."""

import re
from datetime import datetime
from typing import Literal

from pydantic import Field

from ratchet.domain.noun import Noun

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PASSWORD = re.compile(r"password\s*=|://[^\s?]*:[^\s?]*@", re.IGNORECASE)


def holds_password(text: str) -> bool:
    """Whether a text has a password in it as connection strings have."""
    return _PASSWORD.search(text) is not None


class SecretRef(Noun):
    """Where a credential stands, never the credential: a variable, a path, or a libpq string without password."""

    kind: Literal["env", "file", "pgpass"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def wrong(self) -> str:
        """Why this is no reference but may be the credential itself, without its words; empty when it is one.

        Asked before a reference is kept: what is kept stands in the chained record for ever.
        """
        match self.kind:
            case "env" if _VARIABLE.fullmatch(self.name) is None:
                return "takes the name of a variable (letters, digits and _), and this is none"
            case "file" if "://" in self.name or holds_password(self.name) or "\n" in self.name:
                return "takes the path of a file, and this looks like a connection string"
            case "pgpass" if holds_password(self.name):
                return "takes a connection string without its password, and this has one"
            case _:
                return ""


class HostControl(Noun):
    """How a stopped server on this host is started: absolute paths and the account that owns the files."""

    pg_ctl: str
    pg_data: str
    run_as: str
    backup: str = ""
    """Where the newest base backup lies, as files; empty when that is not known here."""
    archive: str = ""
    """Where WAL is archived, as files; empty when that is not known here."""


class Target(Noun):
    """One system under care. A primary, its replicas and its pooler form one conflict group."""

    name: str = Field(pattern=NAME)
    kind: Literal["postgres", "host"]
    diag: SecretRef | None = None
    act: SecretRef | None = None
    canary: SecretRef | None = None
    host_control: HostControl | None = None
    tags: tuple[str, ...] = ()
    owner: str = ""
    replica_of: str | None = None
    pooler_of: str | None = None
    address: str = ""
    """host:port and database as registered, for matching alerts; no credential."""
    system_identifier: str = ""

    @property
    def conflict_group(self) -> str:
        """The name that locks are taken on."""
        return self.replica_of or self.pooler_of or self.name

    @property
    def is_pooler(self) -> bool:
        """Whether its diag login speaks to a pooler's console, and not to a server."""
        return self.pooler_of is not None

    @property
    def server(self) -> str:
        """The name of the server that questions about the database go to: a pooler's is the one it pools for."""
        return self.pooler_of or self.name

    @property
    def chaos(self) -> bool:
        """Whether faults may be caused here on purpose."""
        return "chaos" in self.tags


class Fingerprint(Noun):
    """Who answered: the identity of the server behind a target's address, read anew before every act."""

    system_identifier: str
    timeline: int
    in_recovery: bool
    server_version: int
    clock: datetime
    """The target's own clock when it answered."""
    taken_at: datetime
    """Our clock then."""

    def same_server(self, other: "Fingerprint") -> bool:
        """Whether both name one server in one role: identity, timeline and recovery state agree."""
        mine = (self.system_identifier, self.timeline, self.in_recovery)
        return mine == (other.system_identifier, other.timeline, other.in_recovery)

    def instead_of(self, shown: "Fingerprint") -> str:
        """How who answers differs from the server that was shown, in one sentence; empty when it is that one."""
        if self.same_server(shown):
            return ""
        words = (
            ("system identifier", self.system_identifier, shown.system_identifier),
            ("timeline", self.timeline, shown.timeline),
            ("role", *("standby" if each.in_recovery else "primary" for each in (self, shown))),
        )
        told = ", ".join(f"{name} {now} instead of {then}" for name, now, then in words if now != then)
        return f"Another server answers than the one that the step was for: {told}."
