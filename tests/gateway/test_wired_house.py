"""The wired house behind the door: what the desk over HTTP says is what the desk in process says."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ratchet.config import Settings
from ratchet.desk.contract import Desk
from ratchet.desk.views import TargetRequest
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.target import SecretRef, Target
from ratchet.gateway.client import HttpDesk
from ratchet.security.private_file import write_private
from ratchet.wiring.house import House, open_house
from tests.gateway.conftest import Street
from tests.gateway.test_one_desk import ALERT, GRANT, VERBS, Verb, outcome

LASTING: dict[str, Verb] = {
    **{name: verb for name, verb in VERBS.items() if name.endswith("unknown")},
    **{name: VERBS[name] for name in ("whoami", "incidents", "incident", "decisions", "playbooks", "targets", "lint")},
    "kv": VERBS["kv"],
    "resolution": VERBS["resolution"],
    "bundle": VERBS["bundle"],
    "audit_verify": VERBS["audit_verify"],
    "audit_verify whole": VERBS["audit_verify whole"],
    "audit_tail": VERBS["audit_tail"],
    "audit_tail with a cursor of nobody": lambda d: d.audit_tail(cursor="-1"),
    "audit_export": VERBS["audit_export"],
    "audit_export as OCSF": lambda d: list(d.audit_export("ocsf")),
    "audit_export as CEF": lambda d: list(d.audit_export("cef")),
    "audit_export of a span": VERBS["audit_export of a span"],
    "audit_key": VERBS["audit_key"],
    "the same alert again": lambda d: d.receive([ALERT]),
    "tokens": lambda d: d.tokens(),
    "an active playbook": lambda d: d.playbook("pbs_connection_triage"),
    "an active playbook as a page": lambda d: d.render("pbs_connection_triage@1.0"),
    "editing what is active": lambda d: d.edit(d.playbook("pbs_connection_triage").id, {"guidance": "x"}),
    "a status that there is not": lambda d: d.incidents(status=["open", "awaitng_approval"]),
    "a state that there is not": lambda d: d.decisions(state=["pendng"]),
    "a cursor of nobody": lambda d: d.incidents(cursor="zz"),
}
"""Verbs that give the same answer twice on one house."""


@pytest.fixture(scope="module")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = open_house(Settings(home=tmp_path_factory.mktemp("state") / "ratchet"), lambda _: None)
    yield house
    house.close()


@pytest.fixture
def roads(wired: House, _street: Street) -> Iterator[tuple[Desk, Desk]]:
    """The desk in process and the desk over HTTP, for the first admin, over one house with one incident."""
    _street.put(wired)
    token = (wired.settings.home / "token").read_text(encoding="utf-8").strip()
    principal = wired.principal(token, "http")
    assert principal is not None
    near, far = wired.desk(principal), HttpDesk(_street.url, token)
    near.receive([ALERT])
    yield near, far
    far.close()


@pytest.mark.parametrize("name", LASTING)
def test_both_roads_lead_to_the_wired_desk(roads: tuple[Desk, Desk], name: str):
    near, far = roads
    assert outcome(far, LASTING[name]) == outcome(near, LASTING[name])


def test_a_list_of_what_there_is_not_is_refused_and_not_empty(wired: House):
    desk = wired.desk(wired.operator())
    with pytest.raises(Refusal, match="no status 'awaitng_approval'") as no:
        desk.incidents(status=["open", "awaitng_approval"])
    assert "awaiting_approval" in no.value.remedy
    with pytest.raises(Refusal, match="no state 'pendng'"):
        desk.decisions(state=["pendng"])


def test_the_first_token_is_the_person_s_who_started_the_house(tmp_path: Path):
    for account, name in (("ana", "ana"), ("CORP\\ana b", "ana-b"), ("", "operator"), ("x" * 70, "x" * 63)):
        settings = Settings(home=tmp_path / f"home-{len(account)}", operator=account)
        house = open_house(settings, lambda _: None)
        try:
            person = house.principal((settings.home / "token").read_text().strip(), "http")
        finally:
            house.close()
        assert person is not None
        assert (person.id, person.role) == (f"user:{name}", "admin")


def test_the_first_admin_token_stands_in_a_private_file(wired: House):
    path: Path = wired.settings.home / "token"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "over",
    [
        {"diag": SecretRef(kind="env", name="postgresql://u:hunter2222@h/db")},
        {"diag": SecretRef(kind="env", name="hunter-2222")},
        {"act": SecretRef(kind="pgpass", name="host=h user=a password=hunter2222")},
        {"act": SecretRef(kind="pgpass", name="postgresql://a:hunter/2222@h/db")},
        {"canary": SecretRef(kind="file", name="postgresql://c:hunter2222@h/db")},
        {"canary": SecretRef(kind="file", name="host=h password = hunter2222")},
        {"address": "postgresql://c:hunter2222@h/db"},
    ],
)
def test_a_credential_in_the_place_of_a_reference_is_refused_unseen_and_kept_nowhere(
    wired: House, over: dict[str, Any]
):
    target = Target(name="shop-db", kind="postgres", **{"diag": SecretRef(kind="pgpass", name="host=h"), **over})
    with pytest.raises(Refusal) as refused:
        wired.desk(wired.operator()).add_target(TargetRequest(target=target))
    assert refused.value.code is Code.INVALID and "2222" not in f"{refused.value} {refused.value.remedy}"
    assert wired.store.targets() == [] and not any("2222" in each.stored for each in wired.store.audit.newest(50, None))


def test_the_doctor_says_that_automation_is_paused_by_whom_and_what_ends_it(wired: House):
    desk = wired.desk(wired.operator())
    desk.pause("calm first")
    (paused,) = [check for check in desk.doctor() if check.name == "automation"]
    desk.resume("calm now")
    (runs,) = [check for check in desk.doctor() if check.name == "automation"]
    assert (paused.ok, runs.ok) == (None, True)
    assert paused.detail.endswith("paused it: calm first") and paused.remedy.startswith("ratchet resume")


def said_of(house: House, before: int) -> str:
    """The stored bytes of every event since, as one text."""
    return "\n".join(entry.stored for entry in house.store.audit.entries(before, 500))


def test_no_reason_that_a_person_gives_keeps_a_secret(wired: House):
    desk, before = wired.desk(wired.operator()), wired.store.audit.head().position
    said = "because password=hunter2222, see postgres://u:hunter2222@h/db"
    wired.store.put_target(Target(name="db-2", kind="postgres", tags=("chaos",)), "user:ana")
    desk.pause(said)
    assert "hunter2222" not in desk.automation().because
    desk.resume(said)
    given = desk.give_grant(GRANT.model_copy(update={"step": "end_idle_sessions", "reason": said, "bounds": {}}))
    desk.revoke_grant(given.grant.id, said)
    desk.discard(desk.vault.new_draft("pbs_connection_triage", said).id, said)
    draft = desk.edit(desk.vault.new_draft("pbs_connection_triage", said).id, {"owner": "user:default/ana"})
    desk.activate(draft.id, said, draft.digest)
    desk.activate("pbs_connection_triage@1.0", said)
    desk.vault.retire("pbs_connection_triage", said)
    kinds = {entry.kind for entry in wired.store.audit.entries(before, 500)}
    told = {"paused", "resumed", "standing_given", "standing_revoked", "version_drafted", "discarded", "activated"}
    assert told | {"retired"} <= kinds
    assert "hunter2222" not in said_of(wired, before) and "[secret:" in said_of(wired, before)


def test_alerts_of_a_group_whose_key_holds_a_secret_still_find_each_other(wired: House):
    desk, before = wired.desk(wired.operator()), wired.store.audit.head().position
    keys = [f'{{}}:{{dsn="postgres://u:hunter2222@{host}/db"}}' for host in ("h", "h", "other")]
    alerts = [
        ALERT.model_copy(update={"group_key": key, "fingerprint": f"password=hunter2222 {n}"})
        for n, key in enumerate(keys)
    ]
    names = [desk.receive([alert])[0] for alert in alerts]
    assert names[0] == names[1] != names[2]
    assert desk.receive([alerts[0]]) == names[:1]
    assert "hunter2222" not in said_of(wired, before)


def test_a_house_opened_for_one_line_knows_the_credentials_that_it_never_used(wired: House, tmp_path: Path):
    write_private(tmp_path / "act", b"postgresql://act:tr0ub4dor-and-3@127.0.0.1:1/shop")
    act = SecretRef(kind="file", name=str(tmp_path / "act"))
    lost = SecretRef(kind="env", name="NOT_SET_HERE")
    wired.store.put_target(Target(name="db-3", kind="postgres", diag=lost, act=act), "user:ana")
    before = wired.store.audit.head().position
    house = open_house(wired.settings, lambda _: None)
    try:
        desk = house.desk(house.operator())
        name = desk.receive([ALERT.model_copy(update={"annotations": {"summary": "tr0ub4dor-and-3 was refused"}})])[0]
        desk.note(name, "tried it with tr0ub4dor-and-3")
    finally:
        house.close()
    assert "tr0ub4dor" not in said_of(wired, before) and "was refused" in said_of(wired, before)


def test_the_figures_count_all_incidents_and_tell_of_the_chain(wired: House):
    near = wired.desk(wired.operator())
    apart = [ALERT.model_copy(update={"fingerprint": f"f{n}", "group_key": f"g{n}"}) for n in range(201)]
    before = wired.figures()["incidents.open"]
    assert len(near.receive(apart)) == 201
    figures = wired.figures()
    assert figures["incidents.open"] == before + 201
    assert (figures["audit_chain_ok"], figures["at_work"], figures["decisions_pending"]) == (1.0, 0.0, 0.0)
    with sqlite3.connect(wired.settings.home / "ratchet.db", isolation_level=None) as vandal:
        (good,) = vandal.execute("SELECT mac FROM head").fetchone()
        vandal.execute("UPDATE head SET mac = zeroblob(32)")
        near.audit_verify()
        vandal.execute("UPDATE head SET mac = ?", (good,))
    vandal.close()
    assert near.audit_verify().ok
    assert wired.figures()["audit_chain_ok"] == 0.0, "until every event was walked"
    assert near.audit_verify(full=True).ok
    assert wired.figures()["audit_chain_ok"] == 1.0
