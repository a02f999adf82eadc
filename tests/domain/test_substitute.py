"""Placeholders carry values into arguments without any logic of their own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.domain.duration import parse_duration, show_duration
from ratchet.domain.substitute import Group, Unresolved, placeholders, substitute

SESSIONS = Group([{"pid": 7}, {"pid": 8}], {"id": "7", "name": "api", "values": {"pid": 7}})
SCOPE: dict[str, Any] = {"params": {"keep": "5m", "none": None}, "objects": {"session": SESSIONS}, "target": "shop-db"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ params.keep | seconds }}", 300.0),
        ("older than {{ params.keep }}", "older than 5m"),
        ("{{ objects.session }}", [{"pid": 7}, {"pid": 8}]),
        ("{{ objects.session | count }}", 2),
        ("{{ objects.session.id }}", "7"),
        ("{{ objects.session.values.pid }}", 7),
        ("{{ params.none | default(none) }}", None),
        ("{{ params.missing | default(api) }}", "api"),
        ({"a": ["{{ target }}", 3]}, {"a": ["shop-db", 3]}),
    ],
)
def test_a_placeholder_keeps_the_type_of_what_it_names(text: Any, value: Any) -> None:
    assert substitute(text, SCOPE) == value


@pytest.mark.parametrize("text", ["{{ params.missing }}", "{{ objects.slot.id }}", "{{ target | upper }}"])
def test_what_cannot_be_filled_is_refused_not_left_blank(text: str) -> None:
    with pytest.raises(Unresolved):
        substitute(text, SCOPE)


@given(st.text(max_size=60))
def test_a_value_is_never_read_as_a_placeholder_itself(value: str) -> None:
    assert substitute("{{ params.x }}", {"params": {"x": value}}) == value
    assert substitute("<{{ params.x }}>", {"params": {"x": value}}) == f"<{value}>"


def test_names_of_all_placeholders_are_found() -> None:
    assert placeholders({"a": "{{ params.x | seconds }}", "b": ["{{ objects.table.id }} and {{ target }}"]}) == {
        "params.x", "objects.table.id", "target",
    }  # fmt: skip


@given(st.sampled_from([0.2, 1, 90, 300, 7200, 86400 * 7, 0.05, 1.5]))
def test_a_duration_is_read_back_as_it_was_written(seconds: float) -> None:
    assert parse_duration(show_duration(seconds)) == seconds


@pytest.mark.parametrize("text", ["5 minutes", "", "-3s", "5mm", None, True, "1e3s"])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)
