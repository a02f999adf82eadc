"""Drills on paper: what the gateway must carry there and back, unchanged."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ratchet.domain.certificate import Certificate, Certification, Proof
from ratchet.domain.drill import Drill, DrillRequest, Environment, Found, Ground, Rejudged, Run
from ratchet.domain.errors import conflict, forbidden, not_found
from ratchet.domain.fault import CausedObject
from ratchet.domain.observed import Observed, Pending
from ratchet.domain.score import Part, Score
from ratchet.security.principal import Principal, require

NOON = datetime(2026, 11, 20, 12, 0, 0, 250000, tzinfo=UTC)
RUN = Run(
    id="run_1", batch="a1b2c3d4", fault="db-max-connections", title="New logins are refused ü",
    series="pbs_connection_triage", seed=3, strength="bare", target="db-1", remediate=True, started_at=NOON,
    ended_at=NOON, verdict="pass", expected_cause="connection_exhaustion_idle_leak",
    caused=(CausedObject(kind="application", id="api-x1"),), found=(Found(kind="application", id="api-x1"),),
    score=Score(parts=(Part(name="cause", passed=True, weight=30, because="it is"),)), recovered_seconds=4.2,
)  # fmt: skip


def certificate() -> Certificate:
    """One that failed in a part."""
    return Certificate(
        id="crt_1", series="pbs_connection_triage", version_id="pb_1", playbook_digest="sha256:aa", issued_at=NOON,
        expires_at=NOON + timedelta(days=7), environment="postgres 15, ratchet 0.1", faults=("db-max-connections",),
        seeds=(1, 2), passed=("faults",), failed=("crash",), runs=("run_1",), target="db-1", tools_digest="sha256:bb",
    )  # fmt: skip


class PaperPractice:
    """The drills of one principal on paper."""

    def __init__(self, note: Callable[[str], None], principal: Principal, kept: list[Run]) -> None:
        self._note, self._principal, self._kept = note, principal, kept

    def ground(self, target: str) -> Ground:
        self._note(f"ground {target}")
        if target != "db-1":
            raise forbidden(f"Target {target} is not tagged chaos.", "Tag it.")
        environment = Environment(server_version="150018", settings_hash="sha256:aa", ratchet_version="0.1")
        return Ground(target=target, address="db1:5432/shop", system_identifier="7311", environment=environment)

    def start(self, request: DrillRequest) -> Drill:
        require(self._principal, "answer" if request.remediate else "operate")
        self._note(f"start {request.model_dump_json()}")
        return Drill(incident="INC-1", grants=("sg_1",), **request.model_dump(exclude={"unattended", "quiet"}))

    def observed(self, reference: str) -> Observed:
        self._note(f"observed {reference}")
        if reference != "INC-1":
            raise not_found("incident", reference, "List them: ratchet incident list")
        asked = Pending(decision="dec_1", digest="sha256:bb", step="free", title="Terminate <b>1</b>", writes=True)
        return Observed(
            incident="INC-1", status="awaiting_approval", resting=False, asked=asked, found=RUN.found, concluded_at=NOON
        )

    def rejudge(self, reference: str) -> Rejudged:
        self._note(f"rejudge {reference}")
        if reference != "INC-1":
            raise conflict(f"{reference} is not a drill.", "Grade and end drills only.")
        return Rejudged(same=False, because="the cause is another: ü")

    def end(self, reference: str, reason: str) -> None:
        require(self._principal, "operate")
        self._note(f"end {reference} {reason}")

    def fire_again(self, reference: str) -> str:
        require(self._principal, "answer")
        self._note(f"fire_again {reference}")
        if reference != "INC-1":
            raise conflict(f"{reference} is no drill under way.", "Fire again while it is.")
        return "INC-2"

    def certify(self, found: Certification) -> Certificate:
        require(self._principal, "answer")
        self._note(f"certify {found.model_dump_json()}")
        return certificate()

    def certificates(self, series: str = "") -> list[Proof]:
        self._note(f"certificates {series}")
        return [Proof(certificate=certificate(), counts=False, because="it expired ü")]

    def keep(self, run: Run) -> None:
        require(self._principal, "operate")
        self._note(f"keep {run.id}")
        self._kept.append(run)

    def runs(self, *, since: datetime | None = None, fault: str = "", batch: str = "", limit: int = 1000) -> list[Run]:
        self._note(f"runs {since} {fault} {batch} {limit}")
        return [*self._kept, RUN]
