"""Answers all probe calls of one target within one read budget: the warm session first, three more when it is slow."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from time import monotonic

from psycopg import sql

from ratchet.domain.errors import Refusal
from ratchet.domain.evidence import Answer, Evidence, ProbeCall
from ratchet.domain.ports import Clock
from ratchet.security.redact import Redacts
from ratchet.tools.answers import NoAnswer
from ratchet.tools.postgres.line import Line, Row
from ratchet.tools.postgres.privileges import PRIVILEGES
from ratchet.tools.postgres.probes import ProbeShelf, ProbeSpec, bind
from ratchet.tools.postgres.rates import RATES, Readings
from ratchet.tools.postgres.session import EXTRA, Facts, Sessions, read_only
from ratchet.tools.postgres.spills import SPILLS, watched
from ratchet.tools.witness import Witness

BUDGET = 10.0
"""Seconds that one look may spend on one target, however many calls it holds."""
EXTRA_AFTER = 0.2
"""Seconds that the warm session works alone. What takes longer is worth more logins: each costs the server as much CPU
as a third of the probes, for what a new session has to read of the catalog."""
ROOM = 6
"""Free login slots below which no further session is opened: the last ones belong to others."""
CANARY = "postgres.canary"
CATALOG_LOCKS = "postgres.catalog_locks"
"""Answers where every other probe waits for a catalog until the budget is spent, so it comes first."""
SEES = PRIVILEGES["pg_monitor"].grants
BLIND = "the login {login} is no member of pg_monitor and would see half of it without an error: {grant}"


class Look:
    """One look at one target. `answers` returns evidence in the order of the calls and never raises for a target."""

    def __init__(self, sessions: Sessions, shelf: ProbeShelf, redactor: Redacts, clock: Clock) -> None:
        self._sessions = sessions
        self._shelf = shelf
        self._witness = Witness(redactor, clock)
        self._queue: deque[tuple[int, ProbeCall]] = deque()
        self._seen: dict[int, Evidence] = {}
        self._until = monotonic() + BUDGET
        self._silent: NoAnswer | None = None
        self._readings = Readings()

    def answers(self, calls: Sequence[ProbeCall]) -> list[Evidence]:
        """Evidence for every call, in order."""
        numbered = list(enumerate(calls))
        canaries = [each for each in numbered if each[1].probe == CANARY]
        others = [each for each in numbered if each[1].probe != CANARY]
        # What is read twice comes first and last, and the others fill the time between.
        twice = [each for each in others if each[1].probe == RATES][:1]
        first = [each for each in others if each[1].probe == CATALOG_LOCKS]
        self._queue.extend([*first, *twice, *(each for each in others if each not in (*first, *twice)), *twice])
        with ThreadPoolExecutor(max_workers=2 + EXTRA, thread_name_prefix="ratchet-look") as pool:
            running = [pool.submit(self._canary, number, call) for number, call in canaries]
            if self._queue:
                running += self._spread(pool)
            for each in running:
                each.result()
        return [self._seen[number] for number, _ in numbered]

    def _spread(self, pool: ThreadPoolExecutor) -> list[Future[None]]:
        try:
            facts: Facts = self._sessions.facts()
        except NoAnswer as silent:
            self._silent = silent
            self._drain()
            return []
        warm = pool.submit(self._work_warm, facts)
        wait([warm], timeout=EXTRA_AFTER)
        if warm.done() or not facts.sees_others or facts.room < ROOM:
            return [warm]
        more = min(EXTRA, len(self._queue))
        return [warm, *(pool.submit(self._work_extra, facts) for _ in range(more))]

    def _work_warm(self, facts: Facts) -> None:
        while (taken := self._next()) is not None:
            number, call = taken
            self._seen[number] = self._warm_answer(call, facts)
        self._drain()

    def _warm_answer(self, call: ProbeCall, facts: Facts) -> Evidence:
        def on_warm(spec: ProbeSpec) -> list[Row]:
            return self._sessions.on_diag(lambda line: self._read(line, spec, call, facts))

        return self._answer(call, facts, on_warm)

    def _after_silence(self) -> NoAnswer | None:
        """A session fell silent: when the server answers a new one, the other calls go on."""
        try:
            self._sessions.facts()
        except NoAnswer as silent:
            return silent
        return None

    def _work_extra(self, facts: Facts) -> None:
        if not self._queue or not self._sessions.extra.acquire(blocking=False):
            return
        try:
            line = self._sessions.open_diag()
            try:
                while not line.closed and (taken := self._next()) is not None:
                    number, call = taken
                    self._seen[number] = self._extra_answer(line, call, facts)
            finally:
                line.close()
        except NoAnswer:
            return
        finally:
            self._sessions.extra.release()

    def _extra_answer(self, line: Line, call: ProbeCall, facts: Facts) -> Evidence:
        return self._answer(call, facts, lambda spec: self._read(line, spec, call, facts))

    def _answer(self, call: ProbeCall, facts: Facts, read: Callable[[ProbeSpec], list[Row]]) -> Evidence:
        started, query = monotonic(), ""
        try:
            spec = self._fitting(call, facts)
            query = spec.sql
            rows = read(spec)
        except NoAnswer as failed:
            if failed.lost or failed.answer is Answer.HUNG:
                self._silent = self._after_silence()
            return self._witness.failed(call, started, failed, query)
        return self._witness.saw(call, started, rows, query)

    def _canary(self, number: int, call: ProbeCall) -> None:
        started = monotonic()
        query = self._shelf.sole(CANARY).sql
        try:
            line = self._sessions.open_canary()
            connected = round((monotonic() - started) * 1000, 3)
            try:
                rows = read_only(line, query, {}, min(call.timeout, self._left()))
            finally:
                line.close()
        except NoAnswer as failed:
            self._seen[number] = self._witness.failed(call, started, failed, query)
            return
        self._seen[number] = self._witness.saw(call, started, [{**row, "connect_ms": connected} for row in rows], query)

    def _read(self, line: Line, spec: ProbeSpec, call: ProbeCall, facts: Facts) -> list[Row]:
        path = facts.extensions.get(spec.extension, "") if spec.extension else ""
        if spec.name == SPILLS:
            return watched(lambda: read_only(line, spec.sql, {}, min(call.timeout, self._left())))
        if spec.name == RATES:
            self._readings.wait()
            return [self._readings.paired(row) for row in read_only(line, spec.sql, {}, call.timeout)]
        return read_only(line, spec.sql, self._bound(spec, call), min(call.timeout, self._left()), path)

    def _bound(self, spec: ProbeSpec, call: ProbeCall) -> dict[str, object]:
        try:
            return dict(bind(spec, call.args))
        except Refusal as refusal:
            raise NoAnswer(Answer.ERROR, f"{refusal.message} {refusal.remedy}") from None

    def _fitting(self, call: ProbeCall, facts: Facts) -> ProbeSpec:
        """The variant of the probe for this server; raises NoAnswer where none fits."""
        try:
            spec = self._shelf.spec(call.probe, facts.version)
        except Refusal as refusal:
            raise NoAnswer(Answer.MISSING, f"{refusal.message} {refusal.remedy}") from None
        role = "replica" if facts.in_recovery else "primary"
        if spec.where not in ("any", role):
            raise NoAnswer(Answer.MISSING, f"{call.probe} asks a {spec.where}, and this server is a {role}")
        if spec.extension and spec.extension not in facts.extensions:
            raise NoAnswer(Answer.MISSING, f"the extension {spec.extension} is not installed in this database")
        if not facts.sees_others and any(PRIVILEGES[name].grants == SEES for name in spec.privileges):
            raise NoAnswer(Answer.PERMISSION, BLIND.format(login=facts.login, grant=grant_to(facts.login)))
        return spec

    def _next(self) -> tuple[int, ProbeCall] | None:
        if self._silent is not None or self._left() <= 0:
            return None
        try:
            return self._queue.popleft()
        except IndexError:
            return None

    def _drain(self) -> None:
        """Everything not looked at gets the reason of the silence, or that the budget is spent."""
        spent = NoAnswer(Answer.TIMEOUT, f"the read budget of {BUDGET:g} s for this target was spent on other probes")
        while True:
            try:
                number, call = self._queue.popleft()
            except IndexError:
                return
            self._seen[number] = self._witness.failed(call, monotonic(), self._silent or spent, "")

    def _left(self) -> float:
        return self._until - monotonic()


def grant_to(login: str) -> str:
    """The line that lets a login see the other sessions."""
    return SEES[0].format(role=sql.Identifier(login).as_string())
