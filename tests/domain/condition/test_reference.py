"""The reference page names what the language has, and its examples hold."""

from pathlib import Path

import pytest

from ratchet.domain.condition import FUNCTIONS, Condition, Unknown

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "conditions.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_in_the_table_of_the_page(name: str) -> None:
    assert f"\n| `{name}(" in PAGE


def test_the_first_examples_of_the_page_are_conditions() -> None:
    block = PAGE.split("```")[1].strip().splitlines()
    assert len(block) == 4
    for line in block:
        assert Condition.parse(line).names <= {"slots", "stuck", "preview"}


def test_the_table_of_three_values_is_what_is_computed() -> None:
    values = {"true": True, "false": False, "unknown": Unknown("not looked at")}
    words = {True: "true", False: "false", None: "unknown"}
    rows = [
        line.strip("| ").split(" | ")
        for line in PAGE.splitlines()
        if line.startswith(("| true", "| false", "| unknown"))
    ]
    assert len(rows) == 9
    for a, b, *expected in rows:
        scope = {"a": values[a], "b": values[b]}
        computed = [words[Condition.parse(text).evaluate(scope).value] for text in ("a and b", "a or b", "not a")]
        assert computed == expected, (a, b)
