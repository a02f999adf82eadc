"""Failures in what tables and transactions look like: rows locked in opposite order, transaction ids used up."""

from contextlib import suppress

import psycopg
from psycopg import errors, sql

from ratchet.domain.noun import Noun
from ratchet.lab.injectors.grip import Grip, NoArgs, Session

PAUSE_S = 0.5
BURN = """DO $$ BEGIN FOR n IN 1..{} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"""


class BurnArgs(Noun):
    """How many transaction ids are used up."""

    ids: int


def deadlock_again_and_again(grip: Grip, _args: NoArgs) -> None:
    """Two programs change the same two rows in opposite order, for as long as the fault lasts."""
    grip.point_at("table", f"public.{grip.names.table}", grip.names.table)
    for order in ((1, 2), (2, 1)):
        grip.spawn(_change_both, grip, grip.next_application(), order)


def _change_both(grip: Grip, application: str, order: tuple[int, int]) -> None:
    change = sql.SQL("UPDATE {} SET changed_at = now() WHERE id = {}")
    table = sql.Identifier(grip.names.table)
    session: Session | None = None
    while not grip.over.wait(PAUSE_S):
        try:
            session = session if session is not None and not session.closed else grip.open(application)
            with session.transaction():
                session.execute(change.format(table, sql.Literal(order[0])))
                session.execute("SELECT pg_sleep(0.4)")
                session.execute(change.format(table, sql.Literal(order[1])))
        except errors.DeadlockDetected:
            continue
        except psycopg.OperationalError:
            if session is not None and session.closed and grip.over.is_set():
                return


def burn_ids(grip: Grip, args: BurnArgs) -> None:
    with grip.admin() as session:
        session.execute("SET synchronous_commit = off")
        session.execute(sql.SQL(BURN).format(sql.Literal(args.ids)))


def clean(grip: Grip, _args: NoArgs) -> None:
    """Vacuums the fault's own table again and again, as a busy autovacuum would."""
    grip.spawn(_keep_cleaning, grip)


def _keep_cleaning(grip: Grip) -> None:
    while not grip.over.wait(PAUSE_S):
        with suppress(psycopg.OperationalError), grip.admin() as session:
            session.execute(sql.SQL("VACUUM {}").format(sql.Identifier(grip.names.table)))
