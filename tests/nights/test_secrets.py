"""I27: a secret that Ratchet holds, or that stands where secrets stand, is in nothing that it keeps, says or logs."""

import io
import json
import logging
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx2
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ratchet.lab.embedded import Cluster
from tests.nights.conftest import Night, alertmanager_body
from tests.nights.culprits import leak, login

pytestmark = [pytest.mark.night, pytest.mark.postgres]

PASTED = "Zk7-canary-pasted-91"
"""A password that nobody told Ratchet of: it stands in texts of others, where passwords stand."""
TYPED = "Qm4-canary-typed-55"


def held(night: Night, server: Cluster) -> dict[str, str]:
    """Every secret that this house holds, by what it is."""
    home = night.house.settings.home
    files = {path.stem: conninfo_to_dict(path.read_text())["password"] for path in (home / "secrets").glob("*.dsn")}
    logins = {name: server.passwords[name] for name in ("night_admin", "night_canary")}
    tokens = {f"token of {who}": text for who, text in night.tokens.items()}
    found = {**files, **logins, **tokens, "key": (home / "key").read_bytes().hex(), "pasted": PASTED, "typed": TYPED}
    assert len(files) == 2 and all(len(str(value)) >= 8 for value in found.values())
    return {name: str(value) for name, value in found.items()}


def told(night: Night, name: str) -> Iterator[tuple[str, str]]:
    """Everything that an incident and its house say over HTTP, by path."""
    seen = night.incident(name)
    evidence = {each for found in seen["hypotheses"] for each in found["evidence_ids"]}
    playbooks = night.call("GET", "/api/v1/fleet/playbooks")[1]["playbooks"]
    paths = [
        f"/api/v1/incidents/{name}", f"/api/v1/incidents/{name}/kv", f"/api/v1/incidents/{name}/export",
        "/api/v1/incidents", "/api/v1/decisions", "/api/v1/targets", "/api/v1/grants", "/api/v1/audit?limit=200",
        "/api/v1/doctor", "/metrics", *(f"/api/v1/audit/export?form={form}" for form in ("jsonl", "ocsf", "cef")),
        *(f"/api/v1/evidence/{each}" for each in sorted(evidence)),
        *(f"/api/v1/fleet/playbooks/{each['id']}" for each in playbooks if each["source"] == "generated"),
    ]  # fmt: skip
    for path in paths:
        answer = raw(night, path)
        assert answer.status_code == 200, (path, answer.text[:200])
        yield path, answer.text
    with zipfile.ZipFile(io.BytesIO(raw(night, f"/api/v1/incidents/{name}/bundle").content)) as bundle:
        yield "bundle", "".join(bundle.read(part).decode("utf-8", "replace") for part in bundle.namelist())


def raw(night: Night, path: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {night.tokens['ana']}"}
    return httpx2.request("GET", night.url + path, headers=headers, timeout=20)


def kept(night: Night) -> Iterator[tuple[str, str]]:
    """Every row of the state, unpacked as the store reads it."""
    with night.house.store._journal.reading() as connection:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        for table in names:
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}"):
                yield table, repr(tuple(row))
        ids = connection.exec_driver_sql("SELECT id FROM evidence").scalars().all()
    for each in night.house.store.evidence(ids):
        yield "evidence", each.model_dump_json()


def hostile(server: Cluster) -> dict[str, Any]:
    """An alert with our own password in its texts, and somebody's where passwords stand."""
    body = alertmanager_body(target="shop-db", password=TYPED)
    ours = server.passwords["night_canary"]
    body["alerts"][0]["annotations"]["description"] = f"postgresql://night_canary:{ours}@db/x password={PASTED}"
    body["alerts"][0]["generatorURL"] = f"http://ana:{PASTED}@prometheus.invalid/graph"
    return body


def test_i27_no_canary_leaves_the_place_where_it_is_kept(
    night: Night, server: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("ratchet").propagate = True
    with login(server, f"password={PASTED}"[:63]) as careless, leak(server, spare=3):
        with pytest.raises(psycopg.Error):
            careless.execute(f"SELECT no_such_thing('postgresql://app:{PASTED}@db/x')".encode())
        status, said = night.call("POST", "/api/v1/sources/alertmanager", "monitor", hostile(server))
        assert status == 202, said
        name = said["incidents"][0]
        asked = night.until(name, "awaiting_approval", "escalated")
        assert asked["status"] == "awaiting_approval", asked["handoff"]
        decision = {"digest": asked["decision"]["digest"], "reason": f"as in postgresql://app:{PASTED}@db/x"}
        assert night.call("POST", f"/api/v1/decisions/{asked['decision']['id']}/approve", "ana", decision)[0] == 200
        night.until_true(name, lambda i: i["status"] == "escalated" or i["draft"] is not None)
    careless_words = f"I used PGPASSWORD={PASTED} psql, and night_canary has {server.passwords['night_canary']}"
    assert night.call("POST", f"/api/v1/incidents/{name}/note", "ana", {"text": careless_words})[0] == 200
    rating = {"cause": "connection_exhaustion_idle_leak", "helpful": True, "reason": careless_words}
    assert night.call("POST", f"/api/v1/incidents/{name}/rate", "ana", rating)[0] == 200
    wrong = {"target": {"name": "wrong", "kind": "postgres"}, "admin": {"kind": "env", "name": "NIGHT_ADMIN"}}
    refused = night.call("POST", "/api/v1/targets", "ana", wrong)
    secrets = held(night, server)
    places = [*told(night, name), *kept(night), ("log", caplog.text), ("refusal", json.dumps(refused))]
    assert len(places) > 50
    found = {(place, what) for place, text in places for what, secret in secrets.items() if secret in text}
    assert found == set()
