"""Which target an alert speaks of, and which incident it belongs to."""

from collections.abc import Callable, Sequence
from typing import Literal

from ratchet.domain.alert import Alert
from ratchet.domain.ports import Correlate, Joinable, Joining, Opening
from ratchet.domain.target import Target

DRILL_LABEL = "ratchet_drill"
"""Label under which a drill's own alert names the fault; honoured only for targets tagged `chaos`."""


def correlator(targets: Sequence[Target], new_id: Callable[[], str]) -> Correlate:
    """A decision over one alert and the open incidents, for the store's intake."""

    def correlate(alert: Alert, known: Sequence[Joinable]) -> Opening | Joining | None:
        for incident in known:
            if incident.holds:
                return Joining(incident_id=incident.incident_id)
        if alert.status == "resolved":
            return None
        target, reason = match_target(alert, targets)
        for incident in known:
            if alert.group_key and incident.group_key == alert.group_key and incident.target == target:
                return Joining(incident_id=incident.incident_id)
        origin, fault = _drill(alert, target, targets)
        return Opening(incident_id=new_id(), target=target, target_reason=reason, origin=origin, fault=fault)

    return correlate


def match_target(alert: Alert, targets: Sequence[Target]) -> tuple[str | None, str]:
    """The target and why, or None and what was seen: explicit label, then address, database, the only target."""
    servers = [t for t in targets if t.kind == "postgres"]
    named = alert.labels.get("target")
    if named is not None:
        if any(t.name == named for t in servers):
            return named, f"label target={named}"
        return None, f"The alert names target {_short(named)!r}, which is not registered. {_known(servers)}"
    for label in ("instance", "server", "host", "pod"):
        value = alert.labels.get(label)
        hit = [t.name for t in servers if value and value in _addresses(t)]
        if len(hit) == 1:
            return hit[0], f"label {label}={_short(value or '')}"
    database = alert.labels.get("datname") or alert.labels.get("database")
    hit = [t.name for t in servers if database and t.address.endswith("/" + database) and t.conflict_group == t.name]
    if len(hit) == 1:
        return hit[0], f"database {_short(database or '')}"
    groups = {t.conflict_group for t in servers}
    if len(groups) == 1:
        return groups.pop(), "the only registered target"
    seen = ", ".join(f"{k}={_short(v)}" for k, v in sorted(alert.labels.items())) or "none"
    return None, f"No registered target matches the alert. Labels seen: {seen}. {_known(servers)}"


def _addresses(target: Target) -> set[str]:
    hostport = target.address.split("/")[0]
    return {target.name, hostport, hostport.rsplit(":", 1)[0] if hostport.count(":") == 1 else hostport} - {
        "",
        "127.0.0.1",
    }


def _known(servers: Sequence[Target]) -> str:
    names = ", ".join(t.name for t in servers)
    return f"Registered: {names}." if names else "No target is registered: `ratchet target add NAME ...`."


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


def _drill(
    alert: Alert, target: str | None, targets: Sequence[Target]
) -> tuple[Literal["production", "drill"], str | None]:
    fault = alert.labels.get(DRILL_LABEL)
    if fault and any(t.name == target and t.chaos for t in targets):
        return "drill", _short(fault)
    return "production", None
