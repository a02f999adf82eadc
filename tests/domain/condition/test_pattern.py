"""Patterns find what Python's would, and never run away."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.domain.condition import ConditionError
from ratchet.domain.condition.budget import Budget, BudgetSpent
from ratchet.domain.condition.pattern import compiled, found


def matches(pattern: str, subject: str) -> bool:
    return found(compiled(pattern), subject, Budget(10_000_000))


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(ab)*", "a**", "a*?", "a++", "a{3}", "a{2,}", "(?:a)", "(?i)a", r"\1", r"\b", "[", "[a", "(", "(a",
    ")", "a)", "*",
     "+a", "^*", "[z-a]", r"[\D]", "\\", "a|*", "a" * 201, "(" * 9 + ")" * 9],
)  # fmt: skip
def test_patterns_outside_the_grammar_are_refused(pattern: str) -> None:
    with pytest.raises(ConditionError) as caught:
        compiled(pattern)
    assert caught.value.remedy


def test_hundreds_of_alternatives_are_no_nesting() -> None:
    assert matches("(" + "|".join("abcdefghijklmnopqrst") + ")x", "tx")
    assert not matches("|".join("ab" for _ in range(60)), "ba")


@pytest.mark.parametrize("pattern", [".*.*.*.*.*.*.*.*x", "a*a*a*a*a*a*a*a*a*a*b", "(a|b)c*a*c*a*c*a*" * 5 + "z"])
def test_the_worst_pattern_on_the_longest_text_stays_within_the_budget(pattern: str) -> None:
    assert not matches(pattern, "ac" * 5000)


def test_many_states_spend_the_budget_instead_of_time() -> None:
    letters = "".join(chr(0x4E00 + number) for number in range(10_000))
    with pytest.raises(BudgetSpent):
        found(compiled("a?" * 90 + "b"), letters, Budget(20_000))


_ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", r"\S", "[a-c]", r"\.", "-", "[]a]", "[a-]"])
_REPEATED = st.builds(lambda atom, sign: atom + sign, _ATOMS, st.sampled_from(["", "", "*", "+", "?"]))
_PIECES = st.one_of(_REPEATED, st.sampled_from(["^", "$"]))
_SEQUENCES = st.lists(_PIECES, max_size=5).map("".join)
_GROUPS = st.lists(_SEQUENCES, min_size=1, max_size=3).map(lambda several: f"({'|'.join(several)})")
_PATTERNS = st.lists(st.one_of(_SEQUENCES, _GROUPS), min_size=1, max_size=3).map("".join)


@given(st.lists(_PATTERNS, min_size=1, max_size=2).map("|".join), st.text("abc1.-_ \n", max_size=12))
def test_patterns_find_what_python_finds(pattern: str, subject: str) -> None:
    # `$` here is the very end; Python's also matches before a last line break.
    python = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
    assert matches(pattern, subject) == (python.search(subject) is not None)
