"""The ways in which the lab causes and takes back a failure, by the names that fault files use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ratchet.domain.noun import Noun
from ratchet.lab.injectors import access, host, made, pooler, replication, schema, server, sessions, settings, wal
from ratchet.lab.injectors.grip import Grip, NoArgs


@dataclass(frozen=True)
class Injector:
    """One way: the arguments it takes and what it does with a grip on the lab.

    `before` writes down what it must know, as an undo, of the time before anything was caused.
    """

    args: type[Noun]
    act: Callable[[Grip, Any], None]
    before: Callable[[Grip, Any], None] | None = None


INJECTORS: Mapping[str, Injector] = {
    # what a fault makes for itself
    "made.role": Injector(NoArgs, made.make_role),
    "made.table": Injector(made.TableArgs, made.make_table),
    "made.client": Injector(made.ClientArgs, made.start_client),
    "made.drop": Injector(NoArgs, made.drop_made),
    "sql.run": Injector(made.RunArgs, made.run),
    "object": Injector(made.PointArgs, made.point),
    # sessions and locks
    "postgres.fill_slots": Injector(sessions.LeakArgs, sessions.fill_slots),
    "postgres.lock_chain": Injector(sessions.LockChainArgs, sessions.lock_chain),
    "postgres.idle_in_transaction": Injector(sessions.SilentArgs, sessions.idle_in_transaction),
    "postgres.advisory_leak": Injector(NoArgs, sessions.advisory_leak),
    "postgres.run_away": Injector(NoArgs, sessions.run_away),
    "postgres.stay_ordinary": Injector(NoArgs, sessions.stay_ordinary),
    "postgres.hold_snapshot": Injector(NoArgs, sessions.hold_snapshot),
    "postgres.fill_lock_table": Injector(NoArgs, sessions.fill_lock_table),
    "postgres.end_at_once": Injector(NoArgs, sessions.end_at_once),
    "postgres.end_sessions": Injector(NoArgs, sessions.end_sessions),
    # settings
    "setting.alter_system": Injector(settings.SystemArgs, settings.alter_system),
    "setting.reset_system": Injector(settings.SystemArgs, settings.reset_system, settings.remember_system),
    "setting.alter_role": Injector(settings.RoleArgs, settings.alter_role),
    "setting.alter_database": Injector(settings.DatabaseArgs, settings.alter_database),
    "setting.reset_database": Injector(settings.DatabaseArgs, settings.reset_database),
    "setting.limit_database": Injector(settings.LimitArgs, settings.limit_database),
    # schema
    "schema.deadlocks": Injector(NoArgs, schema.deadlock_again_and_again),
    "schema.clean": Injector(NoArgs, schema.clean),
    "schema.burn_ids": Injector(schema.BurnArgs, schema.burn_ids),
    # replication and WAL
    "postgres.pause_replay": Injector(NoArgs, replication.pause_replay),
    "postgres.resume_replay": Injector(NoArgs, replication.resume_replay),
    "replication.point_at_replica": Injector(NoArgs, replication.point_at_replica),
    "replication.shut_out": Injector(NoArgs, replication.shut_receiver_out),
    "replication.let_in": Injector(NoArgs, replication.let_receiver_in),
    "replication.feed": Injector(NoArgs, replication.feed),
    "replication.unfeed": Injector(NoArgs, replication.unfeed),
    "wal.forget_slot": Injector(wal.SlotArgs, wal.forget_slot),
    "wal.drop_slot": Injector(NoArgs, wal.drop_slot),
    # access and pooler
    "access.reject": Injector(NoArgs, access.reject),
    "access.admit_again": Injector(NoArgs, access.admit_again),
    "access.blind": Injector(NoArgs, access.blind),
    "access.let_see": Injector(NoArgs, access.let_see),
    "pooler.starve": Injector(NoArgs, pooler.starve),
    "pooler.misdirect": Injector(NoArgs, pooler.misdirect),
    "pooler.direct_back": Injector(NoArgs, pooler.direct_back),
    # server and host
    "server.kill": Injector(NoArgs, server.kill_postmaster),
    "server.start": Injector(NoArgs, server.start),
    "server.crash_sessions": Injector(server.CrashArgs, server.crash_sessions),
    "server.crash_once": Injector(NoArgs, server.crash_once),
    "server.break_configuration": Injector(NoArgs, server.break_configuration),
    "server.mend_configuration": Injector(NoArgs, server.mend_configuration),
    "server.take_port": Injector(NoArgs, server.take_port),
    "server.free_port": Injector(NoArgs, server.free_port),
    "server.lose_directory": Injector(NoArgs, server.lose_directory),
    "server.bring_back": Injector(NoArgs, server.bring_directory_back),
    "host.hog": Injector(host.HogArgs, host.hog_processors),
    "host.end_processes": Injector(NoArgs, host.end_processes),
    "host.fill_volume": Injector(NoArgs, host.fill_volume),
    "host.free_volume": Injector(NoArgs, host.free_volume),
    # nothing is wrong
    "control.nothing": Injector(NoArgs, made.nothing),
}
