"""The explanation a person reads at night is short and right."""

import pytest
from pydantic import ValidationError

from ratchet.domain.condition import Condition, Trace, Unknown

SCOPE = {
    "slots": {"rows": 1, "first": {"max": 20, "reserved": 3, "used": 17, "idle": 14, "note": None, "full": True}},
    "stuck": {"rows": 5, "rows_data": [{"pid": pid, "xact_s": age} for pid, age in enumerate((7, 812, 400, 3, 9))]},
    "lost": Unknown("timed out after 5s"),
    "log": {"first": {"line": "x" * 500, "evil": "a\x1b[31m\u202eb"}},
}


def trace(text: str) -> Trace:
    return Condition.parse(text).evaluate(SCOPE).trace


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "slots.first.used >= (slots.first.max - slots.first.reserved) * 0.9",
            "slots.first.used >= (slots.first.max - slots.first.reserved) * 0.9"
            "  →  17 >= (20 - 3) * 0.9  →  17 >= 15.3  →  true",
        ),
        (
            "slots.first.used < 3 or slots.first.idle >= slots.first.used * 0.5",
            "(slots.first.used < 3 → 17 < 3 → false) or (slots.first.idle >= slots.first.used * 0.5 → 14 >= 8.5 → true)"
            "  →  true",
        ),
        ("slots.first.used < 3 and slots.rows == 1", "(slots.first.used < 3 → 17 < 3 → false) and …  →  false"),
        (
            "any(t.xact_s > 300 for t in stuck.rows_data)",
            "any(t.xact_s > 300 for t in stuck.rows_data)  →  2 of 5 rows match, first: t.xact_s = 812  →  true",
        ),
        (
            "not any(t.xact_s > 300 for t in stuck.rows_data if t.pid == 2)",
            "not (any(t.xact_s > 300 for t in stuck.rows_data if t.pid == 2)"
            " → 1 of 5 rows match, first: t.pid = 2, t.xact_s = 400 → true)  →  false",
        ),
        (
            "all(t.xact_s > 5 for t in stuck.rows_data)",
            "all(t.xact_s > 5 for t in stuck.rows_data)"
            "  →  4 of 5 rows hold, first that does not: t.xact_s = 3  →  false",
        ),
        ("lost.rows == 1", "lost.rows == 1  →  unknown == 1  →  unknown (lost: timed out after 5s)"),
        ("lost or true", "(lost → unknown) or (true)  →  true"),
        ("not slots.first.full", "not slots.first.full  →  not true  →  false"),
        ("slots.first.full", "slots.first.full  →  true"),
        ("true", "true"),
        ("len(stuck.rows_data) > 3", "len(stuck.rows_data) > 3  →  5 > 3  →  true"),
        ("exists(slots.first.note)", "exists(slots.first.note)  →  false"),
        ("startswith('ab', 'a')", "startswith('ab', 'a')  →  true"),
        ("slots.first.used in [1, 2]", "slots.first.used in [1, 2]  →  17 in [1, 2]  →  false"),
        ("slots.first.note == null", "slots.first.note == null  →  null == null  →  true"),
        ("10 < slots.first.used < 20", "10 < slots.first.used < 20  →  10 < 17 < 20  →  true"),
        ("slots.first.used / 3 > 1", "slots.first.used / 3 > 1  →  17 / 3 > 1  →  5.66667 > 1  →  true"),
    ],
)
def test_the_line_reads_well(text: str, line: str) -> None:
    assert trace(text).render() == line


def test_digits_are_added_where_rounding_would_make_the_line_lie() -> None:
    assert trace("slots.first.used / 3 == 5.66667").render().endswith("5.666666666666667 == 5.66667  →  false")


def test_long_lists_and_texts_are_cut_and_counted() -> None:
    whole = trace("any(t.xact_s > 300 for t in stuck.rows_data)")
    rows = whole.children[0].value
    assert isinstance(rows, list)
    assert len(rows) == 4
    assert rows[3] == "… 2 more"
    line = trace("log.first.line == 'y'").children[0].value
    assert isinstance(line, str)
    assert len(line) == 80
    assert len(trace("log.first.line == 'y'").render()) < 160


def test_text_from_outside_cannot_move_the_cursor() -> None:
    assert trace("log.first.evil == 'y'").render().isprintable()
    hostile = {"p": Unknown("bad\x1b[2J\nnews"), "s": "\ud800"}
    for text in ("p == 1", "s == '1'"):
        found = Condition.parse(text).evaluate(hostile).trace
        assert found.render().isprintable()
        assert found.model_dump_json()


def test_a_trace_survives_json_and_cannot_be_changed() -> None:
    whole = trace("any(t.xact_s > 300 for t in stuck.rows_data) and slots.first.used > 3 and lost")
    again = Trace.model_validate_json(whole.model_dump_json())
    assert again == whole
    assert again.render() == whole.render()
    assert again.children[2].unknown == "lost: timed out after 5s"
    with pytest.raises(ValidationError):
        whole.text = "other"
