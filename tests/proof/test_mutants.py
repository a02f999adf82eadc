"""The short form of the mutation run: a guard that is taken out is noticed, and so are the gravest structures."""

import pytest

from tests.proof.mutants import Mutant, all_mutants, trial

GUARDS = [mutant for mutant in all_mutants() if mutant.name.startswith("guard:")]
GRAVE = (
    "anchor before send", "grant and act fit at the hands", "an answer names the bytes", "an answer comes in time",
    "the server that was shown answers", "armed in time", "each statement is armed",
    "told by the server it was sent to", "sampled at the server it was done on", "another server is told apart",
)  # fmt: skip
"""Structures that few random lives, or a directed trial, tell at once; the others are for the long form."""


@pytest.mark.parametrize("mutant", GUARDS, ids=lambda mutant: mutant.name)
def test_no_guard_can_be_removed_unseen(mutant: Mutant) -> None:
    assert trial(mutant, 0, ())[0]


@pytest.mark.parametrize("mutant", [m for m in all_mutants() if m.name in GRAVE], ids=lambda mutant: mutant.name)
def test_no_grave_structure_can_be_removed_unseen(mutant: Mutant) -> None:
    by_bid, by_model, _ = trial(mutant, 0, ())
    assert by_bid or by_model or trial(mutant, 12, (None,))[1]


def test_every_mutant_still_fits_the_source() -> None:
    for mutant in all_mutants():
        with mutant.alive():
            pass
