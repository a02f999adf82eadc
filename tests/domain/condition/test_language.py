"""What the language refuses, where, and with what advice; and what it says about names."""

import pytest

from ratchet.domain.condition import Condition, ConditionError

DECLARED = {"slots": frozenset({"max", "used", "idle"}), "stuck": frozenset({"pid", "xact_s"}), "params": None}


def refusal(text: str) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        Condition.parse(text)
    assert caught.value.message
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "().__class__", "a.__class__.__mro__", "a['__class__']", "a._hidden", "_a", "a.b()",
        "a.lower()",
        "[].append(1)", "lambda: 1", "(lambda x: x)(1)", "(x := 3)", "f'{a}'", "b'a'", "r'a'", "'%s' % a", "'a' * 9",
        "[1] * 9",
        "9 ** 9", "a ** 2", "{1: 2}", "{1}", "{**a}", "a[1:2]", "a[b]", "a[1.5]", "a[true]", "*a", "len(*a)",
        "len(x=1)",
        "any(any(y for y in x) for x in a)", "any(x for x in a for y in b)", "any((x for x in a), 1)", "[x for x in a]",
        "(x for x in a)", "x for x in a", "any(x for x, y in a)", "any(x for len in a)", "lower(x for x in a)",
        "max([x for x in a], 1)", "a is b", "await a", "yield a", "a if b", "not", "a and", "a or or b", "a not b",
        "a == not b",
        "(a", "a)", "[a", "a b", "a, b", "a; b", "a = 1", "a === b", "a <> b", "a # c", "a ? b : c", "a & b", "a | b",
        "~a", "a @ b",
        "'open", '"open', "'''a'''", "1_000", "0x10", "007", "1.", ".5", "1e999", "9" * 400, "18446744073709551616",
        "", "   ",
        "import os", "eval('1')", "exec('1')", "open('x')", "getattr(a, 'b')", "format('a')", "len()",
        "len(1, 2)", "any()",
        "duration('5 minutes')", "exists(1 + 2)", "exists(first(a))", "true + 1", "null - 1", "a.1", "a..b",
        "a\u200b", "ä",
        "a\x00b", "'\u202e'", "$a", "`a`", "a\\b",
    ],
)  # fmt: skip
def test_these_are_refused(text: str) -> None:
    refusal(text)


@pytest.mark.parametrize(
    "text",
    ["(" * 400 + "1" + ")" * 400, "-" * 900 + "1", "!" * 900 + "a", "not " * 240 + "a",
    "[" * 450, "+".join(["1"] * 400),
     "a" + ".b" * 400, "a" + "[0]" * 300, "1 if a else " * 80 + "1", "a" * 1001, "any(" * 200, "(a," * 200],
)  # fmt: skip
def test_depth_and_length_are_bounded_before_anything_runs(text: str) -> None:
    refusal(text)


@pytest.mark.parametrize(
    ("text", "column", "advice"),
    [
        ("slots.rows = 3", 12, "=="), ("lne(a)", 1, "did you mean len?"), ("a.lower()", 8, "lower(x)"),
        ("a and (b or", 12, "complete"), ("a > 2 ** 3", 7, "multiply"), ("matches(a, '(a+)+')", 12, "repeat"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_column_and_the_remedy(text: str, column: int, advice: str) -> None:
    found = refusal(text)
    assert found.column == column
    assert advice in found.remedy
    assert f"column {column}" in str(found)


def test_a_function_name_without_a_call_is_a_plain_name() -> None:
    assert Condition.parse("first == len").names == {"first", "len"}


def test_names_are_free_names_only() -> None:
    read = Condition.parse(
        "any(t.x > slots.first.max for t in stuck.rows_data if t.y) and params.a['b c'] and value < 3"
    )
    assert read.names == {"slots", "stuck", "params", "value"}
    assert read.paths == {("slots", "first", "max"), ("stuck", "rows_data"), ("params", "a", "b c"), ("value",)}
    assert Condition.parse("a.rows_data[0].pid == 1").paths == {("a", "rows_data")}


def test_a_sound_condition_passes_the_name_check() -> None:
    text = (
        "slots.rows == 1 and slots.first.used > 3 and slots.available and slots.age_s < 5 and slots.answer == 'ok' "
        "and any(t.pid == 1 for t in stuck.rows_data) and stuck.rows_data[0].pid > 1 and params.any.thing"
    )
    assert Condition.parse(text).check(DECLARED) == []


@pytest.mark.parametrize(
    ("text", "message", "remedy", "column"),
    [
        ("slotz.rows == 1", "nothing here is named 'slotz'", "did you mean slots?", 1),
        ("slots.first.usde > 1", "slots has no column 'usde'", "did you mean used?", 13),
        ("slots['first']['usde'] > 1", "slots has no column 'usde'", "did you mean used?", None),
        ("any(t.pdi == 1 for t in stuck.rows_data)", "stuck has no column 'pdi'", "did you mean pid?", 7),
        (
            "any(t.pid == 1 for t in stuck.rows_data if t.age)",
            "stuck has no column 'age'",
            "known here: pid, xact_s",
            46,
        ),
        ("stuck.rows_data[0].nope == 1", "stuck has no column 'nope'", "known here", 20),
        ("first(t for t in stuck.rows_data).nope == 1", "stuck has no column 'nope'", "known here", 35),
        ("first(stuck.rows_data).nope == 1", "stuck has no column 'nope'", "known here", 24),
        ("slots.used > 1", "slots has no part 'used'", "write slots.first.used", 7),
        ("slots.frist.used > 1", "slots has no part 'frist'", "did you mean first?", 7),
    ],
)
def test_undeclared_names_and_columns_are_found_before_the_night(
    text: str, message: str, remedy: str, column: int | None
) -> None:
    (fault,) = Condition.parse(text).check(DECLARED)
    assert fault.message == message
    assert remedy in fault.remedy
    assert column is None or fault.column == column


def test_every_fault_is_shown_at_once_and_each_once() -> None:
    faults = Condition.parse("a.x == 1 and slots.first.b == a.y and any(z.q == t.c for t in stuck.rows_data)").check(
        DECLARED
    )
    assert [fault.message for fault in faults] == [
        "nothing here is named 'a'", "slots has no column 'b'", "nothing here is named 'z'", "stuck has no column 'c'",
    ]  # fmt: skip


def test_a_backslash_before_another_letter_stays_so_that_patterns_need_no_doubling() -> None:
    assert Condition.parse(r"'\d' == '\\d' and '\n' != 'n' and 'it\'s' == " + '"it\'s"').evaluate({}).value is True


def test_words_inside_texts_are_not_respelled() -> None:
    assert (
        Condition.parse("'a && b || !c size(true)' == text").evaluate({"text": "a && b || !c size(true)"}).value is True
    )


def test_conditions_with_the_same_text_are_equal() -> None:
    assert Condition.parse("a > 1") == Condition.parse("a > 1")
    assert len({Condition.parse("a > 1"), Condition.parse("a > 1"), Condition.parse("a > 2")}) == 2
