"""The pooler's probes: pools with who holds them, databases with where they lead, and its limits."""

from collections.abc import Mapping, Sequence
from typing import Any

from ratchet.tools.probe_columns import CodeProbe

Row = dict[str, Any]
Shown = Mapping[str, Sequence[Row]]
"""The rows of each SHOW command, by its word."""

CONSOLE = "pgbouncer"
NEEDS = "a login of the console (`stats_users`)"
POOLS = CodeProbe(
    name="pgbouncer.pools",
    summary="Pools of a pooler, full ones and those with the longest wait first, and which server sessions they hold",
    needs=NEEDS,
    columns={
        "db": "text: database as clients name it",
        "user": "text: role",
        "mode": "text: session, transaction or statement",
        "size": "int: server connections that it may have",
        "cl_active": "int: clients that have a server connection",
        "cl_waiting": "int: clients that wait for one",
        "maxwait_s": "float: seconds that the longest of them has waited",
        "sv_active": "int: server connections that a client has",
        "sv_free": "int: server connections that nobody has",
        "sv_login": "int: server connections that are being opened",
        "held_pids": "list: process ids, at the server, of those that a client has",
        "held_apps": "list: applications that have them",
        "paused": "bool: its database is paused",
        "disabled": "bool: its database takes no new clients",
        "full": "bool: it has as many server connections as it may have, and a client has each of them",
        "at_limit": "bool: its database has all the server connections that it may have over all roles",
        "at_server": "bool: its database leads to the server that it is registered for, null when that is not known",
    },
)
DATABASES = CodeProbe(
    name="pgbouncer.databases",
    summary="Databases of a pooler, where each leads, and whether somebody paused or disabled it",
    needs=NEEDS,
    columns={
        "db": "text: database as clients name it",
        "host": "text: host that it leads to, null for a local socket",
        "port": "int: port that it leads to",
        "server_db": "text: database at the server",
        "size": "int: pool size",
        "max": "int: server connections it may have in all, 0 for no limit",
        "current": "int: server connections it has",
        "paused": "bool: PAUSE was given and RESUME was not",
        "disabled": "bool: DISABLE was given and ENABLE was not",
        "at_server": "bool: it leads to the server that the pooler is registered for, null when that is not known",
        "waiting": "int: clients that wait, over all roles",
        "connected": "int: server connections that exist, over all roles",
    },
)
LIMITS = CodeProbe(
    name="pgbouncer.limits",
    summary="Version and limits of a pooler, and how far they are used",
    needs=NEEDS,
    columns={
        "version": "text: its version",
        "max_clients": "int: max_client_conn",
        "clients": "int: clients connected, this look included",
        "pool_sizes": "int: server connections that all present pools together may have",
        "default_pool_size": "int: default_pool_size",
        "wait_limit_s": "float: query_wait_timeout, 0 for none",
        "idle_transaction_limit_s": "float: idle_transaction_timeout, 0 for none",
    },
)
POOLER_PROBES = {probe.name: probe for probe in (POOLS, DATABASES, LIMITS)}
ASKS: Mapping[str, tuple[str, ...]] = {
    POOLS.name: ("POOLS", "DATABASES", "SERVERS"),
    DATABASES.name: ("DATABASES", "POOLS"),
    LIMITS.name: ("VERSION", "CONFIG", "LISTS", "POOLS", "DATABASES"),
}
"""The SHOW commands behind each probe."""


def answer(name: str, shown: Shown, server: str) -> list[Row]:
    """Rows of a probe out of what the console showed; `server` is the registered server's host:port, or empty."""
    if name == POOLS.name:
        return _pools(shown, server)
    return _databases(shown, server) if name == DATABASES.name else _limits(shown)


def _pools(shown: Shown, server: str) -> list[Row]:
    places = {row["db"]: row for row in _databases(shown, server)}
    rows = [_pool(row, shown["SERVERS"], places.get(row["database"], {})) for row in _real(shown["POOLS"], "database")]
    return sorted(rows, key=lambda row: (not row["full"], -row["maxwait_s"], row["db"], row["user"]))


def _pool(row: Row, servers: Sequence[Row], place: Row) -> Row:
    mine = [s for s in servers if (s["database"], s["user"]) == (row["database"], row["user"])]
    held = [s for s in mine if str(s["state"]).startswith("active")]
    size = place.get("size")
    return {
        "db": row["database"], "user": row["user"], "mode": row["pool_mode"], "size": size,
        "cl_active": row["cl_active"], "cl_waiting": row["cl_waiting"],
        "maxwait_s": row["maxwait"] + row.get("maxwait_us", 0) / 1e6,
        "sv_active": row["sv_active"], "sv_free": row["sv_idle"] + row["sv_used"] + row["sv_tested"],
        "sv_login": row["sv_login"],
        "held_pids": [s["remote_pid"] for s in held if s.get("remote_pid")],
        "held_apps": sorted({str(s.get("application_name") or "(none)") for s in held}),
        "paused": place.get("paused"), "disabled": place.get("disabled"),
        "full": size is not None and row["sv_active"] >= size > 0,
        "at_limit": 0 < place.get("max", 0) <= place.get("current", 0),
        "at_server": place.get("at_server"),
    }  # fmt: skip


def _databases(shown: Shown, server: str) -> list[Row]:
    return [_database(row, shown["POOLS"], server) for row in _real(shown["DATABASES"], "name")]


def _database(row: Row, pools: Sequence[Row], server: str) -> Row:
    mine = [pool for pool in pools if pool["database"] == row["name"]]
    return {
        "db": row["name"], "host": row["host"] or None, "port": row["port"], "server_db": row["database"],
        "size": row["pool_size"], "max": row["max_connections"], "current": row["current_connections"],
        "paused": bool(row["paused"]), "disabled": bool(row["disabled"]),
        "at_server": _same_place(row["host"] or "", row["port"], server),
        "waiting": sum(pool["cl_waiting"] for pool in mine),
        "connected": sum(pool["sv_active"] + pool["sv_idle"] + pool["sv_used"] + pool["sv_tested"] for pool in mine),
    }  # fmt: skip


def _limits(shown: Shown) -> list[Row]:
    config = {str(row["key"]): str(row["value"]) for row in shown["CONFIG"]}
    lists = {str(row["list"]): int(row["items"]) for row in shown["LISTS"]}
    sizes = {row["name"]: row["pool_size"] for row in shown["DATABASES"]}
    return [{
        "version": str(next(iter(shown["VERSION"][0].values()), "")) if shown["VERSION"] else None,
        "max_clients": _number(config.get("max_client_conn")), "clients": lists.get("used_clients"),
        "pool_sizes": sum(sizes.get(row["database"], 0) for row in _real(shown["POOLS"], "database")),
        "default_pool_size": _number(config.get("default_pool_size")),
        "wait_limit_s": _number(config.get("query_wait_timeout")),
        "idle_transaction_limit_s": _number(config.get("idle_transaction_timeout")),
    }]  # fmt: skip


def _real(rows: Sequence[Row], key: str) -> list[Row]:
    """Without the console, which lists itself."""
    return [row for row in rows if row[key] != CONSOLE]


def _number(text: str | None) -> float | None:
    return float(text) if text and text.replace(".", "", 1).isdigit() else None


def _same_place(host: str, port: int, server: str) -> bool | None:
    """Another port is another server; whether two names are one host cannot be told from here."""
    known_host, _, known_port = server.rpartition(":")
    if not known_port.isdigit():
        return None
    if int(known_port) != port:
        return False
    near = {"", "localhost", "127.0.0.1", "::1"}
    return True if host == known_host or {host, known_host} <= near or "/" in host else None
