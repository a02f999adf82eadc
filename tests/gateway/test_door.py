"""The door itself: who may come in, from where, with what, and how a no sounds."""

import logging
from collections.abc import Callable

import pytest
from fastapi import FastAPI

from ratchet.desk.contract import Desk
from ratchet.desk.views import CheckView
from ratchet.domain.errors import Code, Refusal
from ratchet.gateway.access import Needs, Open, declarations
from ratchet.gateway.app import create_app
from ratchet.gateway.house import Listener
from ratchet.gateway.problem import STATUS
from ratchet.security.principal import may
from tests.gateway.bodies import webhook
from tests.gateway.conftest import Street
from tests.gateway.paper import TOKENS, PaperHouse, decision, evidence

DECLARED = declarations(create_app(PaperHouse()))
PRIVATE = {route: needs for route, needs in DECLARED.items() if isinstance(needs, Needs)}
BODIES = {
    "POST /api/v1/sources/alertmanager": webhook(),
    "POST /api/v1/alerts": {"alerts": []},
    "POST /api/v1/decisions/{reference}/approve": {"digest": decision().digest, "reason": "seen"},
    "POST /api/v1/decisions/{reference}/deny": {"digest": decision().digest, "reason": "no"},
    "PUT /api/v1/fleet/playbooks/{reference}": {"guidance": "Look twice."},
    "POST /api/v1/playbooks/lint": {"text": "x"},
    "POST /api/v1/targets": {"target": {"name": "db-2", "kind": "postgres"}},
    "POST /api/v1/tokens": {"name": "eve", "person": True, "role": "viewer"},
}
IDS = {
    "decisions": "dec_1", "incidents": "INC-1", "evidence": evidence().id, "playbooks": "pb_faulttest_a1b2c3",
    "targets": "db-1", "tokens": "tok_eve",
}  # fmt: skip


def address(route: str) -> tuple[str, str]:
    method, path = route.split(" ")
    noun = next((name for name in IDS if f"/{name}/" in path), "")
    return method, path.replace("{reference}", IDS.get(noun, "x"))


def test_every_route_says_who_may_use_it():
    assert [route for route, declared in DECLARED.items() if declared is None] == []
    public = sorted(route for route, declared in DECLARED.items() if isinstance(declared, Open))
    assert public == [
        "GET /api/v1/docs", "GET /api/v1/openapi.json", "GET /health", "GET /healthz", "GET /livez", "GET /metrics",
        "GET /readyz",
    ]  # fmt: skip


def test_a_route_that_does_not_say_it_stops_the_application(monkeypatch: pytest.MonkeyPatch):
    bare = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    bare.get("/loose")(lambda: "anyone")
    monkeypatch.setattr("ratchet.gateway.app.ROUTERS", (bare.router,))
    with pytest.raises(RuntimeError, match="GET /loose"):
        create_app(PaperHouse())


@pytest.mark.parametrize("route", PRIVATE)
def test_every_route_lets_in_exactly_those_roles_that_may(ask, house: PaperHouse, route: str):
    method, path = address(route)
    body = {"json": BODIES[route]} if route in BODIES else {}
    needs, person = PRIVATE[route].permission, PRIVATE[route].person
    for text, principal in TOKENS.items():
        calls = len(house.papers.calls)
        answer = ask(method, path, text.removeprefix("rtk_"), **body)
        if (needs is None or may(principal, needs)) and (principal.kind == "person" or not person):
            assert answer.status_code not in (401, 403), (text, answer.text)
        else:
            assert answer.status_code == 403, (text, answer.text)
            assert len(house.papers.calls) == calls


@pytest.mark.parametrize("route", PRIVATE)
def test_every_route_refuses_strangers(ask, house: PaperHouse, route: str):
    method, path = address(route)
    body = {"json": BODIES[route]} if route in BODIES else {}
    for headers in ({}, {"Authorization": "Bearer rtk_wrong"}, {"Authorization": "Basic dXNlcg=="}):
        answer = ask(method, path, headers=headers, **body)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="ratchet"'
        assert answer.json()["code"] == "unauthenticated"
    assert house.papers.calls == []


def test_a_service_is_not_made_a_person_by_a_header(ask):
    headers = {"X-User": "ana", "X-Forwarded-User": "ana"}
    path = "/api/v1/decisions/dec_1/approve"
    assert ask("POST", path, "service", headers=headers, json={"digest": decision().digest}).status_code == 403


@pytest.mark.parametrize(
    "token", ["eyJhbGciOiJub25lIn0.e30.", "rtk_", "a b", "\u00e9".encode("latin-1").decode("latin-1")]
)
def test_odd_tokens_are_unknown_tokens(ask, token: str):
    answer = ask("GET", "/api/v1/incidents", headers={"Authorization": f"Bearer {token}".encode("latin-1")})
    assert answer.status_code == 401


def test_a_token_in_the_address_lets_nobody_in(ask):
    for name in ("token", "access_token", "api_key"):
        assert ask("GET", f"/api/v1/incidents?{name}=rtk_admin").status_code == 401


APPROVE = "/api/v1/decisions/dec_1/approve"


def test_an_answer_is_bound_to_what_was_shown(ask):
    stale = ask("POST", APPROVE, "approver", json={"digest": "sha256:old", "reason": "x"})
    assert (stale.status_code, stale.json()["code"]) == (409, "conflict")
    first = ask("POST", APPROVE, "approver", json={"digest": decision().digest, "reason": "seen"})
    again = ask("POST", APPROVE, "approver", json={"digest": decision().digest, "reason": "other words"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert first.json()["answered_by"] == "user:ana"
    late = ask("POST", APPROVE, "approver2", json={"digest": decision().digest, "reason": "me too"})
    assert late.status_code == 409


def test_an_expired_decision_is_gone(ask, house: PaperHouse):
    house.papers.refuse = Refusal(Code.GONE, "It expired.", "Look at the handoff.")
    assert ask("POST", APPROVE, "approver", json={"digest": "sha256:x"}).status_code == 410


@pytest.mark.parametrize("extra", [{"approval_mode": "force"}, {"approved": True}, {"by": "user:ben"}, {"force": 1}])
def test_an_answer_has_no_other_field(ask, house: PaperHouse, extra: dict[str, object]):
    answer = ask("POST", APPROVE, "approver", json={"digest": decision().digest, "reason": "x", **extra})
    assert answer.status_code == 400
    assert answer.json()["mistakes"][0]["where"] == f"body.{next(iter(extra))}"
    assert house.papers.calls == []


def test_a_query_cannot_approve(ask, house: PaperHouse):
    answer = ask("POST", f"{APPROVE}?approved=true", "approver", json={"digest": decision().digest})
    assert answer.status_code == 400
    assert "approved" in answer.json()["detail"]
    assert ask("GET", APPROVE, "approver").status_code == 405
    assert house.papers.calls == []


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"digest=x", 415),
        ({"Content-Type": "text/plain"}, b'{"digest": "x"}', 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--", 415),
        ({}, b'{"digest": "x"}', 415),
        ({"Content-Type": "application/json", "Origin": "null"}, b'{"digest": "x"}', 403),
        ({"Content-Type": "application/json", "Origin": "https://evil.test"}, b'{"digest": "x"}', 403),
        ({"Content-Type": "application/json", "Origin": "http://[::1"}, b'{"digest": "x"}', 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, b'{"digest": "x"}', 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "same-site"}, b'{"digest": "x"}', 403),
        ({"Content-Type": "text/plain", "Origin": "null"}, b'{"digest": "x"}', 403),
    ],
)
def test_another_site_cannot_answer(ask, house: PaperHouse, headers: dict[str, str], content: bytes, status: int):
    answer = ask("POST", APPROVE, "approver", headers=headers, content=content)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert house.papers.calls == []


def test_another_site_cannot_hand_in_alerts_through_a_browser_on_this_machine(ask, house: PaperHouse):
    house.source = TOKENS["rtk_source"]
    headers = {"Content-Type": "application/json", "Origin": "https://evil.test"}
    assert ask("POST", "/api/v1/sources/alertmanager", headers=headers, json=webhook()).status_code == 403


def test_our_own_page_may_answer(ask, street: Street):
    headers = {"Origin": street.url, "Sec-Fetch-Site": "same-origin"}
    answer = ask("POST", APPROVE, "approver", headers=headers, json={"digest": decision().digest, "reason": "x"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("localhost:9", 200), ("LOCALHOST", 200), ("[::1]:8080", 200), ("ratchet.example", 403),
        ("127.0.0.1.evil.test", 403), ("evil.test:8080", 403), ("localhost@evil.test", 403), ("[", 403),
    ],
)  # fmt: skip
def test_a_name_that_nobody_gave_is_refused(ask, host: str, status: int):
    assert ask("GET", "/livez", headers={"Host": host}).status_code == status


def test_a_configured_name_is_answered(ask, street: Street, house: PaperHouse):
    street.put(house, Listener(names=("Ratchet.example",)))
    assert ask("GET", "/livez", headers={"Host": "ratchet.example:443"}).status_code == 200
    assert ask("GET", "/livez", headers={"Host": "evil.test"}).status_code == 403


def test_figures_are_open_on_loopback_only(ask, street: Street, house: PaperHouse):
    assert ask("GET", "/metrics").status_code == 200
    street.put(house, Listener(loopback=False))
    assert ask("GET", "/metrics").status_code == 401
    assert ask("GET", "/metrics", "source").status_code == 403
    assert ask("GET", "/metrics", "viewer").status_code == 200


BAD_IDS = [
    "../../etc/passwd",
    "%2e%2e%2f",
    "..%c0%af",
    "%00",
    "x" * 4096,
    "a%0Ab",
    "%3Cscript%3E",
    "a%20b",
    "%F0%9F%92%A9",
]


@pytest.mark.parametrize("reference", BAD_IDS)
def test_an_id_is_never_a_path(ask, house: PaperHouse, reference: str):
    for path in ("/api/v1/incidents/", "/api/v1/evidence/", "/api/v1/fleet/playbooks/", "/api/v1/decisions/"):
        answer = ask("GET", path + reference, "admin")
        assert answer.status_code in (400, 404), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert "<script>" not in answer.text
    assert house.papers.calls == []


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b'"x"', b"null", b"NaN", b'{"digest": NaN}', b'{"digest": 1e999}',
     b'{"digest": ' + b"9" * 5000 + b"}", b"[" * 50_000, b'{"digest": {"a": 1}}', b"\xff", b'{"digest": "\\ud800"}'],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_a_problem_and_no_fault(ask, house: PaperHouse, content: bytes):
    answer = ask("POST", APPROVE, "approver", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert house.papers.calls == []


def test_every_code_has_its_status(ask, house: PaperHouse):
    assert set(STATUS) == set(Code)
    for code, status in STATUS.items():
        house.papers.refuse = Refusal(code, "No.", "Do this.")
        answer = ask("GET", "/api/v1/incidents", "viewer")
        assert answer.status_code == status
        said = answer.json()
        assert (said["code"], said["detail"], said["remedy"], said["error"]) == (code.value, "No.", "Do this.", "No.")
        assert (said["type"], said["status"]) == (f"/problems/{code.value}", status)


def test_nothing_there_and_no_such_verb_are_problems_too(ask):
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/incidents/", 404),
        ("PATCH", "/livez", 405),
    ):
        answer = ask(method, path, "admin")
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_a_fault_of_ours_shows_a_reference_and_nothing_else(ask, house: PaperHouse, caplog: pytest.LogCaptureFixture):
    def broken() -> Desk:
        raise ZeroDivisionError("password=hunter2 in /srv/ratchet/store.py")

    house.break_desk = broken
    with caplog.at_level(logging.ERROR):
        answer = ask("GET", "/api/v1/incidents", "viewer")
    said = answer.json()
    assert (answer.status_code, said["code"]) == (500, "failed")
    for secret in ("hunter2", "ZeroDivision", "store.py", "Traceback"):
        assert secret not in answer.text
    assert any(said["reference"] in record.getMessage() for record in caplog.records)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_answer_carries_safe_headers(ask):
    answers: list[Callable[[], object]] = [
        lambda: ask("GET", "/livez"), lambda: ask("GET", "/nothing"), lambda: ask("GET", "/api/v1/incidents", "viewer"),
        lambda: ask("GET", "/livez", headers={"Host": "evil.test"}),
    ]  # fmt: skip
    for answer in answers:
        headers = answer().headers  # type: ignore[attr-defined]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers


def test_ready_says_which_check_failed_and_no_more(ask, house: PaperHouse):
    assert ask("GET", "/readyz").status_code == 200
    house.checks = [
        CheckView(name="store", ok=False, detail="/secret/path"),
        CheckView(name="clock", ok=None, detail="?"),
    ]
    answer = ask("GET", "/readyz")
    assert answer.status_code == 503
    assert "[-]store failed" in answer.text
    assert "secret" not in answer.text


def test_alive_asks_nobody(ask, house: PaperHouse):
    house.checks = [CheckView(name="store", ok=False, detail="")]
    assert ask("GET", "/livez").text == "ok\n"
    assert ask("GET", "/healthz").status_code == 200
    assert ask("GET", "/health").json() == {"status": "ok"}


def test_figures_have_their_names_and_bounded_labels(ask):
    answer = ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    for line in (
        'ratchet_incidents{state="open"} 2.0', 'ratchet_incidents{state="resolved"} 5.0',
        "ratchet_decisions_pending 1.0", "ratchet_automation_enabled 1.0",
        "ratchet_audit_chain_ok 1.0", "ratchet_build_info{",
    ):  # fmt: skip
        assert line in answer.text
    assert "INC-" not in answer.text
    assert "odd" not in answer.text
    openmetrics = ask("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    assert openmetrics.text.endswith("# EOF\n")


def test_the_interface_describes_itself_without_other_servers(ask):
    described = ask("GET", "/api/v1/openapi.json").json()
    assert "/api/v1/decisions/{reference}/approve" in described["paths"]
    page = ask("GET", "/api/v1/docs")
    assert "/api/v1/decisions/{reference}/approve" in page.text
    assert "http" not in page.text.replace("Authorization", "")
    assert "<script" not in page.text


def test_the_seeds_own_lines_work(ask):
    listed = ask("GET", "/api/v1/fleet/playbooks?source=generated", "viewer").json()["playbooks"]
    assert [(p["id"], p["name"], p["is_active"]) for p in listed] == [
        ("pb_faulttest_a1b2c3", "Connection & Lock Triage", False)
    ]
    path = "/api/v1/fleet/playbooks/pb_faulttest_a1b2c3"
    assert ask("PUT", path, "approver", json={"guidance": "Updated."}).json()["guidance"] == "Updated."
    assert ask("GET", path, "viewer").json()["revision"] == 2
    assert ask("POST", f"{path}/activate", "approver").json()["is_active"] is True
    assert ask("DELETE", path, "approver").status_code == 409
    assert ask("GET", "/api/v1/fleet/playbooks?source=system", "viewer").json() == {"playbooks": []}


def test_a_new_tokens_text_is_never_cached(ask):
    answer = ask("POST", "/api/v1/tokens", "admin", json={"name": "eve", "person": True, "role": "viewer"})
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
