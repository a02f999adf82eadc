"""The checks by which a fault file says that the lab is well, and that a failure took."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from pydantic import Field

from ratchet.domain.fault import FaultCheck
from ratchet.domain.noun import Noun
from ratchet.lab.injectors.grip import NoArgs
from ratchet.lab.lab import CANARY_ROLE, Lab
from ratchet.lab.shop import DATABASE, Worker

REFUSED = ("connection slots are reserved", "too many clients")
POLL_S = 0.1


class HealthyArgs(Noun):
    """How long the shop must have been well."""

    window: float = Field(default=1.2, gt=0)


class FailingArgs(Noun):
    """Whose customers must have met a failure, and how lately."""

    worker: Worker
    window: float = Field(default=1.5, gt=0)


class WaitersArgs(Noun):
    """How many sessions must be waiting for a lock."""

    at_least: int = Field(default=1, ge=1)


@dataclass(frozen=True)
class Check:
    """One check: the arguments it takes and how it looks, at what happened after a moment."""

    args: type[Noun]
    look: Callable[[Lab, Any, float], bool]


def shop_healthy(lab: Lab, args: HealthyArgs, since: float) -> bool:
    parts: tuple[Worker, ...] = ("checkout", "catalogue", "reports")
    whole_window = time.monotonic() - since >= args.window
    return whole_window and all(lab.shop.sample(args.window, part).healthy for part in parts)


def shop_failing(lab: Lab, args: FailingArgs, since: float) -> bool:
    begin = max(since, time.monotonic() - args.window)
    return any(each.error for each in lab.shop.requests_since(begin) if each.worker == args.worker)


def login_refused(lab: Lab, _args: NoArgs, _since: float) -> bool:
    """Whether an ordinary role is turned away for want of a slot (and for no other reason)."""
    try:
        lab.primary.connect(CANARY_ROLE, DATABASE, application_name=CANARY_ROLE).close()
    except psycopg.OperationalError as refused:
        return any(words in str(refused) for words in REFUSED)
    return False


def lock_waiters(lab: Lab, args: WaitersArgs, _since: float) -> bool:
    with lab.primary.connect() as session:
        row = session.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()
    return row is not None and int(row[0]) >= args.at_least


def replay_paused(lab: Lab, _args: NoArgs, _since: float) -> bool:
    with lab.member("replica").connect() as session:
        return session.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() == ("paused",)


CHECKS: Mapping[str, Check] = {
    "shop.healthy": Check(HealthyArgs, shop_healthy),
    "shop.failing": Check(FailingArgs, shop_failing),
    "postgres.login_refused": Check(NoArgs, login_refused),
    "postgres.lock_waiters": Check(WaitersArgs, lock_waiters),
    "postgres.replay_paused": Check(NoArgs, replay_paused),
}


def unmet(checks: Iterable[FaultCheck], lab: Lab, since: float = 0.0) -> tuple[FaultCheck, ...]:
    """The checks that did not become true within their time; empty means that all hold.

    What customers met before `since` (monotonic seconds) does not count, neither for the shop nor against it.
    """
    return tuple(check for check in checks if not _becomes_true(check, lab, since))


def _becomes_true(check: FaultCheck, lab: Lab, since: float) -> bool:
    known = CHECKS[check.uses]
    args = known.args.model_validate(check.args)
    deadline = time.monotonic() + check.within
    while not known.look(lab, args, since):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
