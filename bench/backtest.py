"""A version of a playbook replayed over the recorded evidence of a thousand past incidents, on one core."""

import tempfile
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from time import process_time

from bench.figure import Figure
from ratchet.domain.backtest import Backtest
from ratchet.domain.playbook import Playbook
from ratchet.domain.target import SecretRef
from ratchet.security.redact import Redactor
from ratchet.security.secrets import Secret
from ratchet.tools.postgres.probes import ProbeShelf
from ratchet.tools.registry import Hands
from ratchet.tools.replay import Replay
from ratchet.vault.backtest import Backtests
from ratchet.vault.causes import shipped_causes
from ratchet.vault.files import PlaybookFiles
from ratchet.vault.known import KnownTools
from tests.vault import worlds as w
from tests.vault.recorded import Records
from tests.vault.test_differential_examples import CASES, LOOK_ALIKES

INCIDENTS = 1000
GOAL = 500
SERIES = "pbs_connection_triage"


def run() -> list[Figure]:
    """Every world in turn, until there are a thousand; then two edits of the longest playbook, each replayed twice."""
    with tempfile.TemporaryDirectory(prefix="ratchet-bench-") as place:
        records = Records(Path(place), registered())
        known = [(change, cause) for change, cause, _, _ in CASES.values()]
        known += [(change, None) for change in LOOK_ALIKES.values()]
        for number in range(INCIDENTS):
            change, cause = known[number % len(known)]
            records.record({**w.healthy(), **change}, cause=cause)
        found = [figure for name, text in edits(records.active(SERIES)).items() for figure in rate(records, name, text)]
        records.close()
    return found


def registered() -> PlaybookFiles:
    """Playbooks are read against the probes and tools of this release; no target is reached."""
    shelf = ProbeShelf.load([files("ratchet.library").joinpath("probes/postgres")])
    hands = Hands(list, shelf, _no_secret, Redactor((), b"bench"), _now)
    known = KnownTools(probes=hands.probes(), tools={tool.name: tool for tool in hands.tools()})
    return PlaybookFiles(known, shipped_causes().names)


def _no_secret(ref: SecretRef) -> Secret:
    raise LookupError(f"nothing here needs {ref}")


def _now() -> datetime:
    return datetime.now(UTC)


def edits(active: Playbook) -> dict[str, Playbook]:
    """A hypothesis that asks for more, and one whose every incident is then concluded otherwise."""
    first, *rest = active.spec.triage.hypotheses
    stricter = first.model_copy(update={"confirm": f"({first.confirm}) and slots.first.used > 20"})
    gone = first.model_copy(update={"confirm": "slots.rows > 1000", "refute": "slots.rows < 1000"})
    return {
        "one condition changed": _with(active, (stricter, *rest)),
        "one hypothesis never confirmed again": _with(active, (gone, *rest)),
    }


def _with(active: Playbook, rules: tuple[object, ...]) -> Playbook:
    triage = active.spec.triage.model_copy(update={"hypotheses": rules})
    return active.model_copy(update={"spec": active.spec.model_copy(update={"triage": triage})})


def rate(records: Records, name: str, text: Playbook) -> list[Figure]:
    """Incidents per second of processor time; the two answers must be equal."""
    version = records.store.series(SERIES).versions[0]
    backtests = Backtests(records.store, records.shelf, Replay, records.clock, lambda _: "")
    answers: list[Backtest] = []
    speeds: list[float] = []
    for _ in range(2):
        began = process_time()
        answers.append(backtests.run(version, text))
        speeds.append(answers[-1].incidents / (process_time() - began))
    first, second = answers
    same = first.model_copy(update={"at": second.at}) == second
    note = f"{first.sentence().partition(':')[0]}; {'twice the same answer' if same else 'TWO DIFFERENT ANSWERS'}"
    return [Figure(f"backtest, {name}", min(speeds), "incidents/s", GOAL, "more", note)]
