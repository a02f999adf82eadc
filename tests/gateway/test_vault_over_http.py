"""The vault's addresses as fleet programs call them, over a wired house: the lines of the published example work."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from ratchet.config import Settings
from ratchet.domain.alert import Alert
from ratchet.domain.target import SecretRef, Target
from ratchet.domain.timeline import Looked
from ratchet.wiring.house import House, open_house
from tests.gateway.conftest import Street
from tests.vault import worlds as w

FLEET = "/api/v1/fleet/playbooks"
SERIES = "pbs_connection_triage"
DRAFT = "pb_faulttest_a1b2c3"


class Fleet:
    """A wired house behind HTTP, with a token for each of two approvers."""

    def __init__(self, house: House, street: Street) -> None:
        street.put(house)
        self.house, self.url = house, street.url
        desk = house.desk(house.operator())
        self.tokens = {
            name: desk.make_token(name, person=True, role="admin" if name == "ana" else "approver").text
            for name in ("ana", "bo")
        }
        self.tokens["robot"] = desk.make_token("robot", person=False, role="operator").text

    def send(self, method: str, path: str, who: str = "ana", **more: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}", **more.pop("headers", {})}
        with httpx2.Client(base_url=self.url, trust_env=False, timeout=60) as client:
            return client.request(method, path, headers=headers, **more)

    def get(self, path: str, who: str = "ana") -> Any:
        answer = self.send("GET", path, who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def draft(self) -> dict[str, Any]:
        """A draft of the connection series, as a person makes one."""
        answer = self.send("POST", f"{FLEET}/{SERIES}/draft", json={"reason": "to be better"})
        assert answer.status_code == 201, answer.text
        view = answer.json()
        self.send("PUT", f"{FLEET}/{view['id']}", json={"owner": "user:default/ana"})
        return self.get(f"{FLEET}/{view['id']}")


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = open_house(Settings(home=tmp_path_factory.mktemp("state") / "ratchet"), lambda _: None)
    house.store.put_target(Target(name="shop-db", kind="postgres", diag=SecretRef(kind="env", name="D")), "user:ana")
    yield house
    house.close()


@pytest.fixture
def fleet(wired: House, _street: Street) -> Fleet:
    return Fleet(wired, _street)


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="curl and jq are not here")
def test_the_published_lines_work_as_printed(fleet: Fleet) -> None:
    """Only host, token and the id that the server made differ from the published text."""
    draft = fleet.draft()["id"]

    def line(text: str) -> str:
        ready = text.replace("http://localhost:8080", fleet.url).replace(DRAFT, draft)
        key = {"HELPDESK_CLIENT_API_KEY": fleet.tokens["ana"], "PATH": "/usr/bin:/bin:/usr/local/bin"}
        done = subprocess.run(["bash", "-c", ready], capture_output=True, text=True, timeout=60, check=True, env=key)
        return done.stdout

    listed = line(
        'curl -s "http://localhost:8080/api/v1/fleet/playbooks?source=manual" '
        '-H "Authorization: Bearer $HELPDESK_CLIENT_API_KEY" '
        "| jq '.playbooks[] | select(.is_active == false) | {id, name, created_at}'"
    )
    assert f'"id": "{draft}"' in listed
    assert re.search(r'"created_at": "20\d\d-', listed)
    read = "curl -s http://localhost:8080/api/v1/fleet/playbooks/pb_faulttest_a1b2c3"
    auth = '-H "Authorization: Bearer $HELPDESK_CLIENT_API_KEY"'
    assert line(f"{read} {auth} | jq -r '.guidance'").strip()
    put = (
        f"curl -s -X PUT  http://localhost:8080/api/v1/fleet/playbooks/pb_faulttest_a1b2c3 {auth} "
        '-H "Content-Type: application/json" -d \'{"guidance": "Updated guidance based on operator review..."}\''
    )
    assert json.loads(line(put))["guidance"] == "Updated guidance based on operator review..."
    post = f"curl -s -X POST http://localhost:8080/api/v1/fleet/playbooks/pb_faulttest_a1b2c3/activate {auth}"
    assert json.loads(line(post))["is_active"] is True
    assert fleet.get(f"{FLEET}/{SERIES}")["id"] == draft
    other = fleet.draft()["id"]
    gone = f"curl -s -X DELETE http://localhost:8080/api/v1/fleet/playbooks/{other} {auth}"
    assert line(gone) == ""
    assert other not in {each["id"] for each in fleet.get(FLEET)["playbooks"]}


def test_a_listed_version_has_the_keys_of_the_published_list(fleet: Fleet) -> None:
    fleet.draft()
    for each in fleet.get(f"{FLEET}?source=manual")["playbooks"]:
        assert {"id", "name", "series_id", "version", "source", "is_active", "guidance", "created_at"} <= set(each)
        assert each["source"] == "manual"


def test_an_edit_of_what_was_read_earlier_is_412_with_if_match_and_its_tag_comes_back(fleet: Fleet) -> None:
    draft = fleet.draft()
    path = f"{FLEET}/{draft['id']}"
    tag = fleet.send("GET", path).headers["etag"]
    assert tag == f'"{draft["digest"]}"'
    first = fleet.send("PUT", path, json={"guidance": "Mine.\n"}, headers={"If-Match": tag})
    assert (first.status_code, first.json()["revision"]) == (200, draft["revision"] + 1)
    late = fleet.send("PUT", path, "bo", json={"guidance": "Yours.\n"}, headers={"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "conflict")
    assert first.headers["etag"] != tag
    again = fleet.send("PUT", path, "bo", json={"guidance": "Yours.\n"}, headers={"If-Match": first.headers["etag"]})
    assert again.status_code == 200


def test_what_is_active_is_not_edited_and_the_refusal_says_how_to_go_on(fleet: Fleet) -> None:
    active = fleet.get(f"{FLEET}/{SERIES}")
    answer = fleet.send("PUT", f"{FLEET}/{active['id']}", json={"guidance": "x"})
    assert answer.status_code == 409
    assert "ratchet vault draft" in answer.json()["remedy"]


def test_a_draft_that_may_do_more_is_activated_by_somebody_else_only(fleet: Fleet) -> None:
    draft = fleet.draft()
    text = draft["text"].replace("else: stop", "else: escalate", 1)
    assert text != draft["text"]
    assert fleet.send("PUT", f"{FLEET}/{draft['id']}", json={"text": text}).status_code == 200
    found = fleet.get(f"{FLEET}/{draft['id']}/diff")
    assert found["changes"][0]["kind"] in ("wider", "weaker")
    own = fleet.send("POST", f"{FLEET}/{draft['id']}/activate", json={"reason": "mine"})
    assert own.status_code == 403
    assert "second person" in own.json()["detail"]
    unread = fleet.send("POST", f"{FLEET}/{draft['id']}/activate", "bo", json={"reason": "yes, yes"})
    assert (unread.status_code, unread.json()["code"]) == (409, "conflict")
    assert "ratchet vault diff" in unread.json()["remedy"]
    late = fleet.send("PUT", f"{FLEET}/{draft['id']}", json={"guidance": "One word more.\n"})
    path, stale = f"{FLEET}/{draft['id']}/activate", {"reason": "read the difference", "digest": found["digest"]}
    assert fleet.send("POST", path, "bo", json=stale).status_code == 409
    tag = {"If-Match": f'"{found["digest"]}"'}
    assert fleet.send("POST", path, "bo", json={"reason": "read"}, headers=tag).status_code == 412
    other = fleet.send("POST", path, "bo", json={"reason": "read"}, headers={"If-Match": late.headers["etag"]})
    assert other.status_code == 200


def test_a_version_is_examined_replayed_and_its_series_remembers(fleet: Fleet) -> None:
    draft = fleet.draft()
    test = fleet.send("POST", f"{FLEET}/{draft['id']}/backtest", "robot").json()
    assert test["digest"] == draft["digest"]
    examined = fleet.get(f"{FLEET}/{draft['id']}/review", "robot")
    assert examined["backtest"]["digest"] == draft["digest"]
    assert examined["objections"] == []
    lines = fleet.get(f"/api/v1/fleet/series/{SERIES}/history")["items"]
    assert [line["event"] for line in lines][:1] == ["seeded"]
    assert lines[-1]["event"] == "backtested"
    assert any(each["what"] == "draft" for each in fleet.get("/api/v1/fleet/reviews")["items"])


def test_a_file_arrives_as_a_draft_and_the_same_file_again_as_nothing_new(fleet: Fleet) -> None:
    text = "# Basket totals are zero after the load\n\n## Symptoms\n- totals are zero everywhere\n"
    body = {"text": text, "where": "basket.md", "commit": "a" * 40}
    answer = fleet.send("POST", FLEET, json=body)
    assert answer.status_code == 201
    arrived = answer.json()
    assert (arrived["new"], arrived["playbook"]["is_active"], arrived["playbook"]["source"]) == (
        True,
        False,
        "imported",
    )
    assert fleet.get(f"{FLEET}/{arrived['playbook']['id']}/review")["commit"] == "a" * 40
    assert "owner" in arrived["playbook"]["blanks"]
    no = fleet.send("POST", f"{FLEET}/{arrived['playbook']['id']}/activate", "bo")
    assert (no.status_code, no.json()["code"]) == (400, "invalid")
    assert fleet.send("POST", FLEET, json=body).json()["new"] is False
    assert fleet.send("POST", FLEET, "robot", json=body).status_code == 403


def test_a_run_opens_an_incident_that_names_the_playbook_and_drafts_are_not_run(fleet: Fleet) -> None:
    answer = fleet.send("POST", f"{FLEET}/{SERIES}/run", "robot", json={"target": "shop-db"})
    assert answer.status_code == 202
    incident = fleet.get(f"/api/v1/incidents/{answer.json()['incident']}")
    assert incident["target"] == "shop-db"
    assert fleet.send("POST", f"{FLEET}/{SERIES}/run", json={"target": "nowhere"}).status_code == 404
    assert fleet.send("POST", f"{FLEET}/{fleet.draft()['id']}/run", json={"target": "shop-db"}).status_code == 409


def test_closing_an_incident_as_resolved_drafts_what_people_did(fleet: Fleet) -> None:
    store = fleet.house.store
    known = Alert(
        source="t", fingerprint="mended", starts_at=w.NOW, labels={"alertname": "ShopSlow", "target": "shop-db"},
        annotations={"summary": "Checkout waits for a connection"},
    )  # fmt: skip
    (name,) = fleet.house.desk(fleet.house.operator()).receive([known])
    incident = store.incident(name)
    looked = Looked(candidates=(), evidence=(), answers={}, elapsed_ms=1.0)
    store.commit(incident, looked, by="ratchet", wake_at=None)
    bundle = "/api/v1/incidents/bundle"
    early = fleet.send("POST", bundle, json={"incident": name})
    assert (early.status_code, "cause" in early.json()["remedy"]) == (400, True)
    fleet.send("POST", f"/api/v1/incidents/{name}/take", json={"reason": "mine"})
    fleet.send("POST", f"/api/v1/incidents/{name}/note", json={"text": "closed the idle sessions of the shop by hand"})
    body = {"incident": name, "cause": "connection_exhaustion_idle_leak", "reason": "they were idle"}
    unproved = fleet.send("POST", bundle, json=body).json()
    assert (unproved["status"], unproved["draft"]) == ("resolved", None)
    assert "neither a window nor its monitor" in unproved["why_no_draft"]
    assert "drafted by itself when its alert resolves" in unproved["why_no_draft"]
    fleet.house.desk(fleet.house.operator()).receive([known.model_copy(update={"status": "resolved"})])
    proved = fleet.send("POST", bundle, json={"incident": name}).json()
    assert proved["draft"]["series"] == SERIES, proved
    draft = fleet.get(f"{FLEET}/{proved['draft']['id']}")
    assert (draft["source"], draft["is_active"], draft["incident"]) == ("generated", False, name)
    assert 'By hand, user:ana: "closed the idle sessions' in draft["guidance"]
    again = fleet.send("POST", f"{FLEET}/from-trace", "robot", json={"incident": name})
    assert (again.status_code, again.json()["id"]) == (201, draft["id"])


@pytest.mark.parametrize("first", ["the person", "the monitor"])
def test_what_a_person_mended_is_drafted_by_itself_once_its_monitor_is_clear(fleet: Fleet, first: str) -> None:
    store, desk = fleet.house.store, fleet.house.desk(fleet.house.operator())
    alert = Alert(
        source="t", fingerprint=first, starts_at=w.NOW, labels={"alertname": f"ShopSlow {first}", "target": "shop-db"},
        annotations={"summary": f"Checkout waits, says {first}"},
    )  # fmt: skip
    (name,) = desk.receive([alert])
    incident = store.incident(name)
    store.commit(incident, Looked(candidates=(), evidence=(), answers={}, elapsed_ms=1.0), by="ratchet", wake_at=None)
    fleet.send("POST", f"/api/v1/incidents/{name}/take", json={"reason": "mine"})
    said = {"cause": "connection_exhaustion_idle_leak", "reason": "closed them by hand"}
    clear = alert.model_copy(update={"status": "resolved"})

    def resolve() -> None:
        assert fleet.send("POST", f"/api/v1/incidents/{name}/resolve", json=said).status_code < 300

    for word in (resolve, lambda: desk.receive([clear])) if first == "the person" else (
        lambda: desk.receive([clear]), resolve
    ):  # fmt: skip
        fleet.house.worker._advance(incident.id)
        assert store.incident(name).draft is None, "one word alone is none"
        word()
    assert any(due.incident == incident.id for due in store.due(store.incident(name).updated_at or w.NOW))
    fleet.house.worker._advance(incident.id)
    drafted = store.incident(name).draft
    assert drafted is not None
    assert fleet.get(f"{FLEET}/{drafted.draft}")["incident"] == name


def test_a_page_and_a_prompt_are_rendered_of_the_same_version(fleet: Fleet) -> None:
    page = fleet.send("GET", f"/api/v1/playbooks/{SERIES}/render").text
    prompt = fleet.send("GET", f"/api/v1/playbooks/{SERIES}/render?form=prompt").text
    assert page in prompt
    assert "a person approves every change" in prompt


def test_the_description_of_the_interface_names_every_address(fleet: Fleet) -> None:
    paths = fleet.get("/api/v1/openapi.json")["paths"]
    for path in ("", "/from-trace", "/{reference}", "/{reference}/activate", "/{reference}/run", "/{reference}/diff"):
        assert FLEET + path in paths
    assert "/api/v1/incidents/bundle" in paths
    names = {one["name"].casefold() for one in paths[f"{FLEET}/{{reference}}"]["put"]["parameters"]}
    assert "if-match" in names
