"""The server: its port is its own before it is announced, and it keeps to this machine unless told."""

import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import nullcontext

import httpx2
import pytest
from starlette.datastructures import Headers

from ratchet.domain.errors import Code, Refusal
from ratchet.gateway.app import create_app
from ratchet.gateway.guard import check_host
from ratchet.gateway.server import Server, is_loopback, listener_of, serve
from tests.gateway.paper import PaperHouse


def test_a_free_port_is_found_and_given_back():
    server = Server(create_app(PaperHouse()))
    url = server.start()
    assert httpx2.get(f"{url}/livez", trust_env=False).text == "ok\n"
    server.stop()
    server.stop()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{url}/livez", trust_env=False)


def test_an_answer_is_not_held_back():
    with Server(create_app(PaperHouse())) as url, httpx2.Client(trust_env=False) as client:
        taken: list[float] = []
        for _ in range(21):
            began = time.perf_counter()
            client.post(f"{url}/api/v1/alerts", json={"alerts": []}, headers={"Authorization": "Bearer rtk_source"})
            taken.append(time.perf_counter() - began)
    assert statistics.median(taken) < 0.035


def test_a_stop_does_not_wait_for_an_idle_client():
    before = set(threading.enumerate())
    server = Server(create_app(PaperHouse()))
    url = server.start()
    with httpx2.Client(trust_env=False) as client:
        client.get(f"{url}/livez")
        server.stop()
    assert not [new for new in set(threading.enumerate()) - before if new.name == "ratchet-gateway"]


def test_a_taken_port_is_refused_with_what_to_do():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Refusal) as refused:
            Server(create_app(PaperHouse()), port=port).start()
    assert refused.value.code is Code.UNAVAILABLE
    assert "--port" in refused.value.remedy


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.test", ""])
def test_other_machines_are_let_in_only_when_told(host: str):
    with pytest.raises(Refusal) as refused:
        serve(create_app(PaperHouse()), (host, 0), ready=lambda _: None)
    assert "--allow-remote" in refused.value.remedy


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("localhost", True), ("::1", True), ("[::1]", True), ("0.0.0.0", False),
     ("localhost.evil.test", False)],
)  # fmt: skip
def test_loopback_is_told_from_the_rest(host: str, local: bool):
    assert is_loopback(host) is local


@pytest.mark.parametrize(
    ("host", "names", "called", "answers"),
    [
        ("0.0.0.0", ("ratchet.example",), "127.0.0.1:8080", True),
        ("0.0.0.0", ("ratchet.example",), "0.0.0.0:8080", False),
        ("0.0.0.0", ("ratchet.example",), "evil.test", False),
        ("", ("ratchet.example",), "", False),
        ("0.0.0.0", (), "any.example", True),
        ("192.0.2.1", ("ratchet.example",), "192.0.2.1:8080", True),
        ("192.0.2.1", ("ratchet.example",), "ratchet.example", True),
        ("127.0.0.2", (), "127.0.0.2:8080", True),
        ("127.0.0.1", (), "ratchet.example", False),
        ("[::1]", (), "[::1]:8080", True),
    ],
)
def test_a_server_answers_to_the_address_that_it_is_bound_to(
    host: str, names: tuple[str, ...], called: str, answers: bool
):
    refused = nullcontext() if answers else pytest.raises(Refusal, match="not known by that host name")
    with refused:
        check_host(Headers({"host": called}), listener_of(host, names))


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_server_on_all_addresses_is_announced_where_its_own_machine_reaches_it(host: str):
    server = Server(create_app(PaperHouse(), listener_of(host, ("ratchet.example",))), host, allow_remote=True)
    with server as url:
        assert httpx2.get(f"{url}/livez", trust_env=False).text == "ok\n"


PROGRAM = """
import socket
from ratchet.gateway.server import serve
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
told = []
def ready(url):
    told.append(url)
    print(url, flush=True)
def leaving():
    with socket.create_connection(("127.0.0.1", int(told[0].rpartition(":")[2])), timeout=5):
        print("still ours", flush=True)
serve(app, ("localhost", 0), ready, leaving=leaving)
"""


def test_serving_announces_what_answers_and_ends_at_a_signal():
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            url = program.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:")
            assert httpx2.get(url, trust_env=False).text == "ok"
            program.send_signal(signal.SIGTERM)
            assert program.wait(15) in (0, -signal.SIGTERM)
            assert program.stdout.readline().strip() == "still ours", "told before somebody else may have the port"
        finally:
            program.kill()
