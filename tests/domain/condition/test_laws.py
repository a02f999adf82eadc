"""Laws of every condition: it never raises, it is three-valued logic, and more knowledge never contradicts."""

import string
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ratchet.domain.condition import FUNCTIONS, Condition, ConditionError, Unknown

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(),
    st.sampled_from(["", "a", "ab", "5m", "7"]),
    st.integers(),
    st.text(max_size=5),
    st.just(Unknown("not looked at")),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)),
    max_leaves=6,
)
ROWS = st.lists(st.fixed_dictionaries({"a": LEAVES, "b": VALUES}), max_size=4)
PROBES = st.fixed_dictionaries(
    {"rows": st.integers(0, 3), "first": VALUES, "rows_data": ROWS},
    optional={"available": st.one_of(st.booleans(), st.just(Unknown("lost")))},
)
SCOPES = st.fixed_dictionaries({"p": st.one_of(PROBES, VALUES), "q": VALUES}, optional={"x": LEAVES})

PATHS = st.sampled_from(
    ["p.rows", "p.first.a", "p.first", "q", "q.a", "q[0]", "x", "p.rows_data", "missing", "t.a", "t"]
)
LITERALS = st.sampled_from(
    ["0", "1", "2.5", "-1", "'a'", "'5m'", "true", "false", "null", "[]", "[1, null]", "()", "1e300"]
)
SAFE_FUNCTIONS = [name for name in FUNCTIONS if name != "coalesce"]


def _bigger(inner: st.SearchStrategy[str], functions: list[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(
        ["+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]
    )
    return st.one_of(
        st.builds(lambda left, sign, right: f"({left}) {sign} ({right})", inner, signs, inner),
        st.builds(lambda one, two, three: f"({one}) < ({two}) <= ({three})", inner, inner, inner),
        st.builds(lambda one, two, three: f"({one}) if ({two}) else ({three})", inner, inner, inner),
        st.builds(lambda sign, one: f"{sign}({one})", st.sampled_from(["not ", "-", "!"]), inner),
        st.builds(lambda name, one: f"{name}({one})", st.sampled_from(functions), inner),
        st.builds(lambda name, one, two: f"{name}({one}, {two})", st.sampled_from(functions), inner, inner),
        st.builds(
            lambda name, one, source, two: f"{name}(({one}) for t in {source} if ({two}))",
            st.sampled_from(["any", "all", "sum", "min", "max", "len", "first"]),
            inner,
            PATHS,
            inner,
        ),
    )


def expressions(functions: list[str]) -> st.SearchStrategy[str]:
    return st.recursive(st.one_of(PATHS, LITERALS), lambda inner: _bigger(inner, functions), max_leaves=6)


CONDITIONS = expressions(SAFE_FUNCTIONS)
TOKENS = [
    "a",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    "not",
    "and",
    "or",
    "if",
    "else",
    "for",
    "in",
    "==",
    "<",
    "-",
    "!",
    "1",
    "'a'",
]
TOKENS += ["any", "len", "&&"]
TRUTHS = st.sampled_from([True, False, Unknown("not looked at")])


def evaluated(text: str, scope: Mapping[str, Any]) -> bool | None:
    """The answer; None too for a text that the language refuses, which then says nothing."""
    try:
        return Condition.parse(text).evaluate(scope).value
    except ConditionError:
        return None


@settings(max_examples=400)
@given(expressions(list(FUNCTIONS)), SCOPES, st.integers(0, 200))
def test_no_condition_raises_whatever_the_evidence(text: str, scope: dict[str, Any], budget: int) -> None:
    try:
        condition = Condition.parse(text)
    except ConditionError:
        return
    for steps in (budget, 20_000):
        verdict = condition.evaluate(scope, steps)
        assert (verdict.value is None) == bool(verdict.reason)
        assert verdict.trace.render()
        assert verdict.trace.model_dump_json()
        condition.value(scope, steps)
    unknown_names = condition.names - {"p", "q"}
    assert len(unknown_names) <= len(condition.check({"p": frozenset("ab"), "q": None}))


@settings(max_examples=300)
@given(st.text(string.printable, max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    evaluated(text, {})


@given(st.lists(st.sampled_from(TOKENS), max_size=12))
def test_any_pile_of_tokens_is_read_or_refused(pieces: list[str]) -> None:
    evaluated(" ".join(pieces), {"a": {"a": 1}})


def _filled(value: Any, data: st.DataObject) -> Any:
    match value:
        case Unknown():
            return data.draw(VALUES)
        case dict():
            return {key: _filled(item, data) for key, item in value.items()}
        case list():
            return [_filled(item, data) for item in value]
        case _:
            return value


@settings(max_examples=400)
@given(CONDITIONS, SCOPES, st.data())
def test_learning_an_unknown_never_overturns_an_answer(text: str, scope: dict[str, Any], data: st.DataObject) -> None:
    before = evaluated(text, scope)
    after = evaluated(text, _filled(scope, data))
    assert before is None or before is after


@given(CONDITIONS, SCOPES)
def test_the_same_question_has_the_same_answer(text: str, scope: dict[str, Any]) -> None:
    try:
        condition = Condition.parse(text)
    except ConditionError:
        return
    assert condition.evaluate(scope) == condition.evaluate(scope)


@given(CONDITIONS, SCOPES)
def test_a_smaller_budget_gives_the_same_answer_or_unknown(text: str, scope: dict[str, Any]) -> None:
    try:
        condition = Condition.parse(text)
    except ConditionError:
        return
    full = condition.evaluate(scope).value
    assert condition.evaluate(scope, 0).value is None
    for budget in (3, 10, 30):
        assert condition.evaluate(scope, budget).value in (full, None)


@given(CONDITIONS, SCOPES)
def test_not_not_is_the_same(text: str, scope: dict[str, Any]) -> None:
    assert evaluated(f"not not ({text})", scope) is evaluated(text, scope)


@given(CONDITIONS, CONDITIONS, SCOPES)
def test_de_morgan(one: str, other: str, scope: dict[str, Any]) -> None:
    assert evaluated(f"not (({one}) and ({other}))", scope) is evaluated(f"(not ({one})) or (not ({other}))", scope)


@given(TRUTHS, TRUTHS, TRUTHS)
def test_and_or_are_kleene_and_agree_with_all_any(a: Any, b: Any, c: Any) -> None:
    scope, given_values = {"a": a, "b": b, "c": c}, (a, b, c)
    conjunction = (
        False if False in given_values else None if any(isinstance(v, Unknown) for v in given_values) else True
    )
    assert evaluated("a and b and c", scope) is conjunction
    assert evaluated("c and b and a", scope) is conjunction
    assert evaluated("all([a, b, c])", scope) is conjunction
    disjunction = True if True in given_values else None if any(isinstance(v, Unknown) for v in given_values) else False
    assert evaluated("a or b or c", scope) is disjunction
    assert evaluated("any(v for v in [c, b, a])", scope) is disjunction
    assert evaluated("a || b && c", scope) is evaluated("a or (b and c)", scope)
