"""What the desk over HTTP says when the other side is missing, strange or slow; and what it never says."""

import socket
import traceback
from collections.abc import Callable

import httpx2
import pytest

from ratchet.domain.errors import Code, Refusal
from ratchet.gateway.client import HttpDesk

TOKEN = "rtk_do_not_show_me"


def refusal(desk: HttpDesk) -> Refusal:
    with pytest.raises(Refusal) as refused:
        desk.incident("INC-1")
    shown = "".join(traceback.format_exception(refused.value)) + repr(desk) + str(vars(refused.value))
    assert TOKEN not in shown
    desk.close()
    return refused.value


def answering(reply: Callable[[httpx2.Request], httpx2.Response]) -> HttpDesk:
    return HttpDesk("http://ratchet.test", TOKEN, httpx2.MockTransport(reply))


def test_nothing_listening_says_how_to_start_it():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = refusal(HttpDesk(f"http://127.0.0.1:{port}", TOKEN))
    assert found.code is Code.UNAVAILABLE
    assert found.message == f"Nothing answers at http://127.0.0.1:{port}."
    assert "ratchet serve" in found.remedy
    assert "RATCHET_URL" in found.remedy


def test_no_answer_in_time_says_that_it_may_have_happened():
    def late(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("late", request=request)

    found = refusal(answering(late))
    assert found.code is Code.UNAVAILABLE
    assert "may still have happened" in found.message


@pytest.mark.parametrize(
    ("status", "code"), [(502, Code.FAILED), (503, Code.UNAVAILABLE), (404, Code.NOT_FOUND), (302, Code.FAILED)]
)
def test_another_servers_words_are_not_taken_for_ours(status: int, code: Code):
    found = refusal(
        answering(lambda _: httpx2.Response(status, text="<html>", headers={"Location": "http://evil.test"}))
    )
    assert found.code is code
    assert "RATCHET_URL" in found.remedy


@pytest.mark.parametrize("body", ["<html>", "{}", '{"id": "INC-1"}', ""])
def test_a_view_that_is_not_one_is_refused(body: str):
    assert refusal(answering(lambda _: httpx2.Response(200, text=body))).code is Code.FAILED


def test_the_token_goes_into_the_header_and_nowhere_else():
    seen: list[httpx2.Request] = []

    def keep(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(404)

    refusal(answering(keep))
    assert seen[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in str(seen[0].url)


@pytest.mark.parametrize(
    "token", ["rtk_do_not_show_me\n", "rtk_do_not_show_me\r\nX: y", "rtk_do_not_show_me\u00e9", ""]
)
def test_a_token_that_cannot_be_one_is_refused_unseen(token: str):
    with pytest.raises(Refusal) as refused:
        HttpDesk("http://ratchet.test", token)
    assert refused.value.code is Code.UNAUTHENTICATED
    assert TOKEN not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    "url",
    ["", "ratchet", "ftp://ratchet.test", "http://", "http://u:hunter2@ratchet.test", "http://h:99999", "http://h/?a=hunter2",
     "http://[::1"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_unseen(url: str):
    with pytest.raises(Refusal) as refused:
        HttpDesk(url, TOKEN)
    assert refused.value.code is Code.INVALID
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("reference", "path"), [("a/b", "/a%2Fb"), ("pbs_x@1.0", "/pbs_x%401.0"), ("a?b#c", "/a%3Fb%23c")]
)
def test_a_reference_stays_one_part_of_the_address(reference: str, path: str):
    seen: list[bytes] = []

    def keep(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.raw_path)
        return httpx2.Response(404)

    desk = answering(keep)
    with pytest.raises(Refusal):
        desk.playbook(reference)
    desk.close()
    assert seen == [f"/api/v1/fleet/playbooks{path}".encode()]
