"""Certificates as they are given and read: what was tried is held against the kept runs, never simply believed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ratchet.desk.trials import Trials, causes_of
from ratchet.domain.certificate import LONGEST, Certificate, Certification, Proof, environment_of, no_proof
from ratchet.domain.drill import Run
from ratchet.domain.errors import conflict, invalid, not_found
from ratchet.domain.evidence import Answer, ProbeCall
from ratchet.domain.fault import Fault
from ratchet.domain.noun import digest_of
from ratchet.domain.playbook import Playbook
from ratchet.domain.ports import Clock, Shelf, Store, Toolbox
from ratchet.domain.series import Version

MOST_RUNS = 10_000
TRY = "ratchet playbook certify"
WHERE_IT_LIVES = frozenset({"port", "unix_socket_directories", "log_directory", "log_filename", "cluster_name"})
OTHER_TOOLS = "the probes and write tools are others now"


class Certifying:
    """Issues certificates and says what they are worth now."""

    def __init__(self, store: Store, shelf: Shelf, toolbox: Toolbox, clock: Clock, new_id: Callable[[], str]) -> None:
        self._store = store
        self._shelf = shelf
        self._toolbox = toolbox
        self._clock = clock
        self._new_id = new_id

    def issue(self, found: Certification, faults: Mapping[str, Fault], by: str) -> Certificate:
        """The certificate, kept with its event, whether anything failed or not; raises Refusal. It is as old as its
        newest run, and ends 30 days after its oldest: runs that are handed in again make nothing younger. A failure
        counts from now on."""
        active, playbook = self._active(found)
        runs, now = self._runs(found), self._clock()
        trials = Trials(self._store, faults, found, runs)
        failed = tuple(one.part for one in found.tried if not trials.hold(one))
        own = [runs[name] for one in found.tried if one.part == "faults" for name in one.runs]
        ended = [run.ended_at for run in runs.values()]
        certificate = Certificate(
            id="crt_" + self._new_id(), series=active.series, version_id=active.id, playbook_digest=active.digest,
            issued_at=now if failed else min(now, max(ended)), expires_at=min(now, *ended) + LONGEST,
            environment=environment_of(_version(runs)), faults=found.faults, seeds=found.seeds, failed=failed,
            passed=tuple(one.part for one in found.tried if one.part not in failed), causes=causes_of(own),
            runs=tuple(runs), target=found.target, settings_hash=settings_hash(self._toolbox, found.target, playbook),
            tools_digest=tools_digest(self._toolbox),
        )  # fmt: skip
        self._store.put_certificate(certificate, by)
        if failed:
            self._end_former(certificate, by)
        return certificate

    def _runs(self, found: Certification) -> dict[str, Run]:
        """The kept runs that it names, in its order."""
        kept = {run.id: run for run in self._store.runs(batch=found.batch, limit=MOST_RUNS)}
        named = dict.fromkeys(name for part in found.tried for name in part.runs)
        strange = next((name for name in named if name not in kept), None)
        if strange is not None:
            raise invalid(f"Run {strange[:80]!r} was not kept in batch {found.batch}.", "Keep runs before certifying.")
        if all(part.part != "faults" for part in found.tried):
            raise invalid("Its own faults were not tried.", "Certify with them: the other parts prove nothing alone.")
        if min(kept[name].ended_at for name in named) + LONGEST <= self._clock():
            raise conflict("The runs are older than a certificate may be.", f"Try again: {TRY} {found.series}")
        return {name: kept[name] for name in named}

    def all(self, series: str) -> list[Proof]:
        """Newest first, with what each is worth now."""
        known, now, tools = self._store.certificates(series), self._clock(), tools_digest(self._toolbox)
        return [self._proof(one, known, now, tools) for one in known]

    def _active(self, found: Certification) -> tuple[Version, Playbook]:
        active = self._store.series(found.series).active
        if active is None:
            raise not_found("active playbook", found.series, "List them: ratchet playbook list")
        if active.digest != found.playbook_digest:
            message = f"The active text of {found.series} changed while it was tried."
            raise conflict(message, f"Try the new one: {TRY} {found.series}")
        return self._shelf.version(active.id)

    def _end_former(self, failed: Certificate, by: str) -> None:
        for one in self._store.certificates(failed.series):
            if failed.replaces(one) and not one.revoked:
                self._store.revoke_certificate(one.id, f"{failed.id} failed: {', '.join(failed.failed)}", by)

    def _proof(self, one: Certificate, known: Sequence[Certificate], now: datetime, tools: str) -> Proof:
        same = [other for other in known if other.series == one.series]
        active = self._store.series(one.series).active
        reasons = (
            no_proof(one.id, same, now),
            "" if active and active.digest == one.playbook_digest else "the active text is another one",
            "" if one.tools_digest in ("", tools) else OTHER_TOOLS,
        )
        because = next((why for why in reasons if why), "")
        return Proof(certificate=one, counts=not because, because=because)


def _version(runs: Mapping[str, Run]) -> int:
    """The one server version that all runs were made on; raises Refusal."""
    versions = {run.environment.server_version for run in runs.values()} - {""}
    if len(versions) != 1 or not min(versions).isdecimal():
        raise conflict("The runs were not made on one known server version.", "Certify again on one server.")
    return int(min(versions))


def revoke_outdated(store: Store, toolbox: Toolbox) -> None:
    """End every certificate that was given with other probes or write tools than those that were just read."""
    tools = tools_digest(toolbox)
    for one in store.certificates():
        if not one.revoked and one.tools_digest not in ("", tools):
            store.revoke_certificate(one.id, OTHER_TOOLS, "ratchet")


def settings_hash(toolbox: Toolbox, target: str, playbook: Playbook) -> str:
    """Over what the playbook's own probes of settings see on a target now; empty where it has none, or nothing is
    seen."""
    asked = [use for use in playbook.spec.probes.values() if "setting" in use.uses and not _bound_later(use.args)]
    calls = [ProbeCall(probe=use.uses, target=target, args=use.args) for use in asked if use.where == "target"]
    seen = toolbox.look(calls) if calls else []
    rows = [[each.probe, settled(each.rows)] for each in seen if each.answer is Answer.OK]
    return digest_of(rows) if rows else ""


def settled(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Settings as rows, without those that only say where the server lives: a lab is made anew on another port."""
    return [dict(row) for row in rows if row.get("name") not in WHERE_IT_LIVES]


def _bound_later(args: dict[str, Any]) -> bool:
    """Whether an argument comes from the incident."""
    return any("{" in str(value) for value in args.values())


def tools_digest(toolbox: Toolbox) -> str:
    """Over the declarations of all probes and write tools, as they are now."""
    probes: dict[str, Any] = {name: sorted(columns) for name, columns in toolbox.probes().items()}
    tools = sorted((each.model_dump(mode="json") for each in toolbox.tools()), key=lambda each: str(each.get("name")))
    return digest_of([probes, tools])
