"""Reads `policy.yaml`: the least approval by effect, the windows of production and drills, and change freezes."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from ratchet.domain.errors import Mistake, invalid
from ratchet.domain.lines import read_sheet
from ratchet.domain.playbook import EFFECTS, StepRule
from ratchet.domain.policy import Policy
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


def site_policy(path: Path) -> str:
    """The text of a site's file; raises Refusal(INVALID) where it cannot be read as one."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        remedy = "Make it a UTF-8 text that this account may read, or take it away, and start again."
        raise invalid(f"{path} cannot be read: {error}.", remedy, []) from None


def overlaid(policy: Policy, overlays: Mapping[str, str]) -> Policy:
    """A policy with a site's own files (name to text) laid over it, key by key; their freezes are added to its own.

    Raises Refusal(INVALID) with every mistake: a freeze that cannot be read is never one that is not on.
    """
    for where, text in overlays.items():
        policy = _laid_over(policy, text, where)
    return policy


def _laid_over(policy: Policy, text: str, where: str) -> Policy:
    sheet, mistakes = read_sheet(text, where)
    if not sheet.fields() and not mistakes:
        mistakes.append(_mistake(where, sheet.line(()), "a policy is a mapping of keys, and there is none"))
    try:
        made = Policy.model_validate(_merged(policy.model_dump(by_alias=True), dict(sheet.fields())))
    except ValidationError as error:
        for each in error.errors(include_url=False):
            place = _own(each["loc"], len(policy.freezes))
            mistakes.append(_mistake(where, sheet.line(place), f"{dotted(place)}: {each['msg']}"))
        made = policy
    if mistakes:
        raise invalid(f"{where} cannot be used.", "Mend it and start again; nothing was read from it.", mistakes)
    return made


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` on `under`: what both hold as mappings is merged in turn, freezes are added, the rest is replaced."""
    made = dict(under)
    for key, value in over.items():
        there = under.get(key)
        if isinstance(there, dict) and isinstance(value, dict):
            made[key] = _merged(cast("dict[str, Any]", there), cast("dict[str, Any]", value))
        elif key == "freezes" and isinstance(value, list):
            made[key] = [*cast("tuple[Any, ...]", there), *cast("list[Any]", value)]
        else:
            made[key] = value
    return made


def _own(path: tuple[int | str, ...], before: int) -> tuple[int | str, ...]:
    """Where a freeze stands in the site's file: those of the policy below come first."""
    if len(path) > 1 and path[0] == "freezes" and isinstance(path[1], int):
        return ("freezes", path[1] - before, *path[2:])
    return path


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
