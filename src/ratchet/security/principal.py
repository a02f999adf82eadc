"""Who asks, and the closed table of what each role may do; everything not in the table is denied."""

from typing import Literal, TypeAlias

from ratchet.domain.errors import forbidden
from ratchet.domain.house import Role
from ratchet.domain.noun import Noun

Permission: TypeAlias = Literal["read", "ingest", "answer", "operate", "activate", "admin"]
PERMISSIONS: tuple[Permission, ...] = ("read", "ingest", "answer", "operate", "activate", "admin")

RANK: dict[Role, int] = {"viewer": 1, "operator": 2, "approver": 3, "admin": 4}
"""Each rank may do what the ranks below it may. `source` has no rank: it hands in alerts and nothing else."""

_NEEDS: dict[Permission, int] = {"read": 1, "operate": 2, "ingest": 2, "answer": 3, "activate": 3, "admin": 4}
_PERSONS_ONLY: frozenset[Permission] = frozenset({"answer", "activate", "admin"})
_RATCHET: frozenset[Permission] = frozenset({"read", "ingest", "operate"})


class Principal(Noun):
    """Someone or something that asks, as it was authenticated, and the channel it came by (`http`, `cli`, `worker`)."""

    kind: Literal["person", "service", "ratchet"]
    name: str
    role: Role
    channel: str

    @property
    def id(self) -> str:
        """`user:ana`, `service:alertmanager` or `ratchet`: what stands in events as `by`."""
        match self.kind:
            case "person":
                return f"user:{self.name}"
            case "service":
                return f"service:{self.name}"
            case "ratchet":
                return "ratchet"


def may(principal: Principal, permission: Permission) -> bool:
    """Whether this principal has this permission. Answering, activating and administering take a person.

    A service is kept from `admin` too: whoever can make tokens could make itself a person's.
    """
    if principal.kind == "ratchet":
        return permission in _RATCHET
    if permission in _PERSONS_ONLY and principal.kind != "person":
        return False
    if principal.role == "source":
        return permission == "ingest"
    needed = _NEEDS.get(permission)
    return needed is not None and RANK.get(principal.role, 0) >= needed


def require(principal: Principal, permission: Permission) -> None:
    """Raise Refusal(FORBIDDEN), with who could do it instead, unless `may`."""
    if may(principal, permission):
        return
    what = _WORDS.get(permission, "do this")
    raise forbidden(f"{principal.id} ({principal.role}) may not {what}.", _remedy(principal, permission))


_WORDS: dict[str, str] = {
    "read": "read incidents, decisions and playbooks",
    "ingest": "hand in alerts",
    "answer": "approve or deny a decision",
    "operate": "work on incidents (take over, hand back, note), pause, resume or drill",
    "activate": "activate or retire a playbook",
    "admin": "manage targets and tokens",
}


def _remedy(principal: Principal, permission: Permission) -> str:
    role = _least_role(permission)
    if permission in _PERSONS_ONLY and principal.kind != "person":
        return f"Only a person may; use a person's token with the role {role} or higher."
    return f"Use a token with the role {role} or higher: ratchet token create --person NAME --role {role}"


def _least_role(permission: Permission) -> Role:
    needed = _NEEDS.get(permission, RANK["admin"])
    return next(role for role, rank in RANK.items() if rank >= needed)
