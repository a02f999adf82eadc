"""A failure that no playbook knows, mended by a person; and the same again once that person's playbook is active.

The series that knows these failures is retired first. What the person writes into the draft's blanks is the text that
ships; everything else (handover, all-clear, draft from the record, another person's leave, the next alert) is not.
"""

from dataclasses import dataclass
from importlib.resources import files

from bench.figure import Figure, spread
from bench.repeat import once
from bench.scene import Scene, caused, events, found, scene, seconds_to

FAULTS = ("db-max-connections", "db-lock-contention", "pg-advisory-leak")
SEEDS = (1, 2, 3)
KNOWS = "pbs_connection_triage"
BODY = "\nspec:\n"
WARM_UP = 2


@dataclass(frozen=True)
class Unknown:
    """An incident that nobody had a playbook for: seconds from the alert to the person who is asked, and the looks."""

    seconds: float
    looks: int
    proposed: bool
    """Whether anything was proposed all the same."""
    draft: str


def run() -> list[Figure]:
    with scene() as here:
        here.tokens["bo"] = here.house.desk(here.house.operator()).make_token("bo", person=True, role="approver").text
        here.call("POST", f"/api/v1/fleet/playbooks/{KNOWS}/retire", "ana", {"reason": "a library without it"})
        for _ in range(WARM_UP):
            here.until(here.alert()[0], "escalated")
        first = [by_hand(here, fault) for fault in FAULTS]
        learn(here, first[-1].draft)
        again = [once(here, fault, seed) for fault in FAULTS for seed in SEEDS[1:]]
    known = [each.seconds for each in again if each.seconds is not None]
    note = f"{len(FAULTS)} faults, {len(again)} repeats"
    handed = sum(not each.proposed for each in first) / len(first)
    return [
        Figure("unknown: handed to a person", handed, "of all", 1.0, "more", note),
        spread("unknown: alert to handover", [each.seconds for each in first]),
        Figure("unknown: looks per incident, mean", sum(each.looks for each in first) / len(first), "looks"),
        Figure("learned: right proposals", len(known) / len(again), "of all", 1.0, "more", note),
        spread("learned: alert to right proposal", known),
        Figure("learned: looks per incident, mean", sum(each.looks for each in again) / len(again), "looks"),
    ]


def by_hand(here: Scene, fault: str) -> Unknown:
    """Handed over, mended by a person, told over by the monitor; what it left as a draft."""
    with caused(here, fault, SEEDS[0]):
        name, began = here.alert(found(fault).spec.alert.symptom)
        seen = here.until(name, "escalated", "awaiting_approval")
        seconds = seconds_to("escalated", seen, began) if seen["status"] == "escalated" else 0.0
        here.call("POST", f"/api/v1/incidents/{name}/take", "bo", {"reason": "nobody else knows it"})
        here.call("POST", f"/api/v1/incidents/{name}/note", "bo", {"text": "Ended the sessions that were in the way."})
    here.over()
    said = {"cause": found(fault).spec.cause, "reason": "The sessions that were in the way are ended."}
    here.call("POST", f"/api/v1/incidents/{name}/resolve", "bo", said)
    draft = here.call("POST", "/api/v1/fleet/playbooks/from-trace", "bo", {"incident": name})
    return Unknown(seconds, events(seen).count("triage_started"), seen["status"] != "escalated", draft["id"])


def learn(here: Scene, draft: str) -> None:
    """The person fills the draft's blanks with what ships, and another person lets it become active."""
    made = here.call("GET", f"/api/v1/fleet/playbooks/{draft}")
    ours = files("ratchet.library").joinpath(f"playbooks/{KNOWS}.playbook.yaml").read_text("utf-8")
    text = made["text"][: made["text"].index(BODY)] + ours[ours.index(BODY) :]
    path = f"/api/v1/fleet/playbooks/{draft}"
    here.call("PUT", path, "bo", {"text": text})
    here.call("PUT", path, "bo", {"owner": "user:default/bo"})
    digest = here.call("GET", path)["digest"]
    here.call("POST", f"{path}/activate", "ana", {"reason": "read it", "digest": digest})
