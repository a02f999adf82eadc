"""The alert of the demo, as an Alertmanager would send it: a webhook body of version 4."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

import httpx2

from ratchet.domain.fault import Fault
from ratchet.gateway.bodies import Received
from ratchet.lab.lab import Endpoint
from ratchet.triage.correlate import DRILL_LABEL

PATH = "/api/v1/sources/alertmanager"


def alertmanager_body(fault: Fault, endpoint: Endpoint, now: datetime) -> dict[str, object]:
    """What the monitor says. The drill label is the only word of ours in it, and it names no cause."""
    said = fault.spec.alert.named
    address, _, database = endpoint.address.partition("/")
    labels = {**said.labels, "instance": address, "datname": database, DRILL_LABEL: fault.id}
    group = {"alertname": labels["alertname"]}
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": said.annotations,
        "startsAt": now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example:9090/graph",
        "fingerprint": fingerprint(labels),
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{labels["alertname"]}"}}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "ratchet",
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": said.annotations,
        "externalURL": "http://alertmanager.example:9093",
        "alerts": [alert],
    }


def fingerprint(labels: Mapping[str, str]) -> str:
    """Sixteen hex characters that stand for the labels."""
    return sha256(json.dumps(sorted(labels.items())).encode()).hexdigest()[:16]


def send(url: str, token: str, body: Mapping[str, object]) -> tuple[str, ...]:
    """Hand the body in over HTTP, as a monitor would; the incidents it belongs to."""
    answer = httpx2.post(
        f"{url}{PATH}", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10, trust_env=False
    )
    answer.raise_for_status()
    return Received.model_validate_json(answer.content).incidents
