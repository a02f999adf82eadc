"""The toolbox: every probe and write tool under its name, on the targets that are registered now."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any, cast

from psycopg.conninfo import conninfo_to_dict

from ratchet.domain.errors import Refusal, conflict, forbidden, not_found
from ratchet.domain.evidence import Answer, Evidence, ProbeCall
from ratchet.domain.gate import Grant
from ratchet.domain.plan import Act, Preview, ToolSpec, Undo
from ratchet.domain.ports import Clock, Missing, Sent, Took
from ratchet.domain.target import Fingerprint, SecretRef, Target
from ratchet.security.redact import Redacts
from ratchet.security.secrets import Secret
from ratchet.tools.answers import NoAnswer
from ratchet.tools.host.control import read_control
from ratchet.tools.host.host_tool import HostTool
from ratchet.tools.host.log_file import LOG_TAIL
from ratchet.tools.host.looks import HOST_PROBES, host_answer, host_control, log_answer
from ratchet.tools.host.tools import host_tools
from ratchet.tools.pgbouncer.look import look as pooler_look
from ratchet.tools.pgbouncer.probes import POOLER_PROBES
from ratchet.tools.postgres.check import missing_rights
from ratchet.tools.postgres.identity import read_identity
from ratchet.tools.postgres.log_signs import LOG_SIGNS, signs_of
from ratchet.tools.postgres.look import Look
from ratchet.tools.postgres.probes import ProbeShelf
from ratchet.tools.postgres.send import Sending
from ratchet.tools.postgres.session import Sessions
from ratchet.tools.postgres.writes import POSTGRES_TOOLS
from ratchet.tools.tool import Reader, WriteTool
from ratchet.tools.witness import Witness

CONNECT_MS = "connect_ms"


class Hands:
    """A Toolbox over the registered targets. One per process: it keeps their sessions."""

    def __init__(
        self,
        targets: Callable[[], Sequence[Target]],
        shelf: ProbeShelf,
        secret: Callable[[SecretRef], Secret],
        redactor: Redacts,
        clock: Clock,
    ) -> None:
        self._targets = targets
        self._shelf = shelf
        self._secret = secret
        self._redactor = redactor
        self._clock = clock
        self._witness = Witness(redactor, clock)
        self._kept: dict[str, Sessions] = {}
        self._lock = threading.Lock()
        tools: list[WriteTool[Any] | HostTool[Any]] = [*POSTGRES_TOOLS, *host_tools(clock)]
        self._tools = {tool.spec.name: tool for tool in tools}

    def look(self, calls: Sequence[ProbeCall]) -> list[Evidence]:
        """Evidence for every call, in order; all targets at once, each within its own read budget."""
        by_target: dict[str, list[int]] = {}
        for number, call in enumerate(calls):
            by_target.setdefault(call.target, []).append(number)
        seen: dict[int, Evidence] = {}

        def one(numbers: list[int]) -> None:
            answers = self._look_at([calls[number] for number in numbers])
            seen.update(zip(numbers, answers, strict=True))

        if len(by_target) == 1:
            one(next(iter(by_target.values())))
        elif by_target:
            with ThreadPoolExecutor(max_workers=len(by_target), thread_name_prefix="ratchet-targets") as pool:
                list(pool.map(one, by_target.values()))
        return [seen[number] for number in range(len(calls))]

    def fingerprint(self, target: str) -> Fingerprint | Evidence:
        """The server's own word; for one that is down on a host of ours, its control file's."""
        found, started = self._target(target), monotonic()
        try:
            try:
                return read_identity(self._sessions(found).read, self._clock)
            except NoAnswer as failed:
                if found.host_control is None or failed.answer not in (Answer.REFUSED, Answer.UNREGISTERED):
                    raise
                return read_control(found.host_control).fingerprint(self._clock())
        except NoAnswer as failed:
            return self._witness.failed(ProbeCall(probe="fingerprint", target=target), started, failed)

    def spec(self, tool: str) -> ToolSpec | None:
        """What a write tool declares."""
        found = self._tools.get(tool)
        return found.spec if found else None

    def tools(self) -> list[ToolSpec]:
        """All write tools, by name."""
        return [self._tools[name].spec for name in sorted(self._tools)]

    def probes(self) -> Mapping[str, frozenset[str]]:
        """Every probe with the columns it may yield."""
        columns = {name: self._shelf.columns(name) for name in self._shelf.names()}
        columns["postgres.canary"] = columns.get("postgres.canary", frozenset()) | {CONNECT_MS}
        others = (LOG_SIGNS, *HOST_PROBES.values(), *POOLER_PROBES.values())
        return {**columns, **{probe.name: frozenset(probe.columns) for probe in others}}

    def preview(self, target: str, tool: str, args: Mapping[str, Any]) -> Preview | Evidence:
        """What an act would touch now, or the evidence of why that cannot be told."""
        found, write, started = self._target(target), self._tool(tool), monotonic()
        try:
            if isinstance(write, HostTool):
                return self._shown(write.offered(host_control(found), write.parse(args)))
            shown = self._shown(write.preview(self._sessions(found).read, write.parse(args)))
            if shown.rows and (why := write.barred(self._sessions(found).read, self._primary(found))):
                return Preview(rows=(), statements=(), summary=why, undo=Undo.none("there is nothing to do"))
            self._may(found, write, args, shown)
            return shown
        except NoAnswer as failed:
            return self._witness.failed(ProbeCall(probe=tool, target=target, args=dict(args)), started, failed)

    def credential(self, target: str) -> str:
        """The reference of the act credential; a host target acts as the account it names."""
        found = self._target(target)
        if found.act is not None:
            return str(found.act)
        return f"account:{found.host_control.run_as}" if found.host_control else ""

    def act(self, act: Act, grant: Grant) -> Sent:
        """Send an act once, by leave of exactly its grant."""
        found, write = self._target(act.target), self._tool(act.tool)
        if not act.statements:
            raise conflict("The act holds no statement; its preview showed nothing to do.", "Ask again.")
        if act.credential != self.credential(act.target):
            raise conflict("The target's act credential is another one than was shown.", "Ask again.")
        if isinstance(write, HostTool):
            if found.host_control is None:
                raise conflict(f"Target {found.name} has no host control any more.", "Register it again.")
            return write.send(act, grant, found.host_control)
        sent = Sending(write, act, grant, self._clock).through(self._sessions(found).act)
        said = sent.model_dump(include={"because", "touched", "result"}, mode="json")
        return Sent.model_validate({**sent.model_dump(), **self._redacted(said)})

    def took(self, act: Act, grant: Grant, *, back: bool = False) -> Took:
        """Whether an act, or with `back` a way back, happened; a target that does not answer cannot tell."""
        found, write = self._target(act.target), self._tool(act.tool)
        try:
            if isinstance(write, HostTool):
                host = host_control(found)
                return write.taken_back(host, act) if back else write.took(host, act)
            read = self._sessions(found).read
            return write.taken_back(read, act, grant) if back else write.took(read, act, grant)
        except NoAnswer as failed:
            return Took(verdict="cannot_tell", because=self._redactor.text(str(failed)), reachable=False)

    def left(self, act: Act, grant: Grant) -> Took:
        """Whether the state still is the one that an act left; a target that does not answer cannot tell."""
        return self.took(act, grant)

    def check(self, target: str) -> list[Missing]:
        """What the target's credentials lack, with the line that grants it; the caller adds the playbooks."""
        found = self._target(target)
        if found.is_pooler or (found.kind == "host" and found.diag is None):
            return []
        return missing_rights(self._sessions(found), self._shelf, [tool.spec for tool in self._tools.values()])

    def pointed(self, name: str) -> str:
        """Open the sessions of a target early, or anew when its registration changed; returns its system identifier."""
        found = self._target(name)
        sessions = self._sessions(found)
        if found.act is not None:
            sessions.act.warm_up()
        if found.is_pooler:
            return ""
        fingerprint = self.fingerprint(name)
        return fingerprint.system_identifier if isinstance(fingerprint, Fingerprint) else ""

    def keep_warm(self, name: str) -> None:
        """Open again what a restart of the server closed, at most once per backoff; sends nothing over what is open."""
        found = self._target(name)
        if found.is_pooler or found.diag is None:
            return
        sessions = self._sessions(found)
        sessions.diag.warm_up()
        if found.act is not None:
            sessions.act.warm_up()

    def close(self) -> None:
        """Close every session."""
        with self._lock:
            kept, self._kept = list(self._kept.values()), {}
        for sessions in kept:
            sessions.close()

    def _look_at(self, calls: Sequence[ProbeCall]) -> list[Evidence]:
        try:
            found = self._target(calls[0].target)
        except Refusal as refusal:
            gone = NoAnswer(Answer.MISSING, refusal.message)
            return [self._witness.failed(call, monotonic(), gone) for call in calls]
        hosts = [call for call in calls if call.probe in HOST_PROBES]
        pools = [call for call in calls if call.probe in POOLER_PROBES]
        asked = [call for call in calls if call.probe not in HOST_PROBES and call.probe not in POOLER_PROBES]
        with ThreadPoolExecutor(max_workers=len(HOST_PROBES) + 1, thread_name_prefix="ratchet-roads") as pool:
            near = [pool.submit(host_answer, found, call, self._witness) for call in hosts]
            pooled = pool.submit(self._of_pooler, found, pools)
            answers = self._of_server(found, asked)
            seen = iter((*answers, *pooled.result(), *(each.result() for each in near)))
        by_key = {one.call_key: one for one in seen}
        return [by_key[call.key] for call in calls]

    def _of_server(self, target: Target, calls: Sequence[ProbeCall]) -> list[Evidence]:
        if not calls:
            return []
        sessions = self._sessions(target)
        asked = {read.key: read for read in (_behind(call) for call in calls)}
        answers = Look(sessions, self._shelf, self._redactor, self._clock).answers(list(asked.values()))
        if target.act is not None and any(seen.answer is Answer.OK for seen in answers):
            sessions.act.warm_up(answered=True)
        seen = {one.call_key: log_answer(target, one, asked[one.call_key], self._witness) for one in answers}
        return [self._read(call, seen[_behind(call).key]) for call in calls]

    def _read(self, call: ProbeCall, seen: Evidence) -> Evidence:
        return signs_of(seen, call, self._clock()) if call.probe == LOG_SIGNS.name else seen

    def _of_pooler(self, target: Target, calls: Sequence[ProbeCall]) -> list[Evidence]:
        if not calls:
            return []
        known = (each.address for each in self._targets() if each.name == target.pooler_of)
        server = next(known, "").partition("/")[0]
        return pooler_look(self._sessions(target), calls, server, self._witness)

    def _primary(self, target: Target) -> Reader | None:
        found = next((each for each in self._targets() if each.name == target.replica_of), None)
        return self._sessions(found).read if found else None

    def _may(self, target: Target, write: WriteTool[Any], args: Mapping[str, Any], shown: Preview) -> None:
        """Refuse what the act login could not do anyway, with the lines for whoever can; raises Refusal."""
        if target.act is None or not shown.statements:
            return
        role = str(conninfo_to_dict(self._secret(target.act).reveal()).get("user") or "")
        lacks = write.lacking(self._sessions(target).read, write.parse(args), role) if role else ""
        if lacks:
            lines = "; ".join(each.sql.replace("%%", "%") for each in shown.statements)
            raise forbidden(
                f"The act login {role} may not do this: it lacks {lacks}.",
                f"Whoever may can run it by hand: {lines}",
            )

    def _shown(self, preview: Preview) -> Preview:
        """The preview as people may read it; a value that must be hidden cannot be put back, so it is not offered."""
        rows = tuple(self._redacted(row) for row in preview.rows)
        if any(row.get("current") != shown.get("current") for row, shown in zip(preview.rows, rows, strict=True)):
            raise forbidden("The present value looks like a secret; a packet would show it.", "Do this one by hand.")
        return preview.model_copy(update={"rows": rows})

    def _redacted(self, row: dict[str, Any]) -> dict[str, Any]:
        return cast("dict[str, Any]", self._redactor.redact(row))

    def _target(self, name: str) -> Target:
        for target in self._targets():
            if target.name == name:
                return target
        raise not_found("target", name, "List the targets with `ratchet target list`.")

    def _tool(self, name: str) -> WriteTool[Any] | HostTool[Any]:
        if name not in self._tools:
            raise not_found("write tool", name, f"There are: {', '.join(sorted(self._tools))}.")
        return self._tools[name]

    def _sessions(self, target: Target) -> Sessions:
        with self._lock:
            kept = self._kept.get(target.name)
            if kept is not None and kept.target == target:
                return kept
            fresh = self._kept[target.name] = Sessions(target, self._secret)
        if kept is not None:
            kept.close()
        return fresh


def _behind(call: ProbeCall) -> ProbeCall:
    """The call that is sent to the server for this one: signs are read off the log's tail."""
    if call.probe != LOG_SIGNS.name:
        return call
    return ProbeCall(probe=LOG_TAIL, target=call.target, timeout=call.timeout)
