"""Where drills are run: the lab that is up, or one of this line's own; with a desk that works."""

import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import typer

from ratchet.cli import lab_life
from ratchet.cli.road import given_by, road, settings_of
from ratchet.config import Settings
from ratchet.desk.contract import Desk
from ratchet.domain.fault import Fault
from ratchet.lab.ground import FaultGround, KeptGround
from ratchet.lab.keeper import LabState
from ratchet.lab.lab import NAMES
from ratchet.lab.pooler import find_pooler

ALONE = "alone"


@dataclass(frozen=True)
class Stand:
    """A ground to cause faults on, the desk that looks after it, and the target that it is to the desk."""

    place: FaultGround
    desk: Desk
    target: str
    settings: Settings


def groups(faults: Sequence[Fault]) -> list[list[Fault]]:
    """The faults by the kind of lab that they need: with everything first, then a primary all alone."""
    together = [fault for fault in faults if ALONE not in fault.spec.needs]
    lonely = [fault for fault in faults if ALONE in fault.spec.needs]
    return [group for group in (together, lonely) if group]


@contextmanager
def stand(context: typer.Context, faults: Sequence[Fault], say: Callable[[str], None]) -> Generator[Stand]:
    """The lab that is up; else one with all that these faults need, taken down at the end."""
    settings = settings_of(given_by(context))
    with ExitStack() as last:
        state = lab_life.living(settings.home)
        own = state is None
        if state is None:
            say("no lab is up; starting one for this run")
            state = lab_life.start(settings.home, secrets.randbelow(1000), _parts(faults))
            last.callback(lab_life.take_down, settings.home, state)
        here = last.enter_context(road(context, at_work=True))
        if own or not _registered(here.desk, state):
            lab_life.register(here.desk, state, f"user:default/{settings.operator}")
        yield Stand(KeptGround(state), here.desk, NAMES["primary"], settings)


def _parts(faults: Sequence[Fault]) -> list[str]:
    """What a lab of our own is made with: all there is, unless a fault must have its primary alone."""
    if any(ALONE in fault.spec.needs for fault in faults):
        return []
    needs = {need for fault in faults for need in fault.spec.needs}
    pooler = ["pgbouncer"] if "pgbouncer" in needs and find_pooler() is not None else []
    return (["replica"] if "replica" in needs else []) + pooler


def _registered(desk: Desk, state: LabState) -> bool:
    known = {target.name: target.address for target in desk.targets()}
    return all(known.get(name) == address for name, address in state.addresses.items())
