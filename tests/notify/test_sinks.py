"""What goes over the wire to Loki and to syslog servers, received by real sockets."""

import base64
import json
import re
import socket
import threading
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from ratchet.domain.audit import AuditEntry
from ratchet.domain.errors import Refusal
from ratchet.notify.follow import Unreached, Unwanted
from ratchet.notify.loki import Loki, streams
from ratchet.notify.syslog import Syslog, message, place_of

AT = datetime(2026, 11, 20, 2, 3, 4, 123456, tzinfo=UTC)
HEADER = re.compile(rb"<(\d+)>1 (\S+) (\S+) ratchet - (\S+) - (\{.*\})")


def entry(position: int = 7, kind: str = "noted", **body: object) -> AuditEntry:
    stored = json.dumps({"body": {"kind": kind, **body}})
    return AuditEntry(
        position=position, tenant="main", stream="incident/01J", seq=position, at=AT, by="user:ana", kind=kind,
        previous="00" * 32, mac="ab" * 32, stored=stored,
    )  # fmt: skip


def told(text: bytes) -> dict[str, Any]:
    """The record in one syslog message."""
    found = HEADER.fullmatch(text)
    assert found is not None, text
    return json.loads(found[5])


# ------------------------------------------------------------------------------------------------------------ Loki


def loki(status: int, seen: list[httpx2.Request], url: str = "http://ana:s3cret@loki.test:3100") -> Loki:
    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(status)

    return Loki(url, httpx2.MockTransport(answer))


def test_a_push_has_string_nanoseconds_few_labels_and_ids_in_the_metadata():
    seen: list[httpx2.Request] = []
    sink = loki(204, seen)
    sink.send([entry(7, "refused", decision="dec_1", reason="no"), entry(8)])
    sink.close()
    (request,) = seen
    assert str(request.url) == "http://loki.test:3100/loki/api/v1/push"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"].startswith("Basic ")
    (stream,) = json.loads(request.content)["streams"]
    assert stream["stream"] == {"app": "ratchet", "kind": "audit", "tenant": "main", "object": "incident"}
    (stamp, line, metadata), (_, _, second) = stream["values"]
    assert stamp == "1795140184123456000"
    assert json.loads(line)["reason"] == "no"
    assert metadata == {"seq": "7", "action": "refused", "by": "user:ana", "incident": "01J", "decision": "dec_1"}
    assert second["seq"] == "8"
    assert all(isinstance(value, str) for value in metadata.values())


def test_the_labels_do_not_grow_with_the_incidents():
    many = [entry(n).model_copy(update={"stream": f"incident/{n}"}) for n in range(1, 50)]
    assert len(streams(many)) == 1


@pytest.mark.parametrize(
    ("status", "trouble"),
    [(400, Unwanted), (413, Unwanted), (401, Unreached), (404, Unreached), (429, Unreached), (503, Unreached)],
)
def test_an_answer_about_the_entries_is_told_apart_from_one_that_may_pass(status, trouble):
    sink = loki(status, [])
    with pytest.raises(trouble):
        sink.send([entry()])
    sink.close()


def test_a_password_that_had_to_be_written_encoded_is_sent_as_it_is():
    seen: list[httpx2.Request] = []
    sink = loki(204, seen, "https://an%2Fa:p%40ss%3A@loki.test")
    sink.send([entry()])
    sink.close()
    assert base64.b64decode(seen[0].headers["authorization"].removeprefix("Basic ")) == b"an/a:p@ss:"


@pytest.mark.parametrize(
    "url",
    ["http://loki:31o0", "http://loki:99999", "http://loki:0", "http://[loki", "http://lo ki", "loki:3100", "http://"],
)
def test_an_address_that_nobody_can_be_asked_at_is_refused_at_the_start_and_not_repeated(url: str):
    with pytest.raises(Refusal) as no:
        Loki(url.replace("//", "//ana:s3cret@"))
    assert "RATCHET_LOKI_URL" in no.value.message
    assert "s3cret" not in f"{no.value} {no.value.remedy}"


def test_nobody_at_the_address_is_unreached_and_no_credential_is_shown():
    sink = Loki("http://ana:s3cret@127.0.0.1:9")
    with pytest.raises(Unreached) as unreached:
        sink.send([entry()])
    sink.close()
    assert "s3cret" not in f"{unreached.value} {sink.name} {sink!r}"


# ---------------------------------------------------------------------------------------------------------- syslog


def test_a_message_has_the_parts_of_rfc_5424():
    found = HEADER.fullmatch(message(entry(7, "doubted", because="no answer"), "db host\n1"))
    assert found is not None
    assert found[1] == b"107"  # facility 13 (log audit), severity 3 (error)
    assert found[2] == b"2026-11-20T02:03:04.123456Z"
    assert found[3] == b"dbhost1"
    assert found[4] == b"doubted"
    told = json.loads(found[5])
    assert (told["seq"], told["hash"], told["reason"]) == (7, "ab" * 32, "no answer")


def test_line_breaks_and_controls_cannot_make_a_second_message():
    body = message(entry(7, "noted", reason="x\n<34>1 forged\x00\u2028"), "h")
    assert b"\n" not in body
    assert b"\x00" not in body
    assert body.isascii()


def test_datagrams_arrive_over_udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        sink = Syslog(f"udp://127.0.0.1:{server.getsockname()[1]}", "h")
        sink.send([entry(1), entry(2)])
        got = [server.recv(65535) for _ in range(2)]
        sink.close()
    assert [told(one)["seq"] for one in got] == [1, 2]


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_the_local_socket_takes_either_kind(tmp_path, kind):
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, kind) as server:
        server.bind(str(path))
        server.settimeout(5)
        if kind == socket.SOCK_STREAM:
            server.listen(1)
        sink = Syslog(f"unix://{path}", "h")
        sink.send([entry(1)])
        if kind == socket.SOCK_STREAM:
            line, _ = server.accept()
            with line:
                got = line.recv(65535).partition(b" ")[2]
        else:
            got = server.recv(65535)
        sink.close()
    assert HEADER.fullmatch(got)


def test_over_tcp_every_message_stands_after_its_length():
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = threading.Thread(target=hear, args=(server, heard))
        listener.start()
        sink = Syslog(f"tcp://127.0.0.1:{server.getsockname()[1]}", "h")
        sink.send([entry(1), entry(2, "noted", reason="ü")])
        sink.close()
        listener.join(5)
    assert [told(one)["seq"] for one in frames(b"".join(heard))] == [1, 2]


def hear(server: socket.socket, heard: list[bytes]) -> None:
    line, _ = server.accept()
    with line:
        line.settimeout(5)
        while piece := line.recv(4096):
            heard.append(piece)


def frames(whole: bytes) -> list[bytes]:
    found: list[bytes] = []
    while whole:
        length, _, rest = whole.partition(b" ")
        found.append(rest[: int(length)])
        whole = rest[int(length) :]
    return found


def test_a_tcp_server_that_went_away_is_noticed_and_met_again():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        sink = Syslog(f"tcp://127.0.0.1:{address[1]}", "h")
        sink.send([entry(1)])
        line, _ = server.accept()
        line.close()
    with pytest.raises(Unreached):
        sink.send([entry(2)])
    heard: list[bytes] = []
    with socket.create_server(address) as server:
        listener = threading.Thread(target=hear, args=(server, heard))
        listener.start()
        sink.send([entry(2)])
        sink.close()
        listener.join(5)
    assert len(frames(b"".join(heard))) == 1


@pytest.mark.parametrize(
    "url", ["localhost:514", "udp://", "unix://host/dev/log", "http://h", "tcp://h:99999", "unix:"]
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(Refusal):
        place_of(url)
