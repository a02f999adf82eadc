"""What is in effect now: faults that a lab holds, and drills that the desk still follows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ratchet.cli import lab_life
from ratchet.desk.contract import Desk
from ratchet.domain.errors import Code, Refusal, conflict, not_found
from ratchet.domain.incident import LIVE
from ratchet.lab.ground import KeptGround


def own_lab(home: Path) -> KeptGround | None:
    """The lab of this home, if it is up."""
    state = lab_life.living(home)
    return KeptGround(state) if state is not None else None


def known_lab(home: Path) -> KeptGround:
    """The lab of this home; a refusal where it is not up."""
    place = own_lab(home)
    if place is None:
        raise Refusal(
            Code.UNAVAILABLE, "The lab is not up, and faults are left in effect there only.", "ratchet lab up"
        )
    return place


def take_back(home: Path, label: str) -> str:
    """What stays in the lab of this home; with a label, of that fault alone. A refusal where none there bears it."""
    place = own_lab(home)
    if label and (place is None or label not in place.in_effect()):
        if any(each.stem == label for each in _of_visits(home)):
            remedy = "Run a drill with the same --conn: it takes back first what an earlier one left."
            raise conflict(f"{label} is in effect on a server that was visited, and not in the lab.", remedy)
        raise not_found("fault in effect", label, "What is, and under which label: ratchet fault status")
    return place.undo(label) if place is not None else ""


def known_status(home: Path, desk: Desk) -> dict[str, Any]:
    """`caused` by label, `drills` under way by incident, and the entries of visits that did not end well."""
    state = lab_life.living(home)
    caused = KeptGround(state).in_effect() if state is not None else {}
    drills = [each for each in desk.incidents(status=sorted(LIVE), limit=200).items if each.origin == "drill"]
    visits = [str(each) for each in _of_visits(home)]
    return {"lab": state is not None, "caused": caused, "drills": [each.id for each in drills], "left": visits}


def _of_visits(home: Path) -> list[Path]:
    return sorted((home / "lab").glob("visit-*/caused/*.json"))


def answer_of(body: dict[str, Any]) -> Iterator[str]:
    """The same for a person."""
    caused: dict[str, str] = body["caused"]
    yield "The lab is up." if body["lab"] else "The lab is not up."
    for label, fault in caused.items():
        yield f"  caused: {fault} ({label}); take it back: ratchet fault teardown --label {label}"
    for name in body["drills"]:
        yield f"  under way: {name}"
    for place in body["left"]:
        yield f"  left by a visit that did not end well: {place}; run a drill with the same --conn to take it back"
    if not caused and not body["drills"] and not body["left"]:
        yield "Nothing is caused, and no drill is under way."
