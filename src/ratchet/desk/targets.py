"""Targets as the desk registers, provisions and checks them."""

from collections.abc import Callable

from ratchet.desk.lacks import with_playbooks
from ratchet.desk.views import TargetReport, TargetRequest, TargetView
from ratchet.domain.errors import conflict, invalid, not_found
from ratchet.domain.evidence import Answer, Evidence, ProbeCall
from ratchet.domain.ports import Missing, Shelf, Store, Toolbox
from ratchet.domain.target import Target, holds_password

NO_CANARY = Missing(
    what="there is no canary login, so that nobody sees whether an ordinary user can get in",
    remedy="ratchet target add NAME ... --canary-dsn-env VARIABLE (without it that criterion is left out, and says so)",
    probes=("postgres.canary",),
    optional=True,
)
Provision = Callable[[TargetRequest, Target | None], Target]
"""Creates both roles from an admin login, or takes the primary's for a replica; gives the target with references."""
Locate = Callable[[Target], str]
"""The address (`host:port/database`) behind a target's diag credential, without the credential; whoever answers knows
the target's credentials from then on, and takes them out of what is kept."""


class Targets:
    """Registrations. Credentials pass through here as references only."""

    def __init__(self, store: Store, toolbox: Toolbox, shelf: Shelf, roads: tuple[Provision, Locate]) -> None:
        self._store = store
        self._toolbox = toolbox
        self._shelf = shelf
        self._provision, self._locate = roads

    def list(self) -> list[TargetView]:
        """All targets by name."""
        return [view_of(target) for target in self._store.targets()]

    def add(self, request: TargetRequest, by: str) -> TargetReport:
        """Register a target (again); provision first when an admin login was given."""
        _refuse_credentials(request)
        self._refuse_unknown(request.target)
        self._refuse_apart(request.target)
        self._refuse_unlocked(request.target)
        primary = next((t for t in self._store.targets() if t.name == request.target.replica_of), None)
        target = self._provision(request, primary) if request.admin is not None else request.target
        if target.kind == "postgres" and target.diag is None and not target.is_pooler:
            raise invalid(
                f"Target {target.name} has no diag credential.",
                "Give --diag-dsn-env VARIABLE, or --provision --admin-dsn-env VARIABLE to have both roles made.",
            )
        located = self._locate(target)
        target = target.model_copy(update={"address": target.address or located})
        self._store.put_target(target, by)
        identifier = self._toolbox.pointed(target.name)
        if identifier and identifier != target.system_identifier:
            target = target.model_copy(update={"system_identifier": identifier})
            self._store.put_target(target, by)
        return self.check(target.name)

    def _refuse_unknown(self, target: Target) -> None:
        known = {t.name for t in self._store.targets()}
        for label, other in (("--replica-of", target.replica_of), ("--pooler-of", target.pooler_of)):
            if other is not None and other not in known:
                raise not_found("target", other, f"Register {other} first, then {target.name} with {label} {other}.")

    def _refuse_apart(self, target: Target) -> None:
        """A primary and all its replicas are locked as one: a replica names the primary, and not what it reads from."""
        primary = target.replica_of
        if primary is None:
            return
        registered = self._store.targets()
        above = next((t.conflict_group for t in registered if t.name == primary), primary)
        if above != primary:
            raise invalid(f"{primary} is no primary: it belongs to {above}.", f"Register with --replica-of {above}.")
        below = " and ".join(t.name for t in registered if t.replica_of == target.name)
        if below:
            first = f"Register {below} with --replica-of {primary} first."
            raise conflict(f"{target.name} is registered as the primary of {below}.", first)

    def _refuse_unlocked(self, target: Target) -> None:
        """Nothing moves from one lock to another while an act on it may still land."""
        before = next((t.conflict_group for t in self._store.targets() if t.name == target.name), target.conflict_group)
        if before == target.conflict_group:
            return
        for incident in self._store.holding():
            packet = None if incident.op is None else self._store.decision(incident.op.grant.decision)[1]
            if packet is not None and packet.act.target == target.name:
                raise conflict(
                    f"{target.name} is locked with {before}: nobody knows yet how the act of {incident.name} ended.",
                    f"Register it again when that is settled, or {incident.name} is over.",
                )

    def check(self, name: str) -> TargetReport:
        """What the target lacks now, and what that means for the playbooks."""
        target = next((t for t in self._store.targets() if t.name == name), None)
        if target is None:
            raise not_found("target", name, "List them: `ratchet target list`.")
        seen = self._seen(target)
        ok = seen is None or seen.answer is Answer.OK
        row = seen.rows[0] if seen is not None and seen.rows else {}
        missing = self._missing(target) if ok else ()
        return TargetReport(
            target=view_of(target),
            reachable=ok,
            answer=seen.answer.value if seen is not None else "not looked",
            server=str(row.get("version", "") or (seen.detail if seen else "")),
            missing=missing,
            started=str(row.get("postmaster_start_time") or ""),
            data_directory=str(row.get("data_directory") or ""),
        )

    def _seen(self, target: Target) -> Evidence | None:
        if target.kind != "postgres" or target.diag is None:
            return None
        probe = "pgbouncer.limits" if target.is_pooler else "postgres.ping"
        return self._toolbox.look([ProbeCall(probe=probe, target=target.name)])[0]

    def _missing(self, target: Target) -> tuple[Missing, ...]:
        """What must be mended first, then what may stay away."""
        playbooks = [playbook for _, playbook in self._shelf.candidates("postgres")]
        tools = self._toolbox.tools()
        found = [with_playbooks(each, playbooks, tools) for each in self._toolbox.check(target.name)]
        found += [NO_CANARY] if target.canary is None and target.kind == "postgres" else []
        return tuple(sorted(found, key=lambda each: each.optional))


def _refuse_credentials(request: TargetRequest) -> None:
    """Raise Refusal(INVALID), without its words, for what may be a credential in the place of a reference."""
    target = request.target
    named = (("diag", target.diag), ("act", target.act), ("canary", target.canary), ("admin", request.admin))
    for role, ref in named:
        if ref is not None and ref.wrong:
            raise invalid(
                f"The {role} login of {target.name}: `{ref.kind}` {ref.wrong}.",
                "Keep the connection string in a variable or in a file of mode 0600, and name that; change a password"
                " that was sent in the wrong place.",
            )
    if holds_password(target.address):
        raise invalid(f"The address of {target.name} has a password in it.", "Give host:port/database, or leave it.")


def view_of(target: Target) -> TargetView:
    """A registration without anything secret; it has nothing secret to begin with."""
    return TargetView(
        name=target.name, kind=target.kind, tags=target.tags, owner=target.owner, replica_of=target.replica_of,
        pooler_of=target.pooler_of, address=target.address, system_identifier=target.system_identifier,
        diag=str(target.diag or "-"), act=str(target.act or "-"), canary=str(target.canary or "-"),
    )  # fmt: skip
