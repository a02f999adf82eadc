"""The same failure first seen, and again once its draft is active and its cause confirmed: time to the right proposal.

Each fault comes with two seeds to a library that has only what ships; the draft of the last of them is activated and
its cause rated by a person, as one would in the morning; then it comes with two more seeds. Nothing else differs.
"""

from dataclasses import dataclass
from statistics import mean
from typing import Any

from bench.figure import Figure, spread
from bench.scene import Scene, caused, events, found, scene, seconds_to

FAULTS = (
    "db-max-connections",
    "db-lock-contention",
    "db-idle-in-transaction",
    "db-long-running-query",
    "pg-advisory-leak",
)
SEEDS = {"first": (1, 2), "repeat": (3, 4)}
WARM_UP = 2


@dataclass(frozen=True)
class Seen:
    """One incident: seconds from the alert to the question whether to act, if that was the right one."""

    name: str
    seconds: float | None
    looks: int
    probes: int
    confidence: float
    rank: int
    """Of the right cause among all hypotheses, from 1."""
    draft: str


def run() -> list[Figure]:
    taken: dict[str, list[Seen]] = {"first": [], "repeat": []}
    with scene() as here:
        for _ in range(WARM_UP):
            here.until(here.alert()[0], "escalated")
        for fault in FAULTS:
            taken["first"] += [once(here, fault, seed) for seed in SEEDS["first"]]
            learn(here, fault, taken["first"][-1])
            taken["repeat"] += [once(here, fault, seed) for seed in SEEDS["repeat"]]
    return [figure for when, seen in taken.items() for figure in figures(when, seen)]


def once(here: Scene, fault: str, seed: int) -> Seen:
    """One incident, answered with yes where the right cause is asked about, and followed to its end."""
    cause = found(fault).spec.cause
    with caused(here, fault, seed):
        name, began = here.alert(found(fault).spec.alert.symptom)
        asked = here.until(name, "awaiting_approval", "escalated")
        right = asked["status"] == "awaiting_approval" and asked["cause"] == cause
        seconds = seconds_to("approval_requested", asked, began) if right else None
        if right:
            here.answer(asked, "approve")
            asked = here.until(name, "resolved", "escalated")
            if asked["status"] == "resolved":
                asked = here.until_true(name, lambda seen: seen["draft"] is not None)
        elif asked["decision"]:
            here.answer(asked, "deny")
            asked = here.until(name, "escalated")
    return Seen(
        name=name, seconds=seconds, looks=events(asked).count("triage_started"), probes=probes_of(asked),
        confidence=asked["confidence"], rank=rank_of(asked, cause),
        draft=asked["draft"]["id"] if asked["draft"] else "",
    )  # fmt: skip


def learn(here: Scene, fault: str, last: Seen) -> None:
    """What a person does in the morning: confirm the cause, activate the draft."""
    cause = found(fault).spec.cause
    here.call("POST", f"/api/v1/incidents/{last.name}/rate", "ana", {"cause": cause, "helpful": True})
    if not last.draft:
        raise RuntimeError(f"{fault} left no draft at {last.name}")
    here.call("POST", f"/api/v1/fleet/playbooks/{last.draft}/activate", "ana", {"reason": "it worked"})


def probes_of(seen: dict[str, Any]) -> int:
    """How many probes were asked over all looks."""
    return sum(len(line["details"]["answers"]) for line in seen["timeline"] if line["event"] == "triage_started")


def rank_of(seen: dict[str, Any], cause: str) -> int:
    """Where the right cause stood among the hypotheses; behind all of them where nobody thought of it."""
    causes = [each["cause"] for each in seen["hypotheses"]]
    return causes.index(cause) + 1 if cause in causes else len(causes) + 1


def figures(when: str, seen: list[Seen]) -> list[Figure]:
    known = [each.seconds for each in seen if each.seconds is not None]
    note = f"n={len(seen)} incidents of {len(FAULTS)} faults"
    times = [spread(f"{when}: alert to right proposal", known)] if len(known) > 1 else []
    return [
        Figure(f"{when}: right proposals", len(known) / len(seen), "of all", 1.0, "more", note),
        *times,
        Figure(f"{when}: looks per incident, mean", mean(each.looks for each in seen), "looks"),
        Figure(f"{when}: probes asked per incident, mean", mean(each.probes for each in seen), "probes"),
        Figure(f"{when}: rank of the right cause, mean", mean(each.rank for each in seen), "rank"),
        Figure(f"{when}: confidence in it, mean", mean(each.confidence for each in seen), "of 1"),
    ]
