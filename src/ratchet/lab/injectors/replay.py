"""Failures of a replica's replay."""

from ratchet.domain.fault import CausedObject
from ratchet.lab.injectors.grip import Grip, NoArgs
from ratchet.lab.lab import NAMES


def pause_replay(grip: Grip, _args: NoArgs) -> None:
    """The replica goes on receiving and stops replaying."""
    with grip.lab.member("replica").connect() as session:
        session.execute("SELECT pg_wal_replay_pause()")
    name = NAMES["replica"]
    grip.objects.append(CausedObject(kind="target", id=name, name=name))


def resume_replay(grip: Grip, _args: NoArgs) -> None:
    """The replica replays again; nothing happens where it already does, was promoted, or is down (a start forgets)."""
    replica = grip.lab.member("replica")
    if not replica.is_running():
        return
    with replica.connect() as session:
        session.execute(
            "SELECT CASE WHEN pg_is_in_recovery() AND pg_get_wal_replay_pause_state() <> 'not paused'"
            " THEN pg_wal_replay_resume()::text END"
        )
