"""What a person reads of a judged condition: what was seen and what it was held against, never the path to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.domain.condition import Condition, Trace, Unknown, read

SCOPE = {
    "slots": {"answer": "ok", "rows": 1, "first": {"used": 37, "usable": 40, "max": 43, "note": None, "full": True}},
    "holders": {
        "answer": "ok",
        "rows_data": [
            {"app": "web", "idle": 2, "oldest_idle_s": 3.0},
            {"app": "checkout-svc", "idle": 30, "oldest_idle_s": 812.5},
            {"app": "x (>= 9)", "idle": 1, "oldest_idle_s": 1},
        ],
    },
    "tree": {
        "answer": "ok",
        "rows_data": [
            {"pid": 412, "root": True, "state": "idle in transaction", "blocks": 3, "age_s": None},
            {"pid": 5, "root": False, "state": "active", "blocks": 0, "age_s": 4},
        ],
    },
    "old": {"answer": "ok", "rows_data": [{"slot_name": "nightly", "active": False, "kept_bytes": 99_999_999}]},
    "none": {"answer": "ok", "rows_data": []},
    "lost": Unknown("timed out after 5s"),
    "log": {"first": {"line": "\x1b[31m\u202eFATAL"}},
}


def trace(text: str) -> Trace:
    return Condition.parse(text).evaluate(SCOPE).trace


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "slots.first.used >= slots.first.usable * 0.85 and any(h.idle >= 5 and h.idle >= slots.first.used * 0.5 "
            "and h.oldest_idle_s >= 1 for h in holders.rows_data)",
            ["slots: used 37 (>= 34 = usable * 0.85)",
             "holders: checkout-svc idle 30 (>= 5, >= 18.5 = used * 0.5), oldest idle 812.5 s (>= 1 s); "
             "1 of 3 rows match"],
        ),
        (
            "slots.first.used < 20 or not any(h.idle >= 5 for h in holders.rows_data) or slots.answer == 'refused'",
            ["slots: used 37 (not < 20), answer ok (not refused)",
             "holders: checkout-svc idle 30 (>= 5); 1 of 3 rows match"],
        ),
        (
            "any(b.root and startswith(coalesce(b.state, ''), 'idle in') and b.blocks >= 1 for b in tree.rows_data)",
            ["tree: pid 412 root, state 'idle in transaction' (begins with 'idle in'), blocks 3 (>= 1); "
             "1 of 2 rows match"],
        ),
        (
            "any(b.root and b.state == 'active' and coalesce(b.age_s, 0) >= 2 for b in tree.rows_data)",
            ["tree: none of 2 rows: root and state == active and age >= 2 s"],
        ),
        (
            "any(not s.active and coalesce(s.kept_bytes, 0) >= 67108864 for s in old.rows_data) "
            "and slots.answer == 'ok'",
            ["old: nightly not active, kept 95.37 MiB (>= 64 MiB); 1 of 1 rows match", "slots: answer ok"],
        ),
        ("any(h.idle > 5 for h in none.rows_data)", ["none: no rows"]),
        ("all(h.idle > 0 for h in holders.rows_data)", ["holders: each of 3 rows: idle > 0"]),
        ("all(h.idle > 1 for h in holders.rows_data)", ["holders: 'x (>= 9)' idle 1 (not > 1); 2 of 3 rows hold"]),
        ("lost.rows == 1 and slots.rows == 1", ["lost: unknown (lost: timed out after 5s)"]),
        ("lost.rows == 1 or slots.rows == 1", ["slots: rows 1"]),
        ("10 < slots.first.used < 20", ["slots: used 37 (not 10 < used < 20)"]),
        ("slots.first.max - slots.first.used < 9", ["slots: max - used = 6 (< 9)"]),
        ("slots.answer != 'ok'", ["slots: answer ok"]),
        ("slots.answer != 'hung'", ["slots: answer ok (not hung)"]),
        ("slots.answer in ['refused', 'hung']", ["slots: answer ok (not in refused, hung)"]),
        ("not slots.first.full", ["slots: full"]),
        ("slots.first.full", ["slots: full"]),
        ("exists(slots.first.note)", ["slots: note is not there"]),
        ("slots.first.note == null", ["slots: note null"]),
        ("max(h.oldest_idle_s for h in holders.rows_data if h.idle > 1) >= 60",
         ["holders: max(oldest idle where idle > 1) 812.5 s (>= 60 s)"]),
        ("matches(log.first.line, 'FATAL')", ["log: line '\\x1b[31m\\u202eFATAL' (matches FATAL)"]),
        ("true", ["true"]),
    ],
)  # fmt: skip
def test_the_lines_say_what_was_seen_and_against_what_it_was_held(text: str, lines: list[str]) -> None:
    assert list(read(trace(text))) == lines


def test_an_application_cannot_look_like_a_judgement() -> None:
    rows = {"h": {"answer": "ok", "rows_data": [{"app": "web idle 9 (>= 5); all well", "idle": 30}]}}
    found = Condition.parse("any(x.idle >= 5 for x in h.rows_data)").evaluate(rows).trace
    assert read(found) == ("h: 'web idle 9 (>= 5); all well' idle 30 (>= 5); 1 of 1 rows match",)


def test_the_lines_are_written_from_what_is_kept() -> None:
    whole = trace("any(h.idle >= 5 for h in holders.rows_data) and slots.first.used > 3")
    assert read(Trace.model_validate_json(whole.model_dump_json())) == read(whole)


def test_a_trace_that_is_no_condition_any_more_is_shown_as_it_is() -> None:
    assert read(Trace(text="what ( is this", value=True)) == ("what ( is this  →  true",)


@given(
    st.sampled_from(["slots.first.used", "holders.rows", "lost.x", "log.first.line", "tree.first.age_s", "3", "'a'"]),
    st.sampled_from(["==", "!=", "<", ">=", "in"]),
    st.sampled_from(["[1, 2]", "slots.first.max * 2", "null", "'x\\u202ey'", "lost.y", "-slots.first.used"]),
    st.sampled_from(["{0}", "not ({0})", "{0} and {0}", "not ({0} or {0})", "any({0} for h in holders.rows_data)",
                     "not all({0} for h in none.rows_data)", "(1 if {0} else 2) == 1"]),
)  # fmt: skip
def test_every_condition_has_lines_that_a_terminal_can_show(left: str, sign: str, right: str, around: str) -> None:
    lines = read(trace(around.format(f"{left} {sign} {right}")))
    assert lines
    assert all(line and line.isprintable() for line in lines)
