"""Reminders over a real listener: once in each period, again after a refusal, and nothing secret in them."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ratchet.domain.errors import Refusal
from ratchet.notify import reminders
from ratchet.notify.follow import Unreached
from ratchet.notify.reminders import Reminder, Reminders, Webhook

PATIENCE = 10.0
BODY = {"id": "pb_1", "series": "pbs_connection_triage", "version": "1.0", "what": "failed",
        "because": "failed its last run of db-max-connections on shop-db", "owner": "", "since": ""}  # fmt: skip


class Ears(ThreadingHTTPServer):
    """Takes POSTs, refuses as many as it is told to, and can keep silent."""

    daemon_threads = True

    def __init__(self) -> None:
        self.heard: list[dict] = []
        self.headers: list[dict[str, str]] = []
        self.refuse = 0
        self.silent = threading.Event()
        self.silent.set()
        self.taken = threading.Event()
        super().__init__(("127.0.0.1", 0), Ear)

    @property
    def url(self) -> str:
        return f"http://ana:s3cret-word@127.0.0.1:{self.server_address[1]}/hooks/t0ken"


class Ear(BaseHTTPRequestHandler):
    server: Ears

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.headers.append(dict(self.headers))
        self.server.silent.wait(PATIENCE)
        if self.server.refuse:
            self.server.refuse -= 1
            self.send_error(503)
            return
        self.server.heard.append(body)
        self.send_response(204)
        self.end_headers()
        self.server.taken.set()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature is the library's
        """Nobody reads it here."""


class Places(dict[str, int]):
    """What is kept across restarts."""

    def place(self, follower: str) -> int | None:
        return self.get(follower)

    def keep_place(self, follower: str, position: int) -> None:
        self[follower] = position


@pytest.fixture
def ears() -> Iterator[Ears]:
    server = Ears()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def due(period: int = 1, key: str = "reminder pb_1 failed x") -> Reminder:
    return Reminder(key, period, "WARN failed", BODY)


def test_one_reminder_in_each_period_across_restarts_and_one_request_for_all(ears: Ears) -> None:
    places, lines, now = Places(), list[str](), [due(), due(key="reminder pb_2 overdue y")]
    first = Reminders(lambda: now, places, lines.append, Webhook(ears.url))
    assert [first.step(), first.step()] == [2, 0]
    first.stop()
    again = Reminders(lambda: now, places, lines.append, Webhook(ears.url))
    assert again.step() == 0
    now[0] = due(period=2)
    assert again.step() == 1
    again.stop()
    assert [len(body["items"]) for body in ears.heard] == [2, 1]
    assert ears.heard[0]["items"][0] == BODY
    assert lines == ["WARN failed"] * 5, "each process says at its start what is due, and then once in each period"


def test_what_was_refused_is_sent_again_and_only_then_counts_as_told(ears: Ears) -> None:
    places = Places()
    one = Reminders(lambda: [due()], places, lambda _: None, Webhook(ears.url))
    ears.refuse = 1
    with pytest.raises(Unreached, match="HTTP 503"):
        one.step()
    assert places == {}
    assert one.step() == 1
    one.stop()
    assert len(ears.heard) == 1


def test_the_thread_tries_again_by_itself_and_says_no_address(
    ears: Ears, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reminders, "FIRST_PAUSE_S", 0.01)
    ears.refuse = 2
    one = Reminders(lambda: [due()], Places(), lambda _: None, Webhook(ears.url))
    one.start()
    assert ears.taken.wait(PATIENCE)
    one.stop()
    assert len(caplog.messages) == 2 and all("tried again" in said for said in caplog.messages)
    assert not any(word in caplog.text for word in ("s3cret-word", "t0ken", "127.0.0.1"))


def test_a_listener_that_keeps_silent_is_given_up_and_holds_nothing_up(
    ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "_TIMEOUT", 0.2)
    ears.silent.clear()
    one = Reminders(lambda: [due()], Places(), lambda _: None, Webhook(ears.url))
    with pytest.raises(Unreached, match="ReadTimeout"):
        one.step()
    ears.silent.set()
    one.stop()


def test_name_and_password_go_as_authentication_and_never_into_the_body(ears: Ears) -> None:
    one = Reminders(lambda: [due()], Places(), lambda _: None, Webhook(ears.url))
    one.step()
    one.stop()
    assert ears.headers[0]["Authorization"].startswith("Basic ")
    said = json.dumps(ears.heard)
    assert "s3cret-word" not in said and "t0ken" not in said
    assert ears.heard[0]["text"] == (
        "pbs_connection_triage 1.0: failed its last run of db-max-connections on shop-db (nobody owns it)"
    )


def test_an_address_that_is_none_is_refused_without_being_repeated() -> None:
    with pytest.raises(Refusal) as no:
        Webhook("hooks.example/s3cret-word")
    assert "s3cret-word" not in str(no.value) + no.value.remedy
