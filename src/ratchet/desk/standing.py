"""Standing grants as people give and take them: one step of one active text, in advance, within bounds."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from pydantic import ValidationError

from ratchet.desk.views import GrantRequest, GrantView
from ratchet.domain.certificate import no_proof
from ratchet.domain.errors import conflict, forbidden, invalid, not_found
from ratchet.domain.playbook import StepRule
from ratchet.domain.ports import Clock, Shelf, Store
from ratchet.domain.series import Version
from ratchet.domain.standing import StandingGrant, servers_of
from ratchet.domain.target import Target
from ratchet.security.principal import Principal

ALL_LISTED = "List them: ratchet grant list"


class Standing:
    """Give, list and revoke."""

    def __init__(self, store: Store, shelf: Shelf, clock: Clock, new_id: Callable[[], str]) -> None:
        self._store = store
        self._shelf = shelf
        self._clock = clock
        self._new_id = new_id

    def list(self) -> list[GrantView]:
        """Newest first, dead ones included."""
        return [self._view(grant) for grant in self._store.standing_grants()]

    def give(self, who: Principal, request: GrantRequest) -> GrantView:
        """A yes in advance to the active text of a series, at its present digest."""
        version, step = self._step(request)
        if who.id.casefold() in {name.casefold() for name in version.writers}:
            raise forbidden("Nobody approves their own text, in advance or not.", "Ask another approver.")
        if step.approval.quorum > 1:
            people = f"Step {request.step} asks for {step.approval.quorum} people."
            raise forbidden(people, "They answer each time; nobody in advance.")
        self._check(request, step)
        self._check_certificate(request, version)
        grant = self._grant(who, request, version)
        self._store.put_standing(grant, who.id)
        return self._view(grant)

    def revoke(self, who: Principal, grant_id: str, reason: str) -> GrantView:
        """It covers nothing from now on."""
        because = f"by {who.id}" + (f": {reason}" if reason else "")
        self._store.revoke_standing(grant_id, because, who.id)
        found = next((g for g in self._store.standing_grants() if g.id == grant_id), None)
        if found is None:
            raise not_found("standing grant", grant_id, ALL_LISTED)
        return self._view(found)

    def _step(self, request: GrantRequest) -> tuple[Version, StepRule]:
        active = self._store.series(request.series).active
        if active is None:
            raise not_found("active playbook", request.series, "List them: ratchet playbook list")
        steps = self._shelf.version(active.id)[1].spec.steps
        if request.step not in steps:
            known = ", ".join(sorted(steps)) or "none"
            raise invalid(f"{active.pin} has no step {request.step[:80]!r}.", f"Its steps: {known}.")
        return active, steps[request.step]

    def _check(self, request: GrantRequest, step: StepRule) -> None:
        known = {target.name for target in self._store.targets()}
        stranger = next((name for name in request.targets if name not in known), None)
        if stranger is not None:
            raise not_found("target", stranger, "List them: ratchet target list")
        loose = next((name for name in request.bounds if name not in step.args), None)
        if loose is not None:
            args = ", ".join(sorted(step.args)) or "none"
            raise invalid(f"Step {request.step} has no argument {loose[:80]!r} to bound.", f"It has: {args}.")

    def _check_certificate(self, request: GrantRequest, version: Version) -> None:
        """What a grant rests on must count when it is given; else it would be born dead."""
        if request.certificate is None:
            return
        known = self._store.certificates(request.series)
        wrong = no_proof(request.certificate, known, self._clock())
        found = next((one for one in known if one.id == request.certificate), None)
        if found is not None and found.playbook_digest != version.digest:
            wrong = f"certificate {found.id} is for another text than the active one"
        elif found is not None and request.fault is not None and request.fault not in found.faults:
            wrong = f"certificate {found.id} was given without the fault {request.fault}"
        if wrong:
            remedy = f"Certify the active text again: ratchet playbook certify {request.series}"
            raise conflict(f"This cannot be granted: {wrong}.", remedy)

    def _grant(self, who: Principal, request: GrantRequest, version: Version) -> StandingGrant:
        now = self._clock()
        try:
            return StandingGrant(
                id="sg_" + self._new_id(), given_by=who.id, given_at=now, reason=request.reason, series=request.series,
                playbook_digest=version.digest, step=request.step, targets=request.targets, tag=request.tag,
                bounds=request.bounds, cap=request.cap, uses=request.uses,
                expires_at=now + timedelta(days=request.days), fault=request.fault,
                certificate=request.certificate, servers=servers_of(self._covered(request)),
            )  # fmt: skip
        except ValidationError as error:
            said = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise invalid(f"This cannot be granted: {said}.", "Mend it and give it again.") from None

    def _covered(self, request: GrantRequest) -> Sequence[Target]:
        """The targets that it names, and those that have its tag now; one that gets the tag later is not among them."""
        return [
            each for each in self._store.targets()
            if each.name in request.targets or (request.tag is not None and request.tag in each.tags)
        ]  # fmt: skip

    def _view(self, grant: StandingGrant) -> GrantView:
        active = self._store.series(grant.series).active
        changed = active is None or active.digest != grant.playbook_digest
        known = self._store.certificates(grant.series) if grant.certificate is not None else []
        dead = grant.dead(self._clock(), known) or ("the playbook's active text is another one" if changed else "")
        dead = dead or grant.gone(self._store.targets())
        return GrantView(
            grant=grant,
            playbook=active.pin if active and not changed else grant.series,
            left=grant.left,
            counts=not dead,
            because=dead,
        )
