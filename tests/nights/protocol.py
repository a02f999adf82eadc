"""What the stories of the protocol share: hasty policies, alerts that stay apart, a target that answers when told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ratchet.domain.policy import Policy
from ratchet.wiring import house as wired
from tests.nights.conftest import Night, alertmanager_body

HASTY = {"wait_before": 0.1, "every": 0.3, "sustain": 0.9, "min_samples": 3, "give_up_after": 3.0}


def policy_with(monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], None]) -> None:
    """The shipped policy with something changed, for the next house that is opened."""
    fields = wired.shipped_policy().model_dump(mode="python")
    fields["drill"]["window"] = dict(HASTY)
    change(fields)
    made = Policy.model_validate(fields)
    monkeypatch.setattr(wired, "shipped_policy", lambda: made)


def alert_apart(night: Night, name: str, status: str = "firing", **labels: str) -> str:
    """An alert that never joins another one's incident."""
    body = alertmanager_body(alertname=name, target="shop-db", **labels)
    body["groupKey"] = f"{{}}:{name}"
    body["alerts"][0]["status"] = status
    if status == "resolved":
        body["alerts"][0]["endsAt"] = "2026-11-20T02:30:00Z"
    said = night.call("POST", "/api/v1/sources/alertmanager", "monitor", body)
    assert said[0] == 202, said
    return said[1]["incidents"][0] if said[1]["incidents"] else ""


def say(night: Night, name: str, verb: str, who: str = "ana", **body: str) -> tuple[int, Any]:
    return night.call("POST", f"/api/v1/incidents/{name}/{verb}", who, {"reason": "I look at it", **body})


def pause(night: Night) -> None:
    assert night.call("POST", "/api/v1/automation/pause", "ana", {"reason": "a look first"})[0] == 200


def resume(night: Night) -> None:
    assert night.call("POST", "/api/v1/automation/resume", "ana", {"reason": "go on"})[0] == 200


def events(incident: dict[str, Any]) -> list[str]:
    return [line["event"] for line in incident["timeline"]]


def sentence(incident: dict[str, Any], event: str) -> str:
    """The last sentence of that event."""
    return [line["sentence"] for line in incident["timeline"] if line["event"] == event][-1]


def approved_and_delayed(night: Night, name: str) -> dict[str, Any]:
    """The incident with an approved step that waits for the kill switch."""
    pause(night)
    asked = night.until(name, "awaiting_approval", "escalated")
    assert asked["status"] == "awaiting_approval", asked["handoff"]
    assert night.answer(asked)[0] == 200
    return night.until_true(name, lambda i: "delayed" in events(i))


class Held:
    """An act that was given to the hands and waits there: `begun` is set then, `go` lets it through."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.count = 0


@contextmanager
def held_act(night: Night, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Every act waits between the durable intent and the send until it is let go."""
    hands: Any = vars(night.house)["_hands"]
    real, held = hands.act, Held()

    def act(*args: Any) -> Any:
        held.count += 1
        held.begun.set()
        assert held.go.wait(20)
        return real(*args)

    monkeypatch.setattr(hands, "act", act)
    try:
        yield held
    finally:
        held.go.set()
