"""Family D: every way to get a yes that nobody who may has said to these bytes. None of them counts."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from ratchet.domain import timeline as e
from ratchet.domain.errors import Refusal
from ratchet.domain.gate import quorum_met
from ratchet.domain.house import Role, Token
from ratchet.security.tokens import hash_token, token_text
from tests.bad_inputs.conftest import Door

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def path(packet: Any, verb: str = "approve") -> str:
    return f"/api/v1/decisions/{packet.id}/{verb}"


def standing(door: Door, packet: Any) -> str:
    return door.house.store.decision(packet.id)[0].state


def test_d2_the_digest_of_an_older_revision_is_superseded_whoever_sends_it(door: Door):
    incident, old = door.waiting()
    store = door.house.store
    incident = store.commit(incident, e.Superseded(decision=old.id, because="x"), by="ratchet", wake_at=old.expires_at)
    new = old.model_copy(update={"id": old.id + "-new", "revision": 2})
    store.commit(incident, e.Asked(packet=new), by="ratchet", wake_at=old.expires_at)
    assert door.answer(old).status_code == 409
    assert door.answer(new, digest=old.digest).status_code == 409
    assert door.approvals(new) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d[:19], lambda d: d[:-1], lambda d: d + "0", lambda d: d.upper(), lambda d: d.removeprefix("sha256:"),
        lambda d: d + " ", lambda d: " " + d, lambda d: d + "\n", lambda d: "SHA256:" + d[7:], lambda d: "*",
        lambda d: "sha256:", lambda d: d.replace("sha256", "sha512"), lambda d: d + "\u200b", lambda d: "%",
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_over_http_nothing_but_the_whole_digest_answers(door: Door, verb: str, change: Any):
    packet = door.asked()
    assert door.answer(packet, verb, digest=change(packet.digest)).status_code in (400, 409)
    assert standing(door, packet) == "pending"


def test_the_digest_of_another_decision_does_not_answer_this_one(door: Door):
    one, other = door.asked(), door.asked()
    assert door.answer(one, digest=other.digest).status_code == 409
    assert (standing(door, one), standing(door, other)) == ("pending", "pending")


@pytest.mark.parametrize("field", ["proposer", "author", "writers"])
@pytest.mark.parametrize("spelled", ["user:ana", "user:Ana", "USER:ANA", "user:aNA"])
def test_d4_nobody_approves_what_they_proposed_or_wrote_in_any_casing(door: Door, field: str, spelled: str):
    named: dict[str, Any] = {field: (spelled, "user:zoe") if field == "writers" else spelled}
    packet = door.asked(**named)
    assert door.answer(packet).status_code == 403
    assert door.answer(packet, who=door.token("ANA")).status_code == 403
    assert door.approvals(packet) == []


@pytest.mark.parametrize("field", ["proposer", "author"])
def test_a_no_counts_whoever_says_it_also_of_the_one_who_proposed_or_wrote_it(door: Door, field: str):
    named: dict[str, Any] = {field: "user:Ana"}
    packet = door.asked(**named)
    said = door.answer(packet, "deny")
    assert (said.status_code, said.json()["answered_by"]) == (200, "user:ana")
    assert standing(door, packet) == "denied"
    assert door.answer(packet, who="ben").status_code == 409


@pytest.mark.parametrize("quorum", [1, 2])
@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_a_repeated_answer_that_names_other_bytes_is_refused_and_one_that_names_the_same_is_repeated(
    door: Door, verb: str, quorum: int
):
    packet = door.asked(quorum=quorum)
    first = door.answer(packet, verb)
    other = door.answer(packet, verb, digest="sha256:" + "0" * 64)
    assert (other.status_code, "another revision" in other.text) == (409, True), other.text
    assert door.answer(packet, verb).json() == first.json()


@pytest.mark.parametrize(
    "name",
    [
        "\u0430na", "an\u0430", "\uff41na", "a\u200bna", "ana\u0301", "\u1d43na", "an\u00aa", "\u24d0na", "ana ", " ana",  # noqa: E501
        "ana\n", "ana/ben", "ana:ben", "user:ana", "ana\u0000", "ana\u202e", "", "a" * 64, "\U0001d41ana", "ana\ufe0f",
    ],
)  # fmt: skip
def test_a_name_that_looks_like_another_persons_is_nobodys(door: Door, name: str):
    body = {"name": name, "person": True, "role": "approver"}
    with pytest.raises(Refusal):
        door.house.desk(door.house.operator()).make_token(name, person=True, role="approver")
    assert door.send("POST", "/api/v1/tokens", door.token("root", "admin"), json=body).status_code == 400


@pytest.mark.parametrize("second", ["ana", "Ana", "ANA"])
def test_two_tokens_of_one_person_are_no_quorum_of_two(door: Door, second: str):
    incident, packet = door.waiting(quorum=2)
    assert door.answer(packet).status_code == 200
    door.answer(packet, who=door.token(second))
    assert door.approvals(packet) == ["user:ana"]
    assert standing(door, packet) == "pending"
    assert door.answer(packet, who="ben").status_code == 200
    assert quorum_met(packet, door.house.store.refold(incident.id).approvals)


def test_d6_with_the_worker_stopped_an_expired_decision_is_gone_all_the_same(door: Door):
    packet = door.asked(lasts=timedelta(seconds=-1))
    assert standing(door, packet) == "pending"
    assert door.answer(packet).status_code == 410
    assert door.answer(packet, "deny").status_code == 410
    assert door.approvals(packet) == []


def test_d8_of_a_yes_and_a_no_at_the_same_instant_the_no_is_never_lost(door: Door):
    packets = [door.asked() for _ in range(100)]

    def both(packet: Any) -> tuple[int, int]:
        gate = Barrier(2)

        def say(verb: str, who: str) -> int:
            gate.wait()
            return door.answer(packet, verb, who).status_code

        with ThreadPoolExecutor(2) as pair:
            yes, no = pair.submit(say, "approve", "ana"), pair.submit(say, "deny", "ben")
            return yes.result(), no.result()

    with ThreadPoolExecutor(4) as crowd:
        said = list(crowd.map(both, packets))
    for packet, (yes, no) in zip(packets, said, strict=True):
        assert (yes in (200, 409), no in (200, 503)) == (True, True), (yes, no)
        if no == 200:
            assert standing(door, packet) == "denied"
            assert door.approvals(packet) == []
    assert sum(no == 200 for _, no in said) == 100


def test_the_same_yes_a_hundred_times_at_once_is_one_yes(door: Door):
    packet = door.asked()
    with ThreadPoolExecutor(8) as crowd:
        codes = list(crowd.map(lambda _: door.answer(packet).status_code, range(100)))
    assert set(codes) == {200}
    assert door.approvals(packet) == ["user:ana"]


def test_a_no_is_final_for_everybody_and_for_ever(door: Door):
    packet = door.asked()
    assert door.answer(packet, "deny").status_code == 200
    for who in ("ana", "ben", door.token("root", "admin")):
        assert door.answer(packet, who=who).status_code == 409
    assert standing(door, packet) == "denied"


def test_an_old_answer_sent_again_says_the_first_answer_and_adds_nothing(door: Door):
    packet = door.asked()
    first = door.answer(packet).json()
    position = door.house.store.audit.head().position
    again = door.answer(packet, reason="other words").json()
    assert (again["reason"], again["answered_by"]) == (first["reason"], first["answered_by"])
    assert door.house.store.audit.head().position == position


@pytest.mark.parametrize(
    "extra",
    [
        {"approval_mode": "force"}, {"approved": True}, {"by": "user:ben"}, {"quorum": 1}, {"epoch": 0},
        {"expires_at": "9999-01-01T00:00:00Z"}, {"digest ": "x"}, {"Digest": "x"}, {"force": True}, {"__class__": "x"},
        {"channel": "cli"}, {"decision": "x"}, {"at": "2020-01-01T00:00:00Z"}, {"": ""},
    ],
)  # fmt: skip
def test_d10_an_answer_has_no_other_field(door: Door, extra: dict[str, Any]):
    packet = door.asked()
    assert door.answer(packet, **extra).status_code == 400
    assert standing(door, packet) == "pending"


@pytest.mark.parametrize(
    "query", ["approved=true", "force=1", "digest=x", "token=x", "_method=approve", "verb=approve"]
)
def test_d10_a_query_says_nothing(door: Door, query: str):
    packet = door.asked()
    body = {"digest": packet.digest, "reason": "x"}
    assert door.send("POST", f"{path(packet)}?{query}", json=body).status_code == 400
    assert standing(door, packet) == "pending"


@pytest.mark.parametrize(
    "content", [b"null", b"[]", b'[{"digest":"x"}]', b"true", b'"x"', b"{}", b"", b"7", b'{"digest":null}', b'{"digest":["x"]}'],  # noqa: E501
)  # fmt: skip
def test_a_body_of_another_shape_is_no_answer(door: Door, content: bytes):
    packet = door.asked()
    for verb in ("approve", "deny"):
        headers = {"Content-Type": "application/json"}
        assert door.send("POST", path(packet, verb), content=content, headers=headers).status_code in (400, 415)
    assert standing(door, packet) == "pending"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (FORM, 415), ({"Content-Type": "text/plain"}, 415), ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content-Type": "application/json", "Origin": "null"}, 403),
        ({"Content-Type": "application/json", "Origin": "http://evil.test"}, 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "application/json", "Host": "evil.test"}, 403),
        ({"Content-Type": "text/plain; application/json"}, 415), ({"Content-Type": "application/jsonp"}, 415),
    ],
)  # fmt: skip
def test_d14_a_page_of_another_site_cannot_answer_even_with_a_persons_token(
    door: Door, headers: dict[str, str], status: int
):
    packet = door.asked()
    content = f'{{"digest": "{packet.digest}", "reason": "x"}}'.encode()
    assert door.send("POST", path(packet), content=content, headers=headers).status_code == status
    assert standing(door, packet) == "pending"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "APPROVE"])
def test_no_other_verb_answers_not_even_when_a_header_says_so(door: Door, method: str):
    packet = door.asked()
    headers = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST"}
    content = f'{{"digest": "{packet.digest}", "reason": "x"}}'.encode()
    headers["Content-Type"] = "application/json"
    assert door.send(method, path(packet), content=content, headers=headers).status_code in (405, 404)
    assert standing(door, packet) == "pending"


@pytest.mark.parametrize("header", ["X-User", "X-Forwarded-User", "X-Remote-User", "Remote-User", "X-Ratchet-User"])
def test_a_header_makes_nobody_a_person(door: Door, header: str):
    packet = door.asked()
    body = {"digest": packet.digest, "reason": "x"}
    for who in ("vic", "monitor", None):
        answer = door.send("POST", path(packet), who, json=body, headers={header: "ana"})
        assert answer.status_code in (401, 403)
    assert standing(door, packet) == "pending"


@pytest.mark.parametrize("role", ["viewer", "operator", "source"])
def test_a_role_below_the_approvers_never_answers(door: Door, role: Role):
    packet = door.asked()
    assert door.answer(packet, who=door.token("low", role)).status_code == 403
    assert door.answer(packet, "deny", who=door.token("low", role)).status_code == 403


@pytest.mark.parametrize("role", ["approver", "admin"])
def test_a_service_is_never_made_one_that_approves(door: Door, role: Role):
    with pytest.raises(Refusal):
        door.token("bot", role, person=False)


def test_a_token_revoked_half_way_adds_no_second_yes(door: Door):
    packet = door.asked(quorum=2)
    assert door.answer(packet).status_code == 200
    late = door.token("cleo")
    door.house.desk(door.house.operator()).revoke_token(late)
    assert door.answer(packet, who=late).status_code == 401
    assert door.approvals(packet) == ["user:ana"]


def test_a_token_that_expired_is_nobody(door: Door):
    text, now = token_text(b"7" * 32), datetime.now(UTC)
    old = Token(
        id="tok_old", name="dora", person=True, role="approver", hashed=hash_token(text),
        created_at=now - timedelta(days=2), expires_at=now - timedelta(seconds=1),
    )  # fmt: skip
    door.house.store.put_token(old, "user:ana")
    packet = door.asked()
    assert door.answer(packet, who=text).status_code == 401
    assert standing(door, packet) == "pending"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer", "Basic {}", "Token {}", "Bearer {} {}", "Bearer {}\u00a0x", 'Bearer "{}"',
        "Bearer {},Bearer x", "{}", "Bearer rtk_", "Bearer " + "x" * 8000,
    ],
)  # fmt: skip
def test_a_token_dressed_otherwise_is_nobody(door: Door, header: str):
    packet = door.asked()
    dressed = header.replace("{}", door.tokens["ana"]).encode("latin-1")
    body = {"digest": packet.digest, "reason": "x"}
    answer = door.send("POST", path(packet), None, json=body, headers={"Authorization": dressed})
    assert answer.status_code in (400, 401), answer.text
    assert standing(door, packet) == "pending"


def test_a_yes_from_before_a_take_over_counts_no_more_after_it(door: Door):
    incident, packet = door.waiting(quorum=2)
    assert door.answer(packet).status_code == 200
    store = door.house.store
    store.commit(store.incident(incident.id), e.Taken(by="user:ben", reason="mine"), by="user:ben", wake_at=None)
    assert door.answer(packet, who="ben").status_code == 409
    assert door.approvals(packet) == []


@pytest.mark.parametrize("reason", ["x" * 4001, "x" * 1_000_000])
def test_a_reason_without_end_is_refused(door: Door, reason: str):
    packet = door.asked()
    assert door.answer(packet, reason=reason).status_code in (400, 413)
    assert standing(door, packet) == "pending"


@pytest.mark.parametrize("reason", ["\u202egnirts", "\x1b[2Japproved by ben", "\u0000", "user:ben approved by http."])
def test_a_reason_is_a_reason_and_answers_for_nobody_else(door: Door, reason: str):
    packet = door.asked(quorum=2)
    assert door.answer(packet, reason=reason).status_code in (200, 400)
    assert set(door.approvals(packet)) <= {"user:ana"}
    assert standing(door, packet) == "pending"


def test_the_record_of_everything_above_still_holds(door: Door):
    assert door.house.store.verify().ok
