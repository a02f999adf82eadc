"""The desk over HTTP is the desk in process: every verb, its views and its refusals, on a real server."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from ratchet.desk.contract import Desk
from ratchet.desk.learning_contract import Learning
from ratchet.desk.vault_contract import VaultDesk
from ratchet.desk.vault_views import Arrival, BundleRequest
from ratchet.desk.views import GrantRequest, TargetRequest
from ratchet.domain.alert import Alert
from ratchet.domain.certificate import Certification, Tried
from ratchet.domain.drill import DrillRequest
from ratchet.domain.errors import Refusal
from ratchet.domain.rating import Rating
from ratchet.domain.standing import Bound
from ratchet.domain.target import SecretRef, Target
from ratchet.gateway.client import HttpDesk
from tests.gateway.conftest import Street
from tests.gateway.paper import TOKENS, UNAVAILABLE, PaperHouse, decision, evidence
from tests.gateway.paper_drills import RUN

DRAFT = "pb_faulttest_a1b2c3"
START = datetime(2026, 11, 20, 2, 3, 4, 467858, tzinfo=UTC)
ALERT = Alert(source="alertmanager", fingerprint="c6", starts_at=START, labels={"alertname": "A"}, group_key="{}")
REQUEST = TargetRequest(
    target=Target(name="db-2", kind="postgres", diag=SecretRef(kind="env", name="DIAG"), tags=("chaos",)),
    admin=SecretRef(kind="file", name="/run/admin"),
    allow=("log",),
)
GRANT = GrantRequest(
    series="pbs_connection_triage", step="free_slots", reason="weekly drill", tag="chaos",
    bounds={"limit": Bound(most=5), "application": Bound(among=("api", "web"))}, uses=3, days=7,
)  # fmt: skip
DRILL = DrillRequest(fault="db-max-connections", target="db-1", strength="symptom")
FOUND = Certification(
    series="pbs_connection_triage", playbook_digest="sha256:aa", target="db-1", batch="a1b2c3d4", faults=("db-x",),
    seeds=(1,), tried=(Tried(part="healthy", passed=True, because="ü", runs=("run_1",)),),
)  # fmt: skip
RATING = Rating(cause="real_load", objects=("application:bill ü",), helpful=False, reason="no")
Verb = Callable[[Desk], Any]
VERBS: dict[str, Verb] = {
    "whoami": lambda d: d.whoami(),
    "receive": lambda d: d.receive([ALERT]),
    "receive nothing": lambda d: d.receive([]),
    "incidents": lambda d: d.incidents(),
    "incidents of two states": lambda d: d.incidents(status=["open", "held"], limit=7),
    "incidents further on": lambda d: d.incidents(cursor="c/2?&"),
    "incident": lambda d: d.incident("INC-1"),
    "incident unknown": lambda d: d.incident("INC-9"),
    "take": lambda d: d.take("INC-1", "mine ü"),
    "take unknown": lambda d: d.take("INC-9", "mine"),
    "hand_back": lambda d: d.hand_back("INC-1", "yours"),
    "note": lambda d: d.note("INC-1", "looked <b>"),
    "resolve": lambda d: d.resolve("INC-1", "real_load", "gone"),
    "resolve by an unknown cause": lambda d: d.resolve("INC-1", "unheard_of", "gone"),
    "escalate": lambda d: d.escalate("INC-1", "help"),
    "escalate by impact": lambda d: d.escalate("INC-1", "help", "high_impact"),
    "close_incident": lambda d: d.close_incident("INC-1", "done"),
    "automation": lambda d: d.automation(),
    "pause": lambda d: d.pause("maintenance"),
    "resume": lambda d: d.resume("over"),
    "grants": lambda d: d.grants(),
    "give_grant": lambda d: d.give_grant(GRANT),
    "revoke_grant": lambda d: d.revoke_grant("sg_1", "no more & ü"),
    "revoke_grant unknown": lambda d: d.revoke_grant("sg_9", ""),
    "evidence": lambda d: d.evidence(evidence().id),
    "evidence unknown": lambda d: d.evidence("ev_none"),
    "decisions": lambda d: d.decisions(state=["pending"]),
    "decision": lambda d: d.decision("dec_1"),
    "decision unknown": lambda d: d.decision("dec_9"),
    "approve": lambda d: d.approve("dec_1", decision().digest, "seen ü"),
    "approve another revision": lambda d: d.approve("dec_1", "sha256:old", "seen"),
    "approve twice": lambda d: [d.approve("dec_1", decision().digest, "a"), d.approve("dec_1", decision().digest, "b")],
    "deny": lambda d: d.deny("dec_1", decision().digest, "no"),
    "playbooks": lambda d: d.playbooks(),
    "playbooks of a source": lambda d: d.playbooks(source="system", series="pbs_connection_triage"),
    "playbook": lambda d: d.playbook(DRAFT),
    "playbook by pin": lambda d: d.playbook("pbs_connection_triage@1.1"),
    "playbook unknown": lambda d: d.playbook("pb_none"),
    "render": lambda d: d.render(DRAFT),
    "lint": lambda d: d.lint("kind: Playbook\n", "a.playbook.yaml"),
    "lint without mistakes": lambda d: d.lint("owner: x\n", "a.playbook.yaml"),
    "edit": lambda d: d.edit(DRAFT, {"guidance": "Look twice."}),
    "edit with mistakes": lambda d: d.edit(DRAFT, {"text": "nothing"}),
    "activate": lambda d: d.activate(DRAFT, "drilled", "sha256:1"),
    "discard": lambda d: (d.discard(DRAFT, "wrong & old"), d.playbooks()),
    "discard unknown": lambda d: d.discard("pb_none", ""),
    "vault render": lambda d: d.vault.render(DRAFT),
    "vault render as a prompt": lambda d: d.vault.render(DRAFT, "prompt"),
    "vault edit": lambda d: d.vault.edit(DRAFT, {"guidance": "Look twice."}, d.playbook(DRAFT).digest),
    "vault edit of another text": lambda d: d.vault.edit(DRAFT, {"guidance": "Look twice."}, "sha256:old"),
    "vault retire": lambda d: d.vault.retire(DRAFT, "nobody needs it ü"),
    "vault new_draft": lambda d: d.vault.new_draft(DRAFT, "tighten"),
    "vault history": lambda d: d.vault.history("pbs_x"),
    "vault history unknown": lambda d: d.vault.history("pbs_none"),
    "vault difference": lambda d: d.vault.difference(DRAFT),
    "vault difference against another": lambda d: d.vault.difference(DRAFT, "pbs_x@0.9"),
    "vault backtest": lambda d: d.vault.backtest(DRAFT),
    "vault backtest since": lambda d: d.vault.backtest(DRAFT, START),
    "vault examine": lambda d: d.vault.examine(DRAFT),
    "vault bring": lambda d: d.vault.bring(Arrival(text="# A\n", where="a.md", form="markdown", commit="a1b2c3d")),
    "vault draft_from": lambda d: d.vault.draft_from("INC-1"),
    "vault create_incident_bundle": lambda d: d.vault.create_incident_bundle(BundleRequest(incident="INC-1")),
    "vault run": lambda d: d.vault.run(DRAFT, "db-1"),
    "vault reviews": lambda d: d.vault.reviews(),
    "vault coverage": lambda d: d.vault.coverage(),
    "vault coverage of a target": lambda d: d.vault.coverage("db-1"),
    "vault status": lambda d: d.vault.status(30),
    "vault status of a target": lambda d: d.vault.status(7, "db-1"),
    "vault drift": lambda d: d.vault.drift(90),
    "vault drift of a target": lambda d: d.vault.drift(7, "db-1"),
    "learning rate": lambda d: d.learning.rate("INC-1", RATING),
    "learning rate by an unknown cause": lambda d: d.learning.rate("INC-1", Rating(cause="unheard_of")),
    "learning quality": lambda d: d.learning.quality(),
    "learning quality of drills": lambda d: d.learning.quality(7, "drill"),
    "learning follow_ups": lambda d: d.learning.follow_ups(),
    "learning follow_ups that are open": lambda d: d.learning.follow_ups("open", 7),
    "learning sign": lambda d: d.learning.sign("INC-1.2", "done", "merged ü"),
    "learning sign unknown": lambda d: d.learning.sign("INC-9.1", "wont", "no"),
    "learning suggest": lambda d: d.learning.suggest("pbs_x"),
    "targets": lambda d: d.targets(),
    "add_target": lambda d: d.add_target(REQUEST),
    "check_target": lambda d: d.check_target("db-1"),
    "check_target unknown": lambda d: d.check_target("db-9"),
    "make_token": lambda d: d.make_token("eve", person=True, role="viewer", days=30),
    "make_token without end": lambda d: d.make_token("eve", person=True, role="viewer"),
    "make_token refused": lambda d: d.make_token("eve", person=False, role="approver"),
    "tokens": lambda d: (d.make_token("eve", person=True, role="viewer"), d.tokens()),
    "revoke_token": lambda d: (d.make_token("eve", person=True, role="viewer"), d.revoke_token("tok_eve"), d.tokens()),
    "revoke_token unknown": lambda d: d.revoke_token("tok_none"),
    "kv": lambda d: d.kv("INC-1"),
    "kv unknown": lambda d: d.kv("INC-9"),
    "resolution": lambda d: d.resolution("INC-1"),
    "resolution unknown": lambda d: d.resolution("INC-9"),
    "bundle": lambda d: d.bundle("INC-1"),
    "bundle unknown": lambda d: d.bundle("INC-9"),
    "audit_verify": lambda d: d.audit_verify(),
    "audit_verify whole": lambda d: d.audit_verify(full=True),
    "audit_tail": lambda d: d.audit_tail(),
    "audit_tail further on": lambda d: d.audit_tail(limit=3, cursor="9"),
    "audit_export": lambda d: list(d.audit_export()),
    "audit_export of a span": lambda d: list(d.audit_export("cef", since=START, until=START)),
    "audit_key": lambda d: d.audit_key(),
    "doctor": lambda d: d.doctor(),
    "drills ground": lambda d: d.drills.ground("db-1"),
    "drills ground of another": lambda d: d.drills.ground("db-9"),
    "drills start": lambda d: d.drills.start(DRILL),
    "drills start with remediation": lambda d: d.drills.start(DRILL.model_copy(update={"remediate": True})),
    "drills observed": lambda d: d.drills.observed("INC-1"),
    "drills observed unknown": lambda d: d.drills.observed("INC-9"),
    "drills rejudge": lambda d: d.drills.rejudge("INC-1"),
    "drills rejudge of no drill": lambda d: d.drills.rejudge("INC-2"),
    "drills fire_again": lambda d: d.drills.fire_again("INC-1"),
    "drills fire_again of another": lambda d: d.drills.fire_again("INC-2"),
    "drills certify": lambda d: d.drills.certify(FOUND),
    "drills certificates": lambda d: d.drills.certificates(),
    "drills certificates of one": lambda d: d.drills.certificates("pbs_x"),
    "drills end": lambda d: d.drills.end("INC-1", "over & done ü"),
    "drills keep": lambda d: (d.drills.keep(RUN), d.drills.runs()),
    "drills runs": lambda d: d.drills.runs(since=START, fault="pg-x", batch="a1b2c3d4", limit=7),
}


ADMINISTERING = {"tokens", "make_token", "revoke_token", "discard"}
"""The desk on paper does not check these; the door does, and the matrix of roles covers it."""
TWO_RIGHTS = {"drills start with remediation"}
"""The door asks for the lesser right first, and names it; the desk names the one that is missing."""
ROADS = [("admin", name) for name in VERBS] + [
    ("viewer", name) for name in VERBS if name.split(" ")[0] not in ADMINISTERING and name not in TWO_RIGHTS
]


def outcome(desk: Desk, verb: Verb) -> Any:
    """What a verb gives, or how it is refused, as plain values."""
    try:
        return plain(verb(desk))
    except Refusal as refused:
        return "refused", refused.code, refused.message, refused.remedy, refused.mistakes


def plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return type(value).__name__.partition("[")[0], value.model_dump()
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def test_every_verb_of_the_desk_is_tried():
    verbs = {name for name in vars(Desk) if not name.startswith("_")}
    assert verbs == {name.split(" ")[0] for name in VERBS}


def test_every_verb_of_the_vault_is_tried():
    verbs = {name for name in vars(VaultDesk) if not name.startswith("_")}
    assert verbs == {name.split(" ")[1] for name in VERBS if name.startswith("vault ")}


def test_every_verb_of_learning_is_tried():
    verbs = {name for name in vars(Learning) if not name.startswith("_")}
    assert verbs == {name.split(" ")[1] for name in VERBS if name.startswith("learning ")}


@pytest.mark.parametrize(("role", "name"), ROADS)
def test_both_roads_lead_to_the_same_desk(street: Street, house: PaperHouse, name: str, role: str):
    token = f"rtk_{role}"
    here = PaperHouse()
    near = outcome(here.desk(TOKENS[token]), VERBS[name])
    far_desk = HttpDesk(street.url, token)
    far = outcome(far_desk, VERBS[name])
    far_desk.close()
    assert far == near
    assert house.papers.calls == here.papers.calls
    assert house.papers.alerts == here.papers.alerts


def test_the_packet_keeps_its_digest_on_the_way(street: Street):
    desk = HttpDesk(street.url, "rtk_viewer")
    packet = desk.decision("dec_1").packet
    desk.close()
    assert packet is not None
    assert packet.digest == decision().digest


def test_a_full_disk_far_away_is_the_same_refusal(street: Street, house: PaperHouse):
    house.papers.refuse = UNAVAILABLE
    desk = HttpDesk(street.url, "rtk_admin")
    with pytest.raises(Refusal) as refused:
        desk.receive([ALERT])
    desk.close()
    assert (refused.value.code, refused.value.message) == (UNAVAILABLE.code, UNAVAILABLE.message)
