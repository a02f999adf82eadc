"""The parser alone: bytes in, alerts or one refusal out."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.domain.errors import Code, Refusal
from ratchet.gateway.sources.alertmanager import LONGEST_VALUE, MARKER, MOST_LABELS, parse
from tests.gateway.bodies import alert, webhook


def read(body: Any) -> list[Any]:
    return parse(json.dumps(body).encode())


def mistakes(body: bytes) -> list[str]:
    with pytest.raises(Refusal) as refused:
        parse(body)
    assert refused.value.code is Code.INVALID
    return [mistake.where for mistake in refused.value.mistakes]


def test_a_firing_alert_keeps_its_words_and_has_no_end():
    [found] = read(webhook())
    assert found.source == "alertmanager"
    assert found.fingerprint == "c6eadffa33fcdf37"
    assert found.starts_at == datetime(2026, 11, 20, 2, 3, 4, 467858, tzinfo=UTC)
    assert found.ends_at is None
    assert found.status == "firing"
    assert found.labels["instance"] == "db-1"
    assert found.group_key == '{}:{alertname="PostgresqlTooManyConnections"}'


def test_each_alert_has_its_own_status_whatever_the_group_says():
    resolved = alert(status="resolved", endsAt="2026-11-20T02:13:04Z", fingerprint="aa")
    found = read(webhook(alert(), resolved, status="firing"))
    assert [a.status for a in found] == ["firing", "resolved"]
    assert found[1].ends_at == datetime(2026, 11, 20, 2, 13, 4, tzinfo=UTC)


def test_one_moment_written_in_two_zones_is_one_occurrence():
    [here] = read(webhook(alert(startsAt="2017-08-03T15:17:37.804-04:00")))
    [there] = read(webhook(alert(startsAt="2017-08-03T19:17:37.804Z")))
    assert here.key == there.key


def test_an_older_sender_without_fingerprint_gets_a_stable_one():
    bare = {key: value for key, value in alert().items() if key not in ("fingerprint", "endsAt")}
    [one] = read(webhook(bare))
    [again] = read(webhook(bare))
    [other] = read(webhook({**bare, "labels": {"alertname": "Other"}}))
    assert one.fingerprint == again.fingerprint != other.fingerprint
    assert len(one.fingerprint) == 16


def test_unknown_keys_are_ignored_everywhere():
    [found] = read(webhook(alert(values={"A": 1}), orgId=1, title="x"))
    assert found.name == "PostgresqlTooManyConnections"


def test_missing_keys_are_named_all_at_once():
    assert mistakes(b"{}") == ["version", "alerts"]
    assert mistakes(json.dumps({"alerts": []}).encode()) == ["version"]
    assert mistakes(json.dumps({"version": "4"}).encode()) == ["alerts"]


def test_every_wrong_field_is_named_with_its_place():
    body = webhook(alert(startsAt="yesterday"), alert(labels=[], status="odd"), alert(endsAt="later"), 7)  # type: ignore[arg-type]
    found = mistakes(json.dumps(body).encode())
    assert found == ["alerts[0].startsAt", "alerts[1].labels", "alerts[1].status", "alerts[2].endsAt", "alerts[3]"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"[" * 100_000,
        b'{"version": "4", "alerts": NaN}',
        b'{"version": "4", "alerts": [], "x": Infinity}',
        b'{"version": "4", "alerts": [], "x": 1e999}',
        b'{"version": "4", "alerts": [], "x": ' + b"9" * 5000 + b"}",
        b'{"version": "4", "alerts": {}}',
        b'{"version": "1", "alerts": []}',
        b'{"version": 4, "alerts": []}',
        b'\xff\xfe\x00{"version"',
    ],
    ids=["empty", "text", "list", "deep", "nan", "infinity", "1e999", "long-int", "dict", "grafana", "int", "utf16"],
)
def test_garbage_is_refused_and_never_breaks_the_parser(body: bytes):
    mistakes(body)


def test_a_huge_value_is_cut_with_a_marker_and_its_size():
    [found] = read(webhook(alert(labels={"alertname": "A", "big": "x" * 1_000_000})))
    assert found.labels["alertname"] == "A"
    assert len(found.labels["big"]) < LONGEST_VALUE + 100
    assert found.labels["big"].endswith("...[truncated: 1000000 characters]")


def test_ten_thousand_labels_leave_those_that_say_what_and_where():
    many = {f"l{n}": str(n) for n in range(10_000)}
    [found] = read(webhook(alert(labels={**many, "instance": "db-1", "alertname": "A"})))
    assert len(found.labels) == MOST_LABELS + 1
    assert (found.labels["alertname"], found.labels["instance"]) == ("A", "db-1")
    assert found.labels[MARKER] == "9802 more were left out"


def test_characters_that_no_database_keeps_are_replaced():
    [found] = parse(json.dumps(webhook(alert(labels={"alertname": "a\0b\ud800c"}))).encode())
    assert found.name == "a\ufffdb?c"
    found.model_dump_json().encode("utf-8")


def test_what_the_sender_left_out_is_recorded():
    [found] = read(webhook(truncatedAlerts=17))
    assert found.annotations[MARKER] == "the sender left 17 alerts of this group out"


def test_values_that_are_not_text_are_kept_as_json():
    [found] = read(webhook(alert(labels={"alertname": "A", "level": 1, "on": True, "x": None})))
    assert found.labels == {"alertname": "A", "level": "1", "on": "true", "x": "null"}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_json | st.builds(webhook, st.dictionaries(st.sampled_from(sorted(alert())), _json)))
def test_any_json_is_read_or_refused_and_nothing_else(body: Any):
    try:
        found = read(body)
    except Refusal:
        return
    assert all(one.model_dump_json().encode("utf-8") for one in found)
