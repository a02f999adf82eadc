"""What the demo is made of: a body that a real source takes, marks for what customers met, an honest outcome."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ratchet.cli.demo.alert import alertmanager_body
from ratchet.cli.demo.next_steps import to_type, way_to_program, with_server
from ratchet.cli.demo.outcome import Outcome, Proof, exit_code
from ratchet.cli.demo.shop_strip import half_seconds, in_words
from ratchet.cli.demo.teller import Teller
from ratchet.desk.views import DraftView
from ratchet.domain.target import HostControl
from ratchet.gateway.sources.alertmanager import parse
from ratchet.lab.catalog import load_catalog
from ratchet.lab.lab import Endpoint
from ratchet.lab.shop import Request, ShopSample

NOW = datetime(2026, 11, 20, 2, 3, 4, tzinfo=UTC)
PLACE = Endpoint("shop-db", "127.0.0.1:5432/shop", "secret", "secret", HostControl(pg_ctl="p", pg_data="d", run_as="u"))


@pytest.mark.parametrize("fault", load_catalog().faults.values(), ids=lambda fault: fault.id)
def test_the_body_is_one_that_alertmanager_sends_and_names_no_cause(fault):
    (alert,) = parse(json.dumps(alertmanager_body(fault, PLACE, NOW)).encode())
    assert alert.starts_at == NOW
    assert alert.ends_at is None
    assert alert.labels["ratchet_drill"] == fault.id
    assert alert.labels["instance"] == "127.0.0.1:5432"
    assert fault.spec.cause not in alert.text()


def test_half_seconds_tell_served_failed_and_silent():
    requests = [Request(10.1, "checkout", 5), Request(10.6, "checkout", 5), Request(10.7, "reports", 5, "refused")]
    assert half_seconds(requests, 10.0, 11.6) == ["served", "failed", "silent"]


def test_a_sample_in_words():
    assert in_words(ShopSample(9.3, 0, 12.2, "", 3)) == "9.3 requests served per second, none failed, 95 % within 12 ms"
    assert in_words(ShopSample(0, 4, 0, "x", 3)) == "0.0 requests served per second, 4.0 failed"


def outcome(**other) -> Outcome:
    known = {
        "fault": "f", "incident": "INC-1", "cause": "c", "confidence": 0.9, "probes": 24, "triage_seconds": 0.2,
        "grant_to_effect_seconds": 0.1, "recovered": True, "verification": Proof(samples=7, sustained_seconds=3.1),
        "draft": None, "untouched_bystanders": True,
    }  # fmt: skip
    return Outcome(**{**known, **other})


@pytest.mark.parametrize(
    ("recovered", "status", "answer", "code"),
    [
        (True, "resolved", "approved", 0), (False, "resolved", "approved", 5), (False, "escalated", "approved", 6),
        (False, "held", "superseded", 6), (False, "acting", "approved", 5), (False, "escalated", "denied", 3),
    ],
)  # fmt: skip
def test_the_exit_code_says_how_it_ended(recovered, status, answer, code):
    view: Any = SimpleNamespace(status=status, decision=SimpleNamespace(state=answer))
    assert exit_code(outcome(recovered=recovered), view) == code


def test_the_object_has_the_keys_that_programs_read():
    assert set(outcome().model_dump()) == {
        "fault", "incident", "cause", "confidence", "probes", "triage_seconds", "grant_to_effect_seconds", "recovered",
        "verification", "draft", "untouched_bystanders",
    }  # fmt: skip


def test_the_story_in_a_pipe_is_plain_lines():
    stream = StringIO()
    teller = Teller(stream)
    teller.part("The fault")
    teller.fact("SHOP", "\x1b[31mwell")
    teller.strip("SHOP", ["served", "failed", "silent"])
    with teller.busy("waiting") as moving:
        moving("still")
    said = stream.getvalue()
    assert "\x1b" not in said
    assert "== The fault (" in said
    assert said.splitlines()[-1].split() == ["SHOP", "+x."]


def test_the_lines_to_type_begin_with_the_way_to_the_program_only_where_a_shell_finds_none():
    beside = Path("/srv/ratchet/.venv/bin/ratchet")
    assert list(way_to_program(None, beside)) == ['export PATH="/srv/ratchet/.venv/bin:$PATH"']
    assert list(way_to_program("/usr/bin/ratchet", beside)) == []
    assert list(way_to_program(None, Path("/usr/bin/python3"))) == []


def test_what_to_type_after_a_demo_is_eight_lines_at_most():
    stage: Any = SimpleNamespace(
        url="http://127.0.0.1:8080", approver_token="rtk_x", home="/srv/home", fault="db-other"
    )
    view: Any = SimpleNamespace(id="INC-1", fault="db-other")
    draft = DraftView(id="pb_faulttest_1", series="pbs_x", version="1.1")
    way = list(way_to_program(None, Path("/srv/ratchet/.venv/bin/ratchet")))
    kept = [*way, *with_server(stage, view, outcome(draft=draft))]
    assert len(kept) <= 8
    assert any("pb_faulttest_1/activate" in line for line in kept)
    assert len([*way, *to_type(view)]) <= 8
    after_a_no = list(with_server(stage, view, outcome(recovered=False)))
    assert any(line.startswith("ratchet incident take INC-1 ") for line in after_a_no)
