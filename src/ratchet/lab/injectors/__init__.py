"""The ways in which the lab causes and takes back a failure, by the names that fault files use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ratchet.domain.noun import Noun
from ratchet.lab.injectors import replay, sessions
from ratchet.lab.injectors.grip import Grip, NoArgs


@dataclass(frozen=True)
class Injector:
    """One way: the arguments it takes and what it does with a grip on the lab."""

    args: type[Noun]
    act: Callable[[Grip, Any], None]


INJECTORS: Mapping[str, Injector] = {
    "postgres.fill_slots": Injector(NoArgs, sessions.fill_slots),
    "postgres.lock_chain": Injector(sessions.LockChainArgs, sessions.lock_chain),
    "postgres.idle_in_transaction": Injector(NoArgs, sessions.idle_in_transaction),
    "postgres.end_sessions": Injector(NoArgs, sessions.end_sessions),
    "postgres.pause_replay": Injector(NoArgs, replay.pause_replay),
    "postgres.resume_replay": Injector(NoArgs, replay.resume_replay),
}
