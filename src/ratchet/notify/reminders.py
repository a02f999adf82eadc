"""Reminds people of playbooks that are due: a log line each, and one POST for all, once in each period."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import httpx2

from ratchet.domain.errors import Refusal
from ratchet.notify.address import address_of
from ratchet.notify.follow import Unreached

LOOK_EVERY_S = 3600.0
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 600.0
_WRONG = (
    "RATCHET_REMINDER_WEBHOOK is not an address that takes a POST.", "Write it as https://hooks.example/review."
)  # fmt: skip
_TIMEOUT = httpx2.Timeout(10.0, connect=3.0)
_log = logging.getLogger(__name__)


class Reminder(NamedTuple):
    """One thing that is due. `key` names it for as long as it is the same thing; `period` counts from 1."""

    key: str
    period: int
    line: str
    body: dict[str, str]


class Places(Protocol):
    """Where it is kept what was told, across restarts."""

    def place(self, follower: str) -> int | None:
        """The last period that was told; None for none."""
        ...

    def keep_place(self, follower: str, position: int) -> None:
        """Remember the period that was told."""
        ...


class Webhook:
    """An address that takes a POST. A name and a password in it are sent as basic authentication; it is never shown."""

    def __init__(self, url: str) -> None:
        place = address_of(url, _WRONG)
        self._url = place.url(place.path or "/", place.query)
        self._client = httpx2.Client(auth=place.auth, timeout=_TIMEOUT, trust_env=False)

    def send(self, due: Sequence[Reminder]) -> None:
        """One request for all; raises Unreached when it was not taken, in which case it is sent again."""
        body = {"text": "\n".join(_sentence(one.body) for one in due), "items": [one.body for one in due]}
        try:
            answer = self._client.post(self._url, json=body)
        except httpx2.HTTPError as error:
            raise Unreached(type(error).__name__) from None
        if not answer.is_success:
            raise Unreached(f"HTTP {answer.status_code}")

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


class Reminders:
    """Looks once an hour, in a thread of its own, and sooner again while the webhook is not reached."""

    def __init__(
        self, due: Callable[[], Sequence[Reminder]], places: Places, log: Callable[[str], None], webhook: Webhook | None
    ) -> None:
        self._due = due
        self._places = places
        self._log = log
        self._webhook = webhook
        self._logged: set[tuple[str, int]] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ratchet-reminders", daemon=True)

    def start(self) -> None:
        """Remind from now on."""
        self._thread.start()

    def stop(self, limit: float = 5.0) -> None:
        """End; a request that hangs longer than `limit` seconds is left to its thread."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(limit)
        if self._webhook is not None:
            self._webhook.close()

    def step(self) -> int:
        """Log what this process has not logged, send what was not sent in its period, and give the number sent.

        Raises Unreached when the webhook, and Refusal when the store does not answer.
        """
        due = self._due()
        for one in due:
            if (one.key, one.period) not in self._logged:
                self._logged.add((one.key, one.period))
                self._log(one.line)
        if self._webhook is None:
            return 0
        unsent = [one for one in due if (self._places.place(one.key) or 0) < one.period]
        if unsent:
            self._webhook.send(unsent)
        for one in unsent:
            self._places.keep_place(one.key, one.period)
        return len(unsent)

    def _run(self) -> None:
        """A start has more pressing work than this, so that the first look waits a little."""
        pause = FIRST_PAUSE_S
        self._stopped.wait(pause)
        while not self._stopped.is_set():
            try:
                self.step()
            except (Unreached, Refusal) as trouble:
                _log.warning("reminders are not delivered and are tried again in %.0f s: %s", pause, trouble)
                self._stopped.wait(pause)
                pause = min(LONGEST_PAUSE_S, pause * 2)
            else:
                pause = FIRST_PAUSE_S
                self._stopped.wait(LOOK_EVERY_S)


def _sentence(body: dict[str, str]) -> str:
    owner = body["owner"] or "nobody owns it"
    return f"{body['series']} {body['version']}: {body['because']} ({owner})"
