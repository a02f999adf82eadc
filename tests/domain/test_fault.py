"""What a fault file may say."""

from typing import Any

import pytest
from pydantic import ValidationError

from ratchet.domain.fault import STRENGTHS, Fault

ALERT = {"labels": {"alertname": "ServiceDegraded"}}
BODY: dict[str, Any] = {
    "apiVersion": "ratchet/v1",
    "kind": "Fault",
    "metadata": {"id": "db-slow-disk", "title": "Every write waits for the disk", "aliases": ["pg-slow-disk"]},
    "spec": {
        "series": "pbs_slow_query_triage",
        "needs": ["primary"],
        "cause": "slow_disk",
        "object": {"kind": "target"},
        "alert": {"named": ALERT, "symptom": ALERT, "bare": ALERT},
        "inject": [{"uses": "host.slow_disk"}],
        "undo": [{"uses": "host.fast_disk"}],
        "baseline": [{"uses": "shop.healthy"}],
        "symptom": [{"uses": "shop.failing", "within": "5s"}],
        "ttl": "2m",
        "owner": "user:default/ana",
        "prevention": [{"kind": "alert", "title": "Warn on write latency"}],
    },
}


def test_a_fault_answers_to_its_id_and_its_aliases() -> None:
    fault = Fault.model_validate(BODY)
    assert fault.answers_to("db-slow-disk")
    assert fault.answers_to("pg-slow-disk")
    assert not fault.answers_to("pg-slow")
    assert (fault.spec.ttl, fault.spec.symptom[0].within) == (120.0, 5.0)
    assert {fault.spec.alert.at(strength).labels["alertname"] for strength in STRENGTHS} == {"ServiceDegraded"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("undo", []),
        ("symptom", []),
        ("prevention", []),
        ("owner", "group:default/dba"),
        ("cause", "Slow Disk"),
        ("colour", "red"),
    ],
)
def test_a_fault_without_a_way_back_a_symptom_an_owner_or_a_lesson_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate({**BODY, "spec": {**BODY["spec"], key: value}})
