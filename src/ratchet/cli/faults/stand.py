"""Where drills are run: the lab that is up, one of this line's own, or a server of others; with a desk that works."""

import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import typer

from ratchet.cli import lab_life
from ratchet.cli.exits import DECLINED
from ratchet.cli.refused import Stopped
from ratchet.cli.road import given_by, road, settings_of
from ratchet.config import Settings
from ratchet.desk.contract import Desk
from ratchet.desk.views import TargetView
from ratchet.domain.fault import Fault
from ratchet.lab.catalog import Catalog, load_catalog
from ratchet.lab.ground import FaultGround, KeptGround, LabGround
from ratchet.lab.keeper import LabState
from ratchet.lab.lab import NAMES
from ratchet.lab.pooler import find_pooler
from ratchet.lab.visit import Host, Visit, beyond, look_up

ALONE = "alone"


@dataclass(frozen=True)
class Stand:
    """A ground to cause faults on, the desk that looks after it, and the target that it is to the desk."""

    place: FaultGround
    desk: Desk
    target: str
    settings: Settings


def catalog_of(settings: Settings) -> Catalog:
    """Our faults, and a site's own."""
    overlays = [each / "faults" for each in settings.overlays]
    return load_catalog([each for each in overlays if each.is_dir()])


def groups(faults: Sequence[Fault]) -> list[list[Fault]]:
    """The faults by the kind of lab that they need: with everything first, then a primary all alone."""
    together = [fault for fault in faults if ALONE not in fault.spec.needs]
    lonely = [fault for fault in faults if ALONE in fault.spec.needs]
    return [group for group in (together, lonely) if group]


@contextmanager
def stand(
    context: typer.Context, faults: Sequence[Fault], conn: str | None, say: Callable[[str], None]
) -> Generator[Stand]:
    """The server of `conn`; without it the lab that is up; else one with all that these faults need, taken down at
    the end."""
    settings = settings_of(given_by(context))
    with ExitStack() as last:
        if conn is None:
            yield _in_lab(context, settings, faults, (last, say))
            return
        host = look_up(conn)
        here = last.enter_context(road(context, at_work=True))
        target = chaos_target(here.desk.targets(), host)
        visits = settings.home / "lab" / f"visit-{host.system_identifier}"
        lab = last.enter_context(Visit(host, visits, secrets.randbelow(1000)))
        _, _, database = target.address.partition("/")
        place = LabGround(lab, lambda fault: beyond(fault, database))
        yield Stand(place, here.desk, target.name, settings)


def _in_lab(
    context: typer.Context, settings: Settings, faults: Sequence[Fault], way: tuple[ExitStack, Callable[[str], None]]
) -> Stand:
    last, say = way
    state = lab_life.living(settings.home)
    own = state is None
    if state is None:
        say("no lab is up; starting one for this run")
        state = lab_life.start(settings.home, secrets.randbelow(1000), parts_of(faults))
        last.callback(lab_life.take_down, settings.home, state)
    here = last.enter_context(road(context, at_work=True))
    if own or not _registered(here.desk, state):
        lab_life.register(here.desk, state, f"user:default/{settings.operator}")
    return Stand(KeptGround(state), here.desk, NAMES["primary"], settings)


def chaos_target(targets: Sequence[TargetView], host: Host) -> TargetView:
    """The registered target behind the server; exit 3 where there is none, or where nothing may be broken."""
    same = [each for each in targets if each.system_identifier == host.system_identifier and not each.replica_of]
    found = next((each for each in same if not each.pooler_of), None)
    if found is None:
        message = f"The server of --conn (system identifier {host.system_identifier}) is not a registered target."
        raise Stopped(DECLINED, message, f"Register it: {_add('NAME')}")
    if "chaos" not in found.tags:
        message = f"Target {found.name} is not tagged chaos, so that no fault is caused there."
        raise Stopped(DECLINED, message, f"If it may be broken on purpose: {_add(found.name)}")
    return found


def _add(name: str) -> str:
    return f"ratchet target add {name} --provision --admin-dsn-env VARIABLE --owner user:default/you --tag chaos"


def parts_of(faults: Sequence[Fault]) -> list[str]:
    """What a lab of our own is made with: all there is, unless a fault must have its primary alone."""
    if any(ALONE in fault.spec.needs for fault in faults):
        return []
    needs = {need for fault in faults for need in fault.spec.needs}
    pooler = ["pgbouncer"] if "pgbouncer" in needs and find_pooler() is not None else []
    return (["replica"] if "replica" in needs else []) + pooler


def _registered(desk: Desk, state: LabState) -> bool:
    known = {target.name: target.address for target in desk.targets()}
    return all(known.get(name) == address for name, address in state.addresses.items())
