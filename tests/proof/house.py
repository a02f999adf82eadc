"""A Ratchet for the kill harness: real store, engine, hands and PostgreSQL; only triage is cut short."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from ulid import ULID

from ratchet.domain.errors import Refusal
from ratchet.domain.evidence import Evidence
from ratchet.domain.hypothesis import Conclusion, Hypothesis
from ratchet.domain.incident import Incident
from ratchet.domain.playbook import Playbook
from ratchet.domain.policy import Policy
from ratchet.domain.series import Seeded, Version
from ratchet.domain.target import SecretRef, Target
from ratchet.domain.timeline import Looked
from ratchet.execution.engine import Engine, Parts
from ratchet.execution.packets import Asking
from ratchet.execution.pen import At, nowhere
from ratchet.execution.perform import Performer
from ratchet.execution.planner import Planner
from ratchet.execution.restart import void_approvals
from ratchet.execution.undo import Undoing
from ratchet.execution.worker import Worker
from ratchet.security.redact import Redactor
from ratchet.security.secrets import Secret
from ratchet.store.store import EventStore
from ratchet.tools.postgres.probes import ProbeShelf
from ratchet.tools.registry import Hands
from ratchet.wiring.clock import SteadyClock
from tests.proof.counting import CountOnce

DEADLINE = 0.8
STEP = {
    "title": "Count once", "uses": "postgres.count_once", "effect": "disruptive", "preview": {"require": "true"},
    "args": {"mark": "{{ alert.labels.mark }}"}, "timeout": DEADLINE, "cooldown": 0, "rollback": {"possible": False},
    "risk": {"blast_radius": "one", "user_impact": "none", "data_risk": "none"},
}  # fmt: skip
BOOK = Playbook.model_validate({
    "apiVersion": "ratchet/v1", "kind": "Playbook",
    "metadata": {"series": "pbs_count", "version": "1.0", "title": "Something to count", "name": "Count"},
    "spec": {
        "symptoms": ["x"], "probes": {"p": {"uses": "postgres.ping"}}, "steps": {"count": STEP},
        "triage": {"hypotheses": [{
            "id": "one", "title": "x", "cause": "x", "likelihood": 0.5, "confirm": "true", "refute": "false",
            "then": ["count"],
        }]},
        "verify": {
            "wait_before": 0, "every": 0.01, "sustain": 0.01, "min_samples": 2, "give_up_after": 30,
            "criteria": [{"id": "answers", "probe": "p", "expect": "p.available"}],
        },
        "escalation": {"to": "user:default/ana", "ask": "what now, please?"},
    },
})  # fmt: skip
EFFECTS = ("read", "reversible", "disruptive", "destructive")
POLICY = Policy.model_validate({"effects": {effect: {"quorum": 1, "expires": 600} for effect in EFFECTS}})
VERSION = Version(
    id="v-count", series="pbs_count", version="1.0", name="x", title="x", source="system", text="x",
    digest="sha256:count", created_at=datetime(2026, 1, 1, tzinfo=UTC), created_by="ratchet",
)  # fmt: skip
LEADING = Hypothesis(
    id="one", playbook="pbs_count@1.0", version_id="v-count", title="x", cause="x", verdict="confirmed", prior=0.5,
    confidence=0.9, then=("count",),
)  # fmt: skip


@dataclass(frozen=True)
class Site:
    """Where the state lies and how the target is reached."""

    home: Path
    diag: str
    act: str
    targets: int


class Shelf:
    def candidates(self, kind: str) -> list[tuple[Version, Playbook]]:
        return []

    def left_out(self) -> list[Refusal]:
        return []

    def version(self, version_id: str) -> tuple[Version, Playbook]:
        return VERSION, BOOK


class Triage:
    def look(self, incident: Incident) -> tuple[Looked, list[Evidence]]:
        return Looked(candidates=("x",), evidence=(), answers={}, elapsed_ms=1.0), []

    def conclude(self, incident: Incident, evidence: Sequence[Evidence]) -> Conclusion:
        return Conclusion(outcome="cause", cause="x", hypotheses=(LEADING,), chosen=0, why="so")


def new_id() -> str:
    return str(ULID())


def open_state(site: Site) -> tuple[EventStore, SteadyClock]:
    """As `wiring` opens it."""
    clock = SteadyClock(site.home / "clock")
    store = EventStore.open_at(site.home, clock, new_id)
    if clock.never_before(store.high_water()):
        void_approvals(store, clock)
    return store, clock


def begin(site: Site) -> None:
    """A new state with its targets, all behind one server, each a conflict group of its own."""
    site.home.mkdir(parents=True)
    store, _ = open_state(site)
    with store:
        for number in range(site.targets):
            diag, act = (SecretRef(kind="env", name=role) for role in ("diag", "act"))
            target = Target(name=f"db{number}", kind="postgres", tags=("chaos",), diag=diag, act=act)
            store.put_target(target, "proof")
        store.commit_series(store.series("pbs_count"), Seeded(version=VERSION, active=True), by="ratchet")


PROBES: list[ProbeShelf] = []
"""Read once before the first fork."""


def hands_for(site: Site, store: EventStore, clock: SteadyClock) -> Hands:
    if not PROBES:
        PROBES.append(ProbeShelf.load([files("ratchet.library") / "probes" / "postgres"]))
    secrets = {"diag": Secret(site.diag), "act": Secret(site.act)}
    hands = Hands(store.targets, PROBES[0], lambda ref: secrets[ref.name], Redactor([], os.urandom(16)), clock)
    hands._tools[CountOnce.spec.name] = CountOnce()
    return hands


def worker_for(
    store: EventStore, clock: SteadyClock, hands: Any, at: At = nowhere, policy: Policy = POLICY
) -> tuple[Worker, Engine]:
    engine = Engine(
        Parts(
            store=store, shelf=Shelf(), toolbox=hands, investigator=Triage(), planner=Planner(hands, policy),
            asking=Asking(hands, clock, new_id), undoing=Undoing(hands, clock, new_id),
            performer=Performer(hands, store, clock, policy, at), draft=lambda incident: None, targets=store.targets,
            clock=clock, at=at,
        )
    )  # fmt: skip
    return Worker(engine, store, clock, lanes=4), engine
