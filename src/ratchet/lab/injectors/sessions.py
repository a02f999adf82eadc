"""Failures that are sessions: a leak that fills the slots, a lock tree, a transaction left open."""

import select
from typing import LiteralString

import psycopg
from psycopg import sql

from ratchet.domain.noun import Noun
from ratchet.lab.injectors.grip import Grip, NoArgs, Session

REFUSALS_IN_A_ROW = 5
TOP_UP_EVERY_S = 0.1
LONG_S = 3600
CHAIN_PRODUCT = 7
# Both lock a row and change nothing, so that whatever becomes of the transaction, the shop's figures stay true.
TOUCH_COUNTER: LiteralString = "UPDATE order_counter SET last_number = last_number"
TOUCH_STOCK: LiteralString = "UPDATE stock SET quantity = quantity WHERE product_id = %s"
# Twenty rows to the eighth power: no memory, no file, no end.
RUNAWAY: LiteralString = (
    "SELECT count(*) FROM products p0, products p1, products p2, products p3, products p4, products p5, products p6,"
    " products p7"
)
# Enough that a login and a look at the sessions still find room, too few for a table with many indexes.
LOCKS_LEFT = 64
MAKE_TABLES: LiteralString = (
    "DO $$ BEGIN FOR n IN {}..{} LOOP EXECUTE 'CREATE TEMP TABLE staged_' || n || ' (id int)'; END LOOP; END $$"
)


class LockChainArgs(Noun):
    """How many sessions wait behind the middle of the chain."""

    leaves: int = 2


class LeakArgs(Noun):
    """`stubborn`: its service goes on leaking even after its sessions were ended."""

    stubborn: bool = False


class SilentArgs(Noun):
    """After how many seconds the session is there again once it was ended; never without it."""

    returns_after: float | None = None


class SlotsStayFree(RuntimeError):
    """The server took far more sessions than it has slots for."""


def fill_slots(grip: Grip, args: LeakArgs) -> None:
    """Idle sessions of one application until logins are refused; it keeps leaking until somebody ends one of them."""
    application = grip.next_application()
    refused = 0
    while refused < REFUSALS_IN_A_ROW:
        refused = 0 if _leak_one(grip, application) else refused + 1
        if len(grip.open_sessions()) > 500:
            raise SlotsStayFree("500 sessions were let in. Lower max_connections of the lab's server.")
    grip.point_at("application", application)
    grip.spawn(_leak_for_ever if args.stubborn else _keep_leaking, grip, application)


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


def _leak_for_ever(grip: Grip, application: str) -> None:
    # Ended sessions are let go of first, so that the watch below never waits on a dead one.
    while not grip.over.wait(TOP_UP_EVERY_S):
        for session in grip.open_sessions():
            if any_ended([session]):
                grip.forget(session)
        while not grip.over.is_set() and _leak_one(grip, application):
            pass


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
    grip.point_at("session", str(root.info.backend_pid), root.info.get_parameters()["application_name"])
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


def idle_in_transaction(grip: Grip, args: SilentArgs) -> None:
    """A session that changed the order counter and then fell silent inside its transaction."""
    application = grip.next_application()
    session = _fall_silent(grip, application)
    grip.point_at("session", str(session.info.backend_pid), application)
    _wait_patiently(grip)
    if args.returns_after is not None:
        grip.spawn(_return, grip, session, args.returns_after)


def _wait_patiently(grip: Grip) -> None:
    # The shop's own waits end at its lock timeout; one that does not give up makes every look see the blocking.
    patient = grip.open(grip.next_application(), autocommit=False)
    grip.spawn(_wait_in, patient, TOUCH_COUNTER, [])


def _fall_silent(grip: Grip, application: str) -> Session:
    session = grip.open(application, autocommit=False)
    session.execute(TOUCH_COUNTER)
    return session


def _return(grip: Grip, session: Session, after_s: float) -> None:
    while not grip.over.wait(TOP_UP_EVERY_S):
        if any_ended([session]) and not grip.over.wait(after_s):
            session = _fall_silent(grip, session.info.get_parameters()["application_name"])
            _wait_patiently(grip)


def end_at_once(grip: Grip, _args: NoArgs) -> None:
    """What was caused is over before anybody comes: our sessions are ended here and now."""
    grip.release()
    grip.objects.clear()


def advisory_leak(grip: Grip, _args: NoArgs) -> None:
    """An idle session keeps an advisory lock that a worker waits for; another keeps one that nobody wants."""
    wanted, unwanted = grip.seed % 1000 + 42, grip.seed % 1000 + 5042
    holder = grip.open(grip.next_application())
    holder.execute("SELECT pg_advisory_lock(%s)", [wanted])
    grip.point_at("session", str(holder.info.backend_pid), holder.info.get_parameters()["application_name"])
    grip.open(grip.next_application()).execute("SELECT pg_advisory_lock(%s)", [unwanted])
    worker = grip.open(grip.next_application(), autocommit=False)
    grip.spawn(_wait_in, worker, "SELECT pg_advisory_lock(%s)", [wanted])


def run_away(grip: Grip, _args: NoArgs) -> None:
    """A join without a condition computes for ever."""
    session = grip.open(grip.next_application(), autocommit=False)
    grip.point_at("session", str(session.info.backend_pid), session.info.get_parameters()["application_name"])
    grip.spawn(_wait_in, session, RUNAWAY, [])


def stay_ordinary(grip: Grip, _args: NoArgs) -> None:
    """One ordinary session, such as every server has; nothing is wrong with it."""
    grip.open(grip.next_application()).execute("SELECT count(*) FROM products")


def hold_snapshot(grip: Grip, _args: NoArgs) -> None:
    """A report that was begun and never ended; what it may still see, nobody may clean."""
    session = grip.open(grip.next_application(), autocommit=False)
    session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    session.execute("SELECT count(*) FROM products")


def fill_lock_table(grip: Grip, _args: NoArgs) -> None:
    """One transaction makes temporary tables until the server has hardly room for another lock."""
    session = grip.open(grip.next_application(), autocommit=False)
    grip.point_at("session", str(session.info.backend_pid), session.info.get_parameters()["application_name"])
    # Without a transaction around them, the blocks below would each commit.
    session.execute("SELECT 1")
    made, step = 0, 256
    while step >= LOCKS_LEFT:
        try:
            with session.transaction():
                session.execute(sql.SQL(MAKE_TABLES).format(sql.Literal(made), sql.Literal(made + step - 1)))
            made += step
        except psycopg.errors.OutOfMemory:
            step //= 2


def end_sessions(grip: Grip, _args: NoArgs) -> None:
    """Takes back every session that carries the fault's label."""
    grip.release()
