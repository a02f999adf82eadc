"""Where drills are run: the lab that is up, one of this line's own, or a server of others; with a desk that works."""

import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import typer

from ratchet.cli import lab_life
from ratchet.cli.exits import DECLINED, LEFT_OVER
from ratchet.cli.refused import Stopped
from ratchet.cli.road import given_by, road, settings_of
from ratchet.config import Settings
from ratchet.desk.contract import Desk
from ratchet.desk.views import TargetView
from ratchet.domain.errors import conflict
from ratchet.domain.fault import Fault
from ratchet.lab.catalog import Catalog, load_catalog
from ratchet.lab.ground import FaultGround, KeptGround, LabGround
from ratchet.lab.keeper import LabState
from ratchet.lab.lab import NAMES, Lab
from ratchet.lab.pooler import find_pooler
from ratchet.lab.visit import LeftBehind, Visit, beyond
from ratchet.lab.visited import Host, look_up
from ratchet.security.alone import alone

ALONE = "alone"
LAB = "the lab"
LOOK = "A person must look: ratchet fault status"


@dataclass(frozen=True)
class Stand:
    """A ground to cause faults on, the desk that looks after it, and the target that it is to the desk."""

    place: FaultGround
    desk: Desk
    target: str
    settings: Settings
    ground: str = LAB
    """Which one it is, in words that another line can be held against."""
    left: list[str] = field(default_factory=list[str])
    """What stays on a server of others once the ground is left; empty before."""


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
def lease(settings: Settings) -> Generator[None]:
    """Only this line causes faults in the lab in this block: each forgets what was there before, grades what comes
    then, and would take another's doing for its own. Raises Refusal(CONFLICT) while another line does."""
    with alone(settings.home / "lab" / "faults.lock") as mine:
        if not mine:
            remedy = "Wait for its end. What is caused, and by which drill: ratchet fault status"
            raise conflict("Another line causes faults in the lab just now.", remedy)
        yield


@contextmanager
def stand(
    context: typer.Context, faults: Sequence[Fault], conn: str | None, say: Callable[[str], None], begun_on: str = ""
) -> Generator[Stand]:
    """The server of `conn`, as a lab where it is the lab's; without it the lab that is up; else one with all that these
    faults need, taken down at the end. What was begun on another ground is refused, before anything is made there."""
    settings = settings_of(given_by(context))
    with ExitStack() as last:
        if conn is None:
            refuse_elsewhere(begun_on, LAB)
            last.enter_context(lease(settings))
            yield _in_lab(context, settings, faults, (last, say))
            return
        host = look_up(conn)
        here = last.enter_context(road(context, at_work=True))
        target = chaos_target(here.desk, host)
        ground = f"{target.name} (system identifier {host.system_identifier})"
        refuse_elsewhere(begun_on, ground)
        state = lab_life.living(settings.home)
        if state is not None and state.addresses.get(target.name) == target.address:
            last.enter_context(lease(settings))
            yield Stand(KeptGround(state), here.desk, target.name, settings, ground)
            return
        # By name too: what was left on one server must never be taken back on its clone.
        visits = settings.home / "lab" / f"visit-{host.system_identifier}-{target.name}"
        visit = Visit(host, visits, secrets.randbelow(1000))
        lab = _begun(last, visit)
        _, _, database = target.address.partition("/")
        place = LabGround(lab, lambda fault: beyond(fault, database))
        yield Stand(place, here.desk, target.name, settings, ground, visit.left)


def refuse_elsewhere(begun_on: str, here: str) -> None:
    """Figures of one batch come from one ground. Raises Refusal(CONFLICT); nothing where nothing was begun yet."""
    if begun_on not in ("", here):
        same = "Leave --conn and FAULTTEST_CONN_STR away." if begun_on == LAB else f"Give --conn of {begun_on}."
        raise conflict(f"This batch was begun on {begun_on}, and this line is for {here}.", same)


def _begun(last: ExitStack, visit: Visit) -> Lab:
    try:
        return last.enter_context(visit)
    except LeftBehind as stays:
        raise Stopped(LEFT_OVER, stays.message, stays.remedy, stays.code) from None
    except KeyboardInterrupt:
        if visit.left:
            raise Stopped(LEFT_OVER, f"Interrupted. LEFT BEHIND: {'; '.join(visit.left)}", LOOK) from None
        raise


def _in_lab(
    context: typer.Context, settings: Settings, faults: Sequence[Fault], way: tuple[ExitStack, Callable[[str], None]]
) -> Stand:
    last, say = way
    state = lab_life.living(settings.home)
    own = state is None
    if state is None:
        say("no lab is up; starting one for this run")
        state = lab_for_now(context, faults, last)
    here = last.enter_context(road(context, at_work=True))
    if own or not _registered(here.desk, state):
        lab_life.register(here.desk, settings.home, state, f"user:default/{settings.operator}")
    return Stand(KeptGround(state), here.desk, NAMES["primary"], settings)


def lab_for_now(context: typer.Context, faults: Sequence[Fault], last: ExitStack) -> LabState:
    """A lab with what these faults need, taken down at the end; a refusal where it would take the place of a target."""
    home, parts = settings_of(given_by(context)).home, parts_of(faults)
    with road(context) as here:
        lab_life.refuse_taken(here.desk, home, lab_life.names_of(parts))
    state = lab_life.start(home, secrets.randbelow(1000), parts)
    last.callback(lab_life.take_down, home, state)
    return state


def chaos_target(desk: Desk, host: Host) -> TargetView:
    """The registered target that is this very server; exit 3 where there is none, where nothing may be broken, or where
    that cannot be told. A clone has the identifier of what it was made from; it was not started in the same moment."""
    known = f"(system identifier {host.system_identifier})"
    same = [each for each in desk.targets() if each.system_identifier == host.system_identifier]
    same = [each for each in same if not each.replica_of and not each.pooler_of]
    if not same:
        message = f"The server of --conn {known} is not a registered target."
        raise Stopped(DECLINED, message, f"Register it: {_add('NAME')}")
    seen = {each.name: desk.check_target(each.name) for each in same}
    here = [each for each in same if (seen[each.name].started, seen[each.name].data_directory) == host.instance]
    forbidden = next((each for each in here if "chaos" not in each.tags), None)
    if forbidden is not None:
        message = f"Target {forbidden.name} is not tagged chaos, so that no fault is caused there."
        raise Stopped(DECLINED, message, f"If it may be broken on purpose: {_add(forbidden.name)}")
    unsure = [each for each in same if not (seen[each.name].started and seen[each.name].data_directory)]
    doubted = next((each for each in unsure if not here or "chaos" not in each.tags), None)
    if doubted is not None:
        message = f"Whether the server of --conn {known} is target {doubted.name} cannot be told: it does not say so."
        raise Stopped(DECLINED, message, f"Let its diag login in, with pg_monitor: ratchet target check {doubted.name}")
    if not here:
        names = " and ".join(each.name for each in same)
        message = f"The server of --conn {known} is not {names}, but a clone or another member of the same cluster."
        raise Stopped(
            DECLINED,
            message,
            "Give --conn of the target itself. Only a server that may be broken is registered and tagged chaos.",
        )
    return here[0]


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
