"""The policy that ships, and what makes one unusable."""

import pytest

from ratchet.domain.errors import Refusal
from ratchet.domain.playbook import EFFECTS
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.policy import read_policy, shipped_policy, tighten
from ratchet.vault.seeding import shipped_texts

NAME = "pbs_connection_triage.playbook.yaml"


def test_every_effect_has_a_least_approval() -> None:
    policy = shipped_policy()
    assert set(policy.effects) == set(EFFECTS)
    assert all(rule.quorum >= 1 for rule in policy.effects.values())


def test_a_drill_waits_seconds_where_production_waits_as_the_file_says(playbook_files: PlaybookFiles) -> None:
    verify = playbook_files.load(shipped_texts()[NAME], NAME).spec.verify
    assert verify is not None
    drill, real = shipped_policy().verification(verify, True), shipped_policy().verification(verify, False)
    assert (drill.wait_before, drill.every, drill.sustain, drill.min_samples, drill.give_up_after) == (
        0.2,
        0.5,
        3,
        4,
        30,
    )
    assert (real.every, real.sustain) == (verify.every, verify.sustain)
    assert drill.checks == real.checks
    assert shipped_policy().profile(True).cooldown == 0


def test_the_stricter_of_file_and_policy_counts(playbook_files: PlaybookFiles) -> None:
    step = playbook_files.load(shipped_texts()[NAME], NAME).spec.steps["end_idle_sessions"]
    policy = shipped_policy()
    lax = step.model_copy(update={"approval": step.approval.model_copy(update={"quorum": 1, "expires": 86400.0})})
    strict = step.model_copy(update={"approval": step.approval.model_copy(update={"quorum": 3, "expires": 60.0})})
    assert tighten(lax, policy).approval.expires == policy.effects["disruptive"].expires
    assert (tighten(strict, policy).approval.quorum, tighten(strict, policy).approval.expires) == (3, 60.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "effects: {}\n",
        "effects: {read: {quorum: 1, expires: 1h}}\n",
        "effects: {read: {quorum: 1, expires: soon}}\nforce: true\n",
    ],
)
def test_a_policy_with_a_gap_is_refused_and_says_where(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_policy(text, "policy.yaml")
    assert caught.value.mistakes
