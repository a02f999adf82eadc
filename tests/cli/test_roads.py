"""Which desk is asked, and what is told about it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from ratchet.cli import known_keys, server_file
from ratchet.cli.given import Given
from ratchet.cli.over_http import as_curl
from ratchet.cli.road import settings_of
from ratchet.domain.errors import Refusal
from ratchet.security import alone
from tests.cli.conftest import PROGRAM, environment


@dataclass
class Served:
    """A server of a home, in a process of its own; what it says goes to a file."""

    process: "subprocess.Popen[str]"
    said: Path
    url: str

    def lines(self) -> list[str]:
        return self.said.read_text(encoding="utf-8").splitlines()


@contextlib.contextmanager
def serving(home: Path, *words: str):
    """Ended with SIGTERM."""
    said = home.parent / "said"
    with said.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [*PROGRAM, "serve", "--port", "0", *words], env=environment(home), stderr=out, text=True
        )
        try:
            yield Served(process, said, found_url(process, home, said))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


def found_url(process: "subprocess.Popen[str]", home: Path, said: Path) -> str:
    deadline = time.monotonic() + 30
    while (found := server_file.running(home)) is None:
        assert time.monotonic() < deadline
        assert process.poll() is None, said.read_text(encoding="utf-8")
        time.sleep(0.05)
    return found.url


def test_a_server_of_this_home_is_found_asked_and_forgotten(ratchet, home):
    with serving(home) as served:
        url = served.url
        found = ratchet("doctor", "-o", "json")
        assert found.returncode == 0, found.stderr
        assert url in found.stderr
        assert json.loads(found.stdout)["items"]
        told = ratchet("--debug", "playbook", "list")
        assert f"curl -sS -X GET {url}/api/v1/fleet/playbooks" in told.stderr
        assert "rtk_" not in told.stderr
        again = ratchet("serve", "--port", "0")
        assert again.returncode == 1
        assert "runs already" in again.stderr
    assert served.process.returncode == 0, served.lines()
    assert not (home / server_file.NAME).exists()
    lines = served.lines()
    assert lines[0].startswith('INFO msg="playbooks: seeded system playbook" name=')
    assert any(line == f"Ratchet listens at {url}; the admin token is in {home / 'token'}" for line in lines)
    assert "Asked in this process" in ratchet("doctor").stderr


def test_a_server_without_a_worker_says_so_until_one_works_beside_it(home):
    with serving(home, "--no-worker") as served:
        token = (home / "token").read_text(encoding="utf-8").strip()
        with httpx2.Client(base_url=served.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as http:
            alert = {
                "source": "x",
                "fingerprint": "f1",
                "starts_at": "2026-11-21T10:00:00Z",
                "labels": {"alertname": "Down"},
            }
            taken = http.post("/api/v1/alerts", json={"alerts": [alert]})
            assert taken.status_code == 202, taken.text
            assert "[+]worker unknown" in http.get("/readyz").text
            assert http.get("/api/v1/incidents").json()["items"][0]["status"] == "open"
            worker = subprocess.Popen([*PROGRAM, "worker"], env=environment(home), stderr=subprocess.PIPE, text=True)
            try:
                until(worker, lambda: http.get("/api/v1/incidents").json()["items"][0]["status"] == "escalated")
                assert "[+]worker ok" in http.get("/readyz").text
            finally:
                worker.send_signal(signal.SIGTERM)
                told = worker.communicate(timeout=20)[1]
        assert worker.returncode == 0 and told.splitlines()[-1] == "Stopped.", told
        served.process.send_signal(signal.SIGINT)
        served.process.wait(timeout=20)
    assert served.process.returncode == 0, served.lines()


def until(process: "subprocess.Popen[str]", true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)


def test_a_home_has_one_process_that_works(tmp_path, monkeypatch):
    monkeypatch.setattr(alone, "PATIENCE_S", 0.0)
    assert not server_file.works(tmp_path)
    with server_file.the_worker(tmp_path):
        assert server_file.works(tmp_path)
        with pytest.raises(Refusal, match="--no-worker"), server_file.the_worker(tmp_path):
            raise AssertionError
    assert not server_file.works(tmp_path)


def test_beyond_this_machine_is_refused_unless_it_was_said(ratchet):
    done = ratchet("serve", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 2
    assert "--allow-remote" in done.stderr


def test_a_file_that_a_killed_server_left_is_no_server_whoever_listens_on_its_port(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        (tmp_path / server_file.NAME).write_text(f'{{"url": "http://127.0.0.1:{port}", "pid": 1}}', encoding="utf-8")
        assert server_file.running(tmp_path) is None
        (tmp_path / server_file.LOCK).touch(mode=0o600)
        assert server_file.running(tmp_path) is None
        with server_file.the_server(tmp_path):
            assert server_file.running(tmp_path) is None, "what the last one left is not the present one's word"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 9, "pid": 9}'])
def test_a_file_that_nobody_wrote_to_its_end_is_no_server(tmp_path, text):
    with server_file.the_server(tmp_path):
        (tmp_path / server_file.NAME).write_text(text, encoding="utf-8")
        assert server_file.running(tmp_path) is None


def test_a_home_has_one_server_and_forgets_it(tmp_path, monkeypatch):
    monkeypatch.setattr(alone, "PATIENCE_S", 0.0)
    with server_file.the_server(tmp_path):
        server_file.write(tmp_path, "http://127.0.0.1:9")
        assert server_file.running(tmp_path) == server_file.Running(url="http://127.0.0.1:9", pid=os.getpid())
        with (
            pytest.raises(Refusal, match=r"runs already, at http://127\.0\.0\.1:9"),
            server_file.the_server(tmp_path),
        ):
            raise AssertionError
        assert server_file.running(tmp_path) is not None, "the second one took nothing away"
    assert server_file.running(tmp_path) is None
    assert not (tmp_path / server_file.NAME).exists()


def test_a_token_of_this_home_is_not_sent_to_an_address_from_outside(ratchet, home):
    ratchet("doctor")
    with serving(home) as served:
        url = served.url
        assert ratchet("incident", "list", "--url", url).returncode == 4
        assert ratchet("incident", "list", "--url", url, "--token-file", str(home / "token")).returncode == 0


def test_a_token_file_that_is_missing_is_named(ratchet):
    done = ratchet("incident", "list", "--token-file", "/nowhere/token")
    assert done.returncode == 2
    assert "/nowhere/token" in done.stderr


def test_a_token_file_from_another_editor_is_read_or_named_for_what_it_is(tmp_path):
    path = tmp_path / "token"
    path.write_bytes("rtk_x\r\n".encode("utf-8-sig"))
    assert settings_of(Given(token_file=str(path), home=str(tmp_path))).token == "rtk_x"
    path.write_bytes("rtk_x\r\n".encode("utf-16"))
    with pytest.raises(Refusal, match="is no UTF-8 text") as no:
        settings_of(Given(token_file=str(path), home=str(tmp_path)))
    assert str(path) in no.value.message


def test_a_key_file_that_holds_no_key_is_refused(tmp_path):
    key = tmp_path / "key.pub"
    for content in (b"\xff\xfe\x00binary", b"", "ed25519:ä".encode()):
        key.write_bytes(content)
        with pytest.raises(Refusal, match="not a public key"):
            known_keys.expected(tmp_path / "home", "01A", key)


def test_a_curl_line_holds_the_request_and_not_the_token():
    request = httpx2.Request(
        "POST", "http://h/api/v1/x?a=b&c=d", json={"reason": "it's"}, headers={"Authorization": "Bearer rtk_secret"}
    )
    line = as_curl(request)
    assert "rtk_secret" not in line
    assert "$RATCHET_TOKEN" in line
    assert "'http://h/api/v1/x?a=b&c=d'" in line
    assert "'\"'\"'" in line
