"""What is in effect now: faults that a lab holds, and drills that the desk still follows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ratchet.cli import lab_life
from ratchet.desk.contract import Desk
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.incident import LIVE
from ratchet.lab.ground import KeptGround
from ratchet.lab.keeper import Asked, ask


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


def known_status(home: Path, desk: Desk) -> dict[str, Any]:
    """`caused` by label, `drills` under way by incident, and the entries of visits that did not end well."""
    state = lab_life.living(home)
    caused: dict[str, str] = ask(state, Asked(verb="status")).get("caused", {}) if state is not None else {}
    drills = [each for each in desk.incidents(status=sorted(LIVE), limit=200).items if each.origin == "drill"]
    visits = sorted(str(each) for each in (home / "lab").glob("visit-*/caused/*.json"))
    return {"lab": state is not None, "caused": caused, "drills": [each.id for each in drills], "left": visits}


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
