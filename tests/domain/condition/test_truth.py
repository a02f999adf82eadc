"""What a condition answers, rule by rule."""

import pytest

from ratchet.domain.condition import Condition, Unknown

SCOPE = {
    "slots": {
        "answer": "ok", "available": True, "age_s": 0.4, "rows": 1,
        "first": {"max": 20, "reserved": 3, "used": 17, "idle": 14, "idle_in_tx": 0, "note": None, "full": True},
        "rows_data": [{"max": 20, "reserved": 3, "used": 17, "idle": 14}],
    },
    "stuck": {
        "rows": 3, "first": {"pid": 11, "xact_s": 812, "app": "shop"},
        "rows_data": [
            {"pid": 11, "xact_s": 812, "app": "shop", "writes": False},
            {"pid": 12, "xact_s": 5, "app": "jobs", "writes": True},
            {"pid": 13, "xact_s": None, "app": "shop", "writes": False},
        ],
    },
    "none": {"rows": 0, "first": None, "rows_data": []},
    "lost": Unknown("timed out after 5s"),
    "down": {"answer": "refused", "available": False, "age_s": 1.0, "rows": 0, "first": None, "rows_data": []},
    "gap": {"available": False, "rows": Unknown("slots on shop: hung"), "first": Unknown("slots on shop: hung")},
    "text": "FATAL: remaining connection slots are reserved",
    "half": {"a": 1, "b": Unknown("masked")},
}  # fmt: skip


def answer(text: str) -> bool | None:
    return Condition.parse(text).evaluate(SCOPE).value


def reason(text: str) -> str:
    verdict = Condition.parse(text).evaluate(SCOPE)
    assert verdict.value is None, verdict.trace.render()
    assert verdict.reason
    return verdict.reason


def value(text: str) -> object:
    return Condition.parse(text).value(SCOPE)


@pytest.mark.parametrize(
    "text",
    [
        "slots.first.used >= (slots.first.max - slots.first.reserved) * 0.9",
        "slots.first.used >= (slots.first.max - slots.first.reserved) * 0.9 and slots.first.idle >= 8.5",
        "any(t.xact_s > 300 for t in stuck.rows_data)",
        "any(t.xact_s > 300 for t in stuck.rows_data if t.app == 'shop')",
        "any([t.xact_s > 300 for t in stuck.rows_data])",
        "not all(t.xact_s > 300 for t in stuck.rows_data)",
        "all(t.xact_s > 300 for t in none.rows_data)",
        "not any(t.x for t in none.rows_data)",
        "slots.first.full",
        'slots["first"]["used"] == 17',
        "stuck.rows_data[0].pid == 11 and stuck.rows_data[-1].pid == 13",
        "0 < slots.first.used <= 17 != 18",
        "17 in [16, 17] and 18 not in (16, 17) and 'slots' in text and 'used' in slots.first",
        "slots.first.used == 17.0 and 7 // 2 == 3 and 7 % 2 == 1 and 7 / 2 == 3.5 and -(3) == 0 - 3",
        "2 + 3 * 4 == 14 and 10 - 4 - 3 == 3 and -2 * -3 == 6",
        "slots.first.note == null and none.first == null and null == null and slots.first.used != null",
        "1 != '1' and [1, 2] == [1, 2] and [1] != [2] and slots.first != null",
        "(slots.rows == 2 or slots.rows == 1) and not slots.rows == 2",
        "true if slots.rows == 1 else false",
        "'a' + 'b' == 'ab' and [1] + [2] == [1, 2] and 'a' < 'b'",
        "slots.first.used > 3 && !(slots.rows == 2) || false",
        "!slots.first.full == false",
        "size(stuck.rows_data) == 3 && True && None == null && !False",
        "slots.first.used\n  > 3",
    ],
)
def test_these_are_true(text: str) -> None:
    verdict = Condition.parse(text).evaluate(SCOPE)
    assert verdict.value is True, verdict.reason
    assert verdict.reason == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("slots.first.usd > 3", "slots.first has no key 'usd'"),
        ("slotz.first.used > 3", "no evidence named slotz"),
        ("none.first.used > 3", "none.first is null"),
        ("slots.first.used.deep > 3", "slots.first.used is a number"),
        ("stuck.rows_data[7].pid == 1", "only 3 elements"),
        ("lost.first.used > 3", "timed out after 5s"),
        ("lost == null", "timed out after 5s"),
        ("half.b == 1", "half.b: masked"),
        ("down.rows == 0", "down is not available"),
        ("gap.first.used == 0", "slots on shop: hung"),
        ("slots.first.note > 3", "slots.first.note is null"),
        ("slots.first.note + 3 > 3", "slots.first.note is null"),
        ("null in [1]", "null"),
        ("1 in slots.first.note", "slots.first.note is null"),
        ("slots.first.used / 0 > 1", "division by zero"),
        ("slots.first.used // (slots.rows - 1) > 1", "division by zero"),
        ("slots.first.used % 0 > 1", "division by zero"),
        ("slots.first.used > '3'", "cannot be compared"),
        ("slots.first.used + text == 1", "not arithmetic"),
        ("slots.first.full > 0", "cannot be compared"),
        ("slots.first.full == 1", "truth value"),
        ("slots.first.full + 1 == 2", "not arithmetic"),
        ("slots.first.used", "a number (17), not a truth value"),
        ("null", "null, not a truth value"),
        ("slots.first.used and true", "not a truth value"),
        ("not slots.first.note", "not a truth value"),
        ("5 if lost else 6", "timed out"),
        ("any(t.xact_s > 5000 for t in stuck.rows_data)", "t.xact_s is null"),
        ("all(t.xact_s > 3 for t in stuck.rows_data)", "t.xact_s is null"),
        ("any(t.nope for t in stuck.rows_data)", "no key 'nope'"),
        ("sum(t.xact_s for t in stuck.rows_data) > 3", "null"),
        ("any(t for t in slots.first)", "not a list"),
        ("[1] < [2]", "cannot be compared"),
        ("1e300 * 1e300 > 1", "finite"),
        ("9e18 > 'x' or 1 > null", "compared"),
    ],
)
def test_these_are_unknown_and_say_why(text: str, why: str) -> None:
    assert why in reason(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lost or true", True), ("true or lost", True), ("lost and false", False), ("false and lost", False),
        ("lost or false", None), ("lost and true", None), ("not lost", None), ("lost and lost", None),
        ("missing or true", True), ("missing and false", False),
        ("1 < lost < 0", None), ("3 < 2 < lost", False), ("lost < 3 < 2", False),
        ("any([lost, true])", True), ("any([lost, false])", None), ("all([lost, false])", False),
        ("all([lost, true])", None), ("any([])", False), ("all([])", True),
        ("1 in [lost, 1]", True), ("1 in [lost, 2]", None), ("[lost, 1] == [1, 2]", False),
        ("[lost, 1] == [1, 1]", None),
        ("any(true for t in [1, 2] if lost)", None), ("all(false for t in [1, 2] if lost)", None),
        ("any(t == 2 for t in [1, 2] if t == 1 or lost)", None), ("any(false for t in [1] if lost)", False),
    ],
)  # fmt: skip
def test_unknown_follows_kleene(text: str, expected: bool | None) -> None:
    assert answer(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("len('abc')", 3), ("len(slots.first)", 7), ("len(t for t in stuck.rows_data if t.app == 'shop')", 2),
        ("min(3, 1, 2)", 1), ("max([3, 1, 2])", 3), ("max('a', 'b')", "b"),
        ("min(t.pid for t in stuck.rows_data)", 11), ("sum(t.pid for t in stuck.rows_data)", 36), ("sum([])", 0),
        ("abs(-3)", 3), ("round(2.567, 1)", 2.6), ("round(2.6)", 3), ("lower('ÄB')", "äb"),
        ("contains(text, 'slots')", True), ("contains([1, 2], 2)", True), ("startswith(text, 'FATAL')", True),
        ("duration('5m')", 300), ("duration('2h') + duration('7d')", 612000), ("duration(90)", 90),
        ("number(' 42 ')", 42), ("number('4.5e1')", 45.0), ("number(7)", 7),
        ("first([4, 5])", 4), ("first([])", None), ("first(t.pid for t in stuck.rows_data if t.writes)", 12),
        ("first(t for t in stuck.rows_data if t.pid == 12).app", "jobs"),
        ("coalesce(slots.first.note, 5)", 5), ("coalesce(lost, 5)", 5), ("coalesce(null, null)", None),
        ("coalesce(slots.first.nope, slots.first.used)", 17),
        ("exists(slots.first.used)", True), ("exists(slots.first.note)", False), ("exists(slots.first.nope)", False),
        ("exists(none.first.used)", False), ("exists(stuck.rows_data[9])", False),
        ("stuck.first", {"pid": 11, "xact_s": 812, "app": "shop"}), ("[1, (2, 3)]", [1, [2, 3]]),
        ("matches(text, 'too many clients|connection slots are reserved')", True),
    ],
)  # fmt: skip
def test_functions(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected) or "duration" in text


@pytest.mark.parametrize(
    "text",
    [
        "exists(lost.first)", "exists(down.rows)", "exists(nowhere.first)", "len(slots.first.note)", "len(5)",
        "abs('a')",
        "abs(true)", "min([])", "max([1, 'a'])", "max([1, null])", "sum(['a'])", "lower(5)", "startswith(5, 'a')",
        "number('12a')", "number(true)", "number('1e999')", "duration(slots.first.note)", "duration(text)",
        "coalesce(lost, null)", "first(lost)", "first('abc')", "contains(5, 'a')", "matches(5, 'a')",
        "matches(text, text + '(')",
        "round(1, 99)", "round(1, -1)", "half", "len([1, lost])", "9e18 * 9e18 * 9e18 * 1e300 * 1e300",
        "1 if lost else 1",
        "4611686018427387904 * 4611686018427387904 * 4611686018427387904",
    ],
)  # fmt: skip
def test_functions_answer_unknown_rather_than_raise(text: str) -> None:
    assert isinstance(value(text), Unknown)


def test_an_unavailable_probe_still_says_that_it_is_unavailable() -> None:
    assert answer("down.available") is False
    assert answer("down.available and down.rows == 0") is False
    assert answer("down.answer == 'refused' and down.age_s == 1") is True


def test_a_list_whose_tail_was_not_kept_proves_presence_and_never_absence() -> None:
    scope = {"top": {"rows_data": [{"n": 5}, {"n": 1}, Unknown("rows after the second were not kept")]}}
    assert Condition.parse("any(t.n > 3 for t in top.rows_data)").evaluate(scope).value is True
    assert Condition.parse("any(t.n > 9 for t in top.rows_data)").evaluate(scope).value is None
    assert Condition.parse("len(top.rows_data) == 3").evaluate(scope).value is None


@pytest.mark.parametrize(
    "odd", [float("nan"), float("inf"), 10**5000, {1, 2}, b"x", object()], ids=lambda odd: type(odd).__name__
)
def test_values_that_are_not_json_are_unknown_and_still_explained(odd: object) -> None:
    scope: dict = {"p": {"first": {"v": odd}, "rows_data": [{"v": odd}]}}
    for text in (
        "p.first.v == 1",
        "p.first == 1",
        "any(t.v == 1 for t in p.rows_data)",
        "any(t == 1 for t in p.rows_data)",
    ):
        verdict = Condition.parse(text).evaluate(scope)
        assert verdict.value is not True
        assert verdict.trace.model_dump_json()
        assert verdict.trace.render()
    assert isinstance(Condition.parse("p").value(scope), Unknown)


def test_the_budget_stops_a_million_pairs_quickly() -> None:
    scope = {"p": {"rows_data": [{"n": number} for number in range(1000)]}, "big": list(range(1_000_000))}
    for text in (
        "any(t.n in big for t in p.rows_data if t.n < 0 or t.n + 1000000 in big)",
        "big == big",
        "sum(big) > 1",
    ):
        verdict = Condition.parse(text).evaluate(scope)
        assert verdict.value is None
        assert "budget of 20000 steps" in verdict.reason
    assert Condition.parse("slots.rows == 1 or true").evaluate(SCOPE, budget=2).value is None
