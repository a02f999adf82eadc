"""Alertmanager bodies in the shape that real ones have."""

from typing import Any


def alert(**update: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "PostgresqlTooManyConnections", "instance": "db-1", "severity": "critical"},
        "annotations": {"summary": "Too many connections on db-1", "description": "17 of 17 slots\n"},
        "startsAt": "2026-11-20T02:03:04.467858611Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prom:9090/graph?g0.expr=pg_stat_activity_count+%3E+16&g0.tab=1",
        "fingerprint": "c6eadffa33fcdf37",
        **update,
    }


def webhook(*alerts: dict[str, Any], **update: Any) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": '{}:{alertname="PostgresqlTooManyConnections"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "ratchet",
        "notification_reason": "first notification",
        "groupLabels": {"alertname": "PostgresqlTooManyConnections"},
        "commonLabels": {"severity": "critical"},
        "commonAnnotations": {},
        "externalURL": "http://am:9093",
        "alerts": list(alerts or (alert(),)),
        **update,
    }
