"""A server of this home that is killed once, after a send, and comes back: what a certification tries a crash with."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from ratchet.cli import server_file
from ratchet.cli.road import TOKEN
from ratchet.cli.table import OVER_HTTP, load
from ratchet.config import Settings
from ratchet.desk.contract import Desk
from ratchet.domain.drill import Drill, DrillRequest, Ground, Rejudged
from ratchet.domain.errors import Code, Refusal
from ratchet.domain.observed import Observed

T = TypeVar("T")
PLACE = "kill:after_send"
PROGRAM = "import sys; from ratchet.cli import main; sys.exit(main())"
RISES_S = 60.0
DIES_S = 10.0


class MortalDesk:
    """The desk of a server that dies at `PLACE`, then of the one in its place; implements `lab.certify.Firing`."""

    def __init__(self, settings: Settings, last: ExitStack) -> None:
        self._settings = settings
        self._last = last
        self._said = settings.home / "lab" / "certify.log"
        self._process, self._desk = self._rise(PLACE)
        self.killed = False

    def ground(self, target: str) -> Ground:
        return self._meet(lambda desk: desk.drills.ground(target))

    def start(self, request: DrillRequest) -> Drill:
        return self._meet(lambda desk: desk.drills.start(request))

    def observed(self, reference: str) -> Observed:
        return self._meet(lambda desk: desk.drills.observed(reference))

    def rejudge(self, reference: str) -> Rejudged:
        return self._meet(lambda desk: desk.drills.rejudge(reference))

    def end(self, reference: str, reason: str) -> None:
        self._meet(lambda desk: desk.drills.end(reference, reason))

    def fire_again(self, reference: str) -> str:
        return self._meet(lambda desk: desk.drills.fire_again(reference))

    def approve(self, decision: str, digest: str, reason: str) -> object:
        """As the desk does; asked again after the death, it gives the first answer."""
        return self._meet(lambda desk: desk.approve(decision, digest, reason))

    def _meet(self, verb: Callable[[Desk], T]) -> T:
        try:
            return verb(self._desk)
        except Refusal as gone:
            if gone.code is not Code.UNAVAILABLE or self.killed or not self._died():
                raise
            self.killed = True
            self._process, self._desk = self._rise(None)
            return verb(self._desk)

    def _died(self) -> bool:
        """Whether the server ended by the signal that it was to send itself."""
        try:
            return self._process.wait(timeout=DIES_S) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False

    def _rise(self, failpoint: str | None) -> "tuple[subprocess.Popen[bytes], Desk]":
        """A server, once it listens; it is stopped at the end."""
        home = self._settings.home
        environ = {key: value for key, value in self._settings.environ.items() if key != "RATCHET_URL"}
        more = {"RATCHET_HOME": str(home), **({"RATCHET_FAILPOINT": failpoint} if failpoint else {})}
        with _fresh(self._said).open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, "serve", "--port", "0"], env={**environ, **more},
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
        self._last.callback(_stop, process)
        url = self._listening(process)
        token = (home / TOKEN).read_text(encoding="utf-8").strip()
        return process, self._last.enter_context(load(OVER_HTTP)(url, token, debug=False))

    def _listening(self, process: "subprocess.Popen[bytes]") -> str:
        deadline = time.monotonic() + RISES_S
        while time.monotonic() < deadline and process.poll() is None:
            found = server_file.running(self._settings.home)
            if found is not None and found.pid == process.pid:
                return found.url
            time.sleep(0.05)
        words = self._said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise Refusal(Code.UNAVAILABLE, "The server that is to be killed did not start.", words[-1] if words else "")


@contextmanager
def mortal(settings: Settings) -> Generator[MortalDesk]:
    """Such a desk; whatever server it has is stopped at the end."""
    with ExitStack() as last:
        yield MortalDesk(settings, last)


def _fresh(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    return path


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=DIES_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
