"""What differs between two forms of one step: everything that lets it touch more comes first."""

from collections.abc import Iterator

from ratchet.domain.diff_words import Change, Kind, changed, laid_out
from ratchet.domain.playbook import EFFECTS, StepRule


def step_changes(name: str, was: StepRule | None, now: StepRule | None) -> Iterator[Change]:
    """What one step changes in what may happen to the world; no `was`, a new step; no `now`, one that is gone."""
    place = f"steps.{name}"
    if now is None:
        yield Change(place=place, kind="narrower", says="step removed")
        return
    if was is None:
        kind: Kind = "new_mutation" if now.effect != "read" else "condition"
        yield Change(place=place, kind=kind, says=f"new step, {now.uses or now.capability}, {now.effect}")
        yield from laid_out(place, now, kind)
        if now.cap is None:
            yield Change(place=f"{place}.cap", kind=kind, says="new", after="no cap in this text", part=True)
        return
    raised = EFFECTS.index(now.effect) > EFFECTS.index(was.effect)
    yield from changed(f"{place}.effect", was.effect, now.effect, ("effect_raised" if raised else "narrower", "effect"))
    yield from changed(
        f"{place}.uses", was.uses or was.capability, now.uses or now.capability, ("new_mutation", "what acts")
    )
    yield from changed(f"{place}.args", was.args, now.args, ("wider", "what it is called with"))
    yield from changed(f"{place}.where", was.where, now.where, ("wider", "where it acts"))
    yield from changed(f"{place}.target", was.target, now.target, ("wider", "where it acts"))
    less = now.cap is not None and (was.cap is None or now.cap < was.cap)
    yield from changed(f"{place}.cap", was.cap, now.cap, ("narrower" if less else "wider", "how many it may touch"))
    yield from changed(f"{place}.next", was.next, now.next, ("condition", "what follows it"))
    yield from changed(f"{place}.title", was.title, now.title, ("words", "title"))
    yield from changed(f"{place}.risk", was.risk, now.risk, ("words", "risk"))


def approval_changes(name: str, was: StepRule, now: StepRule) -> Iterator[Change]:
    """What one step changes in how it is held: preview, approval, stop rules, rollback, timing."""
    place = f"steps.{name}"
    yield from changed(
        f"{place}.preview.require", " ".join(was.preview.require.split()), " ".join(now.preview.require.split()),
        ("weaker", "what its dry run must show"),
    )  # fmt: skip
    kind: Kind = "weaker" if now.approval.quorum < was.approval.quorum else "narrower"
    yield from changed(f"{place}.approval.quorum", was.approval.quorum, now.approval.quorum, (kind, "approvers"))
    kind = "weaker" if now.approval.expires > was.approval.expires else "narrower"
    yield from changed(f"{place}.approval.expires", was.approval.expires, now.approval.expires, (kind, "answer time"))
    yield from changed(
        f"{place}.approval.approvers", was.approval.approvers, now.approval.approvers, ("weaker", "who approves")
    )
    yield from changed(f"{place}.approval.prompt", was.approval.prompt, now.approval.prompt, ("words", "the question"))
    kind = "weaker" if now.cooldown < was.cooldown else "narrower"
    yield from changed(f"{place}.cooldown", was.cooldown, now.cooldown, (kind, "rest before it may be repeated"))
    kind = "wider" if now.timeout > was.timeout else "narrower"
    yield from changed(f"{place}.timeout", was.timeout, now.timeout, (kind, "how long it may run"))
    yield from changed(f"{place}.idempotent", was.idempotent, now.idempotent, ("weaker", "whether it may be repeated"))
    gone = [rule for rule in was.stop_if if rule not in now.stop_if]
    yield from changed(
        f"{place}.stop_if", was.stop_if, now.stop_if, ("weaker" if gone else "narrower", "what stops the run")
    )
    kind = "weaker" if was.rollback.possible and not now.rollback.possible else "words"
    yield from changed(f"{place}.rollback", was.rollback, now.rollback, (kind, "how it is taken back"))
