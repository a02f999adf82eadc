"""Failures that are sessions: a leak that fills the slots, a lock tree, a transaction left open."""

import select
from typing import LiteralString

import psycopg

from ratchet.domain.fault import CausedObject
from ratchet.domain.noun import Noun
from ratchet.lab.injectors.grip import Grip, NoArgs, Session

REFUSALS_IN_A_ROW = 5
TOP_UP_EVERY_S = 0.1
LONG_S = 3600
CHAIN_PRODUCT = 7
# Both lock a row and change nothing, so that whatever becomes of the transaction, the shop's figures stay true.
TOUCH_COUNTER: LiteralString = "UPDATE order_counter SET last_number = last_number"
TOUCH_STOCK: LiteralString = "UPDATE stock SET quantity = quantity WHERE product_id = %s"


class LockChainArgs(Noun):
    """How many sessions wait behind the middle of the chain."""

    leaves: int = 2


class SlotsStayFree(RuntimeError):
    """The server took far more sessions than it has slots for."""


def fill_slots(grip: Grip, _args: NoArgs) -> None:
    """Idle sessions of one application until logins are refused; it keeps leaking until somebody ends one of them."""
    application = grip.next_application()
    refused = 0
    while refused < REFUSALS_IN_A_ROW:
        refused = 0 if _leak_one(grip, application) else refused + 1
        if len(grip.open_sessions()) > 500:
            raise SlotsStayFree("500 sessions were let in. Lower max_connections of the lab's server.")
    grip.objects.append(CausedObject(kind="application", id=application, name=application))
    grip.spawn(_keep_leaking, grip, application)


def _leak_one(grip: Grip, application: str) -> bool:
    try:
        session = grip.open(application)
        session.execute("SELECT price_cents FROM products WHERE id = 7")
    except psycopg.OperationalError:
        return False
    return True


def _keep_leaking(grip: Grip, application: str) -> None:
    # The service is taken as mended by the remedy: once its sessions are ended it stops leaking.
    while not grip.over.wait(TOP_UP_EVERY_S):
        if any_ended(grip.open_sessions()):
            return
        before = grip.open_sessions()
        if _leak_one(grip, application) and any_ended(before):
            grip.forget(grip.open_sessions()[-1])
            return


def any_ended(sessions: list[Session]) -> bool:
    """Whether the server said anything to a session that asked nothing: only an end comes unasked."""
    poll = select.poll()
    for session in sessions:
        if session.closed:
            return True
        poll.register(session.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def lock_chain(grip: Grip, args: LockChainArgs) -> None:
    """A root holds the order counter and looks busy, a middle waits for it, leaves wait for the middle."""
    root = grip.open(grip.next_application(), autocommit=False)
    root.execute(TOUCH_COUNTER)
    pid = root.info.backend_pid
    grip.objects.append(CausedObject(kind="session", id=str(pid), name=root.info.get_parameters()["application_name"]))
    grip.spawn(_wait_in, root, "SELECT pg_sleep(%s)", [LONG_S])
    middle = grip.open(grip.next_application(), autocommit=False)
    middle.execute(TOUCH_STOCK, [CHAIN_PRODUCT])
    grip.spawn(_wait_in, middle, TOUCH_COUNTER, [])
    application = grip.next_application()
    for _ in range(args.leaves):
        leaf = grip.open(application, autocommit=False)
        grip.spawn(_wait_in, leaf, TOUCH_STOCK, [CHAIN_PRODUCT])


def _wait_in(session: Session, statement: LiteralString, values: list[int]) -> None:
    try:
        session.execute(statement, values)
        session.rollback()
    except psycopg.OperationalError:
        # Ended from outside: by a remedy, or by our own undo.
        return


def idle_in_transaction(grip: Grip, _args: NoArgs) -> None:
    """A session that changed the order counter and then fell silent inside its transaction."""
    application = grip.next_application()
    session = grip.open(application, autocommit=False)
    session.execute(TOUCH_COUNTER)
    grip.objects.append(CausedObject(kind="session", id=str(session.info.backend_pid), name=application))
    # The shop's own waits end at its lock timeout; one that does not give up makes every look see the blocking.
    patient = grip.open(grip.next_application(), autocommit=False)
    grip.spawn(_wait_in, patient, TOUCH_COUNTER, [])


def end_sessions(grip: Grip, _args: NoArgs) -> None:
    """Takes back every session that carries the fault's label."""
    grip.release()
