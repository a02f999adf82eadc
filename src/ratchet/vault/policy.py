"""Reads `policy.yaml`: the least approval by effect, and the windows of production and drills."""

from functools import lru_cache
from importlib.resources import files

from pydantic import ValidationError

from ratchet.domain.errors import Mistake, invalid
from ratchet.domain.playbook import EFFECTS, StepRule
from ratchet.domain.policy import Policy
from ratchet.vault.lines import read_sheet
from ratchet.vault.shape import dotted


def read_policy(text: str, where: str) -> Policy:
    """The policy in a text; raises Refusal(INVALID) with every mistake, a missing effect included."""
    sheet, mistakes = read_sheet(text, where)
    policy: Policy | None = None
    try:
        policy = Policy.model_validate(dict(sheet.fields()))
    except ValidationError as error:
        mistakes += [_mistake(where, sheet.line(e["loc"]), f"{dotted(e['loc'])}: {e['msg']}") for e in error.errors()]
    missing = [effect for effect in EFFECTS if policy is not None and effect not in policy.effects]
    mistakes += [_mistake(where, sheet.line(("effects",)), f"the effect {effect!r} has no rule") for effect in missing]
    if policy is None or mistakes:
        raise invalid(f"{where} cannot be used.", "Mend it and start again; without a policy nothing acts.", mistakes)
    return policy


def _mistake(where: str, line: int | None, message: str) -> Mistake:
    return Mistake(
        where=where, line=line, code="PB001", message=message, remedy="Write it as in the shipped policy.yaml."
    )


@lru_cache(maxsize=1)
def shipped_policy() -> Policy:
    """The policy that comes with this release."""
    text = files("ratchet.library").joinpath("policy.yaml").read_text("utf-8")
    return read_policy(text, "policy.yaml")


def tighten(step: StepRule, policy: Policy) -> StepRule:
    """The step with the stricter of file and policy: more people, the shorter expiry; never less."""
    approval = step.approval.model_copy(
        update={"quorum": policy.quorum(step, step.effect), "expires": policy.expires(step, step.effect)}
    )
    return step.model_copy(update={"approval": approval})
